// Committing syncs whole layers, which takes seconds on a slow disk: nothing else may wait for it.
#include <catch2/catch.hpp>

#include "proxy/fill/coordinator.h"
#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;

namespace {

// Commits wait until they are let go.
class SlowCommits final : public BlobStore {
 public:
  explicit SlowCommits(BlobStore& inner) : inner_(inner) {}

  void let_go() {
    const MutexLock lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  bool wait_waiting(int count) {
    const MutexLock lock(mutex_);
    while (waiting_ < count) {
      if (!changed_.wait_until(mutex_, soon())) return false;
    }
    return true;
  }

  Result<std::shared_ptr<PartialBlob>> resume(const Digest& digest) override { return inner_.resume(digest); }
  bool suspend(PartialBlob& partial, Error why) override { return inner_.suspend(partial, std::move(why)); }
  Result<void> commit(PartialBlob& partial) override {
    {
      const MutexLock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      while (held_) changed_.wait(mutex_);
    }
    return inner_.commit(partial);
  }
  Result<Blob> open(const Digest& digest) override { return inner_.open(digest); }
  Result<std::shared_ptr<PartialBlob>> begin(const Digest& digest, std::optional<std::uint64_t> size) override {
    return inner_.begin(digest, size);
  }
  void abandon(PartialBlob& partial, Error why) override { inner_.abandon(partial, std::move(why)); }
  Result<void> put(const Digest& digest, std::string_view content) override { return inner_.put(digest, content); }
  Result<std::uint64_t> erase(const Digest& digest) override { return inner_.erase(digest); }

 private:
  BlobStore& inner_;
  Mutex mutex_;
  Condition changed_;
  bool held_ PADDOCK_GUARDED_BY(mutex_) = true;
  int waiting_ PADDOCK_GUARDED_BY(mutex_) = 0;
};

struct CommitFixture : CacheFixture {
  ~CommitFixture() {
    slow.let_go();
    shut_down();
    commits.join();
  }
  SlowCommits slow{blobs};
  BlockingPool commits{2};
  FillCoordinator fills{loops, pool, slow, {.commits = &commits}};
};

}  // namespace

TEST_CASE_METHOD(CommitFixture, "commits that take long hold up nothing else") {
  std::vector<Digest> digests;
  for (const char* content : {"one", "two", "three"}) digests.push_back(upstream->add_blob("a/b", content));
  for (const Digest& digest : digests) fills.fetch({upstream, "a/b", digest});
  REQUIRE(slow.wait_waiting(2));  // as many as the other pool has threads
  auto hit = start(pool.run([]() -> Result<int> { return 1; }));
  CHECK(hit.wait_until(soon()) == std::future_status::ready);
  // Nor readers: even of the one that has not had its turn every byte is out.
  for (const Digest& digest : digests) {
    const auto source = start(fills.find(digest)->source(soon())).get().value();
    CHECK(start(std::get<std::shared_ptr<PartialBlob>>(source)->wait_verified(soon())).get());
  }
  slow.let_go();
  CHECK(slow.wait_waiting(3));
  CHECK(fills.stop(std::chrono::seconds(30)));
  CHECK(fills.stats().completed == 3);
  for (const Digest& digest : digests) CHECK(stored(digest));
}
