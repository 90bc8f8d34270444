// Blobs that had every byte when the process died are stored by the next one, without anybody asking for them.
#include <catch2/catch.hpp>
#include <future>

#include "tests/proxy/fill/fill_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

struct WholeFixture : FillFixture {
  Digest leave(const std::string& content, std::uint64_t present) {
    const Digest digest = upstream->add_blob("a/b", content);
    const auto partial = blobs.begin(digest, content.size()).value();
    REQUIRE(partial->write(0, std::as_bytes(std::span(content)).first(present)));
    blobs.suspend(*partial, Error{ErrorCode::cancelled, Blame::us, "killed"});
    return digest;
  }
  Digest leave(const std::string& content) { return leave(content, content.size()); }
  void rot(const Digest& digest) {
    const auto file = fs.open(folder.paths().partial(digest), FileSystem::Open::update).value();
    REQUIRE(file->write_at(70'000, std::as_bytes(std::span("rot", 3))));
  }
  std::future<bool> commit_whole() { return start(run(fills, blobs.suspended().whole())); }
  static Task<bool> run(FillCoordinator& fills, std::vector<Digest> digests) {
    co_await fills.commit_whole(std::move(digests));
    co_return true;
  }
  auto left() { return disk.list(folder.paths().partial()).value(); }
};

}  // namespace

TEST_CASE_METHOD(WholeFixture, "what has every byte is stored without an upstream, what has not stays as it is") {
  const std::string one = pattern(300'000), two = pattern(9'000'000), three = pattern(200'000);
  const Digest first = leave(one), second = leave(two), third = leave(three, 100'000);
  REQUIRE(commit_whole().get());
  CHECK(stored(first));
  CHECK(stored(second));
  CHECK_FALSE(stored(third));
  CHECK(upstream->count() == 0);
  CHECK(fills.stats().completed == 2);
  CHECK(fills.stats().running == 0);
  CHECK(left().size() == 2);  // a file and its journal
  CHECK(space.usage().stored == one.size() + two.size() + 100'000);
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(WholeFixture, "what has rotted is removed, no upstream is blamed, and who asks next gets it anew") {
  const std::string content = pattern(300'000);
  const Digest digest = leave(content);
  rot(digest);
  REQUIRE(commit_whole().get());
  CHECK_FALSE(stored(digest));
  CHECK(left().empty());
  CHECK(space.usage().stored == 0);
  CHECK(upstream->count() == 0);
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
}

TEST_CASE_METHOD(WholeFixture, "who asks while it is being stored is served from it") {
  const std::string content = pattern(300'000);
  const Digest digest = leave(content);
  PoolHold hold(*this);
  auto done = commit_whole();
  while (!fills.find(digest)) std::this_thread::yield();
  const auto fill = fills.fetch({upstream, "a/b", digest});
  CHECK(fill == fills.find(digest));
  auto reader = start(read_all(fill));
  hold.let_go();
  CHECK(reader.get().value() == content);
  CHECK(done.get());
  CHECK(stored(digest));
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(WholeFixture, "who asks for what turns out to be rotten has it filled from where he would get it") {
  const std::string content = pattern(300'000);
  const Digest digest = leave(content);
  rot(digest);
  PoolHold hold(*this);
  auto done = commit_whole();
  while (!fills.find(digest)) std::this_thread::yield();
  fills.fetch({upstream, "a/b", digest});
  hold.let_go();
  CHECK(done.get());
  CHECK(stored(digest));
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(upstream->count("distrust") == 0);
}

TEST_CASE_METHOD(WholeFixture, "a stop does not wait for the hashing, and nothing is lost") {
  const std::string content = pattern(300'000);
  const Digest digest = leave(content), next = leave(pattern(1000));
  PoolHold hold(*this);
  auto done = start(run(fills, {digest, next}));
  while (!fills.find(digest) || fills.stats().waiting > 0) std::this_thread::yield();
  fills.stop(0ms);
  hold.let_go();
  CHECK(done.get());
  CHECK_FALSE(stored(digest));
  CHECK_FALSE(stored(next));
  CHECK(blobs.suspended().whole().size() == 2);
  CHECK(fills.stats().suspended == 1);
}
