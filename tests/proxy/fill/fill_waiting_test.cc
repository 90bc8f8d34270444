// Those who wait for a fill that has nothing to serve yet.
#include <catch2/catch.hpp>

#include "tests/proxy/fill/fill_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

struct WaitingFixture : FillFixture {
  ~WaitingFixture() { shut_down(); }

  Error late(const std::shared_ptr<Fill>& fill) {
    const auto source = start(fill->source(std::chrono::steady_clock::now())).get();
    REQUIRE_FALSE(source);
    return source.error();
  }

  FillCoordinator narrow{
      loops,
      pool,
      blobs,
      {.fetch = {.chunk = 40'000, .buffer = 4096, .retry = {.attempts = 4, .base = 1ms, .cap = 2ms}}, .at_once = 1}};
  FillCoordinator pausing{loops,
                          pool,
                          blobs,
                          {.fetch = {.buffer = 4096, .interval = 1ms},
                           .on_abandon = FillCoordinator::OnAbandon::pause,
                           .abandon_grace = 0s}};
};

}  // namespace

TEST_CASE_METHOD(WaitingFixture, "who waits in line is told to come back, who waits for the upstream is not") {
  const std::string content = pattern(50'000);
  const Digest one = upstream->add_blob("a/b", content), two = upstream->add_blob("a/b", pattern(60'000));
  upstream->hold("get_blob");
  const auto first = narrow.fetch({upstream, "a/b", one});
  REQUIRE(upstream->wait_for_held());
  const auto second = narrow.fetch({upstream, "a/b", two});
  const auto in_line = late(second);
  CHECK(in_line.code == ErrorCode::timeout);
  CHECK(in_line.retry_after);
  CHECK_FALSE(in_line.context.contains("upstream"));
  CHECK_FALSE(is_not_kept(in_line));  // passing it through would take what the line keeps
  const auto silent = late(first);
  CHECK(silent.code == ErrorCode::timeout);
  CHECK_FALSE(silent.retry_after);
  upstream->release();
  CHECK(read(second).value() == pattern(60'000));
  CHECK(narrow.stop(30s));
}

TEST_CASE_METHOD(WaitingFixture,
                 "a fill that waits for an upstream which is asked too often keeps nobody else waiting") {
  const Digest limited = upstream->add_blob("a/b", pattern(100'000)),
               other = upstream->add_blob("a/b", pattern(60'000));
  Error too_often{ErrorCode::rate_limited, Blame::upstream, "429", true};
  too_often.retry_after = 60s;
  upstream->fail_calls("get_blob a/b " + limited.to_string() + " 40000", too_often, 0);
  upstream->fail_calls("get_blob a/b " + limited.to_string() + " 80000", too_often, 0);
  const auto first = narrow.fetch({upstream, "a/b", limited});
  CHECK(read(narrow.fetch({upstream, "a/b", other})).value() == pattern(60'000));
  CHECK(narrow.find(limited) == first);
  CHECK(narrow.stop(30s));
}

TEST_CASE_METHOD(WaitingFixture, "a fill that has waited for its upstream has its place again") {
  const Digest broken = upstream->add_blob("a/b", pattern(100'000)), other = upstream->add_blob("a/b", pattern(60'000));
  upstream->fail_calls("get_blob a/b " + broken.to_string() + " 40000", broken_connection);
  upstream->hold("get_blob a/b " + broken.to_string() + " 80000");
  const auto first = narrow.fetch({upstream, "a/b", broken, FillLimits{.connections = 1}});
  REQUIRE(upstream->wait_for_held());
  const auto second = narrow.fetch({upstream, "a/b", other});
  CHECK(late(second).retry_after);
  CHECK(narrow.stats().waiting == 1);
  upstream->release();
  CHECK(read(first).value() == pattern(100'000));
  CHECK(read(second).value() == pattern(60'000));
}

TEST_CASE_METHOD(WaitingFixture, "a fill is not paused under those who wait for its size") {
  const std::string content = pattern(300'000);
  const Digest wanted = upstream->add_blob("a/b", content), unwanted = upstream->add_blob("a/b", pattern(310'000));
  hide_all_sizes();
  upstream->hold_blobs_at(200'000);
  PoolHold hold(*this);
  const auto fill = pausing.fetch({upstream, "a/b", wanted});
  CHECK_FALSE(fill->wanted());
  auto reader = start(read_all(fill));
  while (!fill->wanted()) std::this_thread::yield();
  hold.let_go();
  REQUIRE(upstream->wait_for_held());
  CHECK(fill->wanted());
  const auto alone = pausing.fetch({upstream, "a/b", unwanted});
  while (pausing.find(unwanted)) std::this_thread::yield();
  CHECK(source(alone).error().code == ErrorCode::cancelled);
  upstream->release();
  CHECK(reader.get().value() == content);
  while (pausing.find(wanted)) std::this_thread::yield();
  CHECK_FALSE(fill->wanted());
  CHECK(stored(wanted));
}
