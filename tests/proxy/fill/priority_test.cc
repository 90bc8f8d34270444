// Fills that nobody waits for give way to those that a client waits for.
#include <catch2/catch.hpp>

#include "tests/proxy/fill/fill_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

struct PriorityFixture : FillFixture {
  ~PriorityFixture() { shut_down(); }

  FillCoordinator& with(std::size_t at_once, FetchOptions fetch) {
    fetch.straggler = no_straggler;
    coordinators.push_back(std::make_unique<FillCoordinator>(
        loops, pool, blobs, FillCoordinator::Options{.fetch = std::move(fetch), .at_once = at_once}));
    return *coordinators.back();
  }
  FillOrder order(const Digest& digest, FillPriority priority) {
    FillOrder order{.upstream = upstream, .repository = "a/b", .digest = digest};
    order.priority = priority;
    return order;
  }
  bool stored_by(const std::shared_ptr<Fill>& fill) { return start(fill->over(soon())).get().value_or(false); }

  std::vector<std::unique_ptr<FillCoordinator>> coordinators;
};

}  // namespace

TEST_CASE_METHOD(PriorityFixture, "a client's fill begins though one in the background has the only slot") {
  const Digest warm = upstream->add_blob("a/b", pattern(200'000)), wanted = upstream->add_blob("a/b", pattern(60'000));
  auto& fills = with(1, {.buffer = 4096});
  upstream->hold_next_transfer_at(10'000);
  const auto background = fills.fetch(order(warm, FillPriority::background));
  REQUIRE(upstream->wait_for_held());
  const auto client = fills.fetch(order(wanted, FillPriority::client));
  CHECK(stored_by(client));
  CHECK_FALSE(stored(warm));
  upstream->release();
  CHECK(stored_by(background));
}

TEST_CASE_METHOD(PriorityFixture, "while a client's fill is at work next to nothing is read in the background") {
  const Digest warm = upstream->add_blob("a/b", pattern(400'000)), wanted = upstream->add_blob("a/b", pattern(60'000));
  auto& fills = with(4, {.buffer = 4096, .interval = 1ms, .trickle = 1000, .courtesy = 1h});
  upstream->hold_next_transfer_at(20'000);
  const auto client = fills.fetch(order(wanted, FillPriority::client));
  REQUIRE(upstream->wait_for_held());
  const auto background = fills.fetch(order(warm, FillPriority::background));
  CHECK_FALSE(start(background->over(std::chrono::steady_clock::now() + 50ms)).get().value());
  CHECK(background->status().received == 0);
  upstream->release();
  CHECK(stored_by(client));
  CHECK(stored_by(background));  // at full speed again
}

TEST_CASE_METHOD(PriorityFixture, "a little is read now and then, so that the upstream does not give up") {
  const Digest warm = upstream->add_blob("a/b", pattern(400'000)), wanted = upstream->add_blob("a/b", pattern(60'000));
  auto& fills = with(4, {.buffer = 4096, .interval = 1ms, .trickle = 1000, .courtesy = 1ms});
  upstream->hold_next_transfer_at(20'000);
  const auto client = fills.fetch(order(wanted, FillPriority::client));
  REQUIRE(upstream->wait_for_held());
  const auto background = fills.fetch(order(warm, FillPriority::background));
  for (const auto until = soon(); background->status().received < 3000 && std::chrono::steady_clock::now() < until;) {
    std::this_thread::yield();
  }
  CHECK(background->status().received >= 3000);
  upstream->release();
  CHECK(stored_by(client));
  CHECK(stored_by(background));
}

TEST_CASE_METHOD(PriorityFixture, "a client who comes to a fill in the background makes it his") {
  const Digest warm = upstream->add_blob("a/b", pattern(400'000)), wanted = upstream->add_blob("a/b", pattern(60'000));
  auto& fills = with(4, {.buffer = 4096, .interval = 1ms, .trickle = 1000, .courtesy = 1h});
  upstream->hold_next_transfer_at(20'000);
  const auto client = fills.fetch(order(wanted, FillPriority::client));
  REQUIRE(upstream->wait_for_held());
  const auto background = fills.fetch(order(warm, FillPriority::background));
  CHECK(fills.fetch(order(warm, FillPriority::client)) == background);
  CHECK(stored_by(background));
  CHECK_FALSE(stored(wanted));
  upstream->release();
  CHECK(stored_by(client));
}

TEST_CASE_METHOD(PriorityFixture, "what is let go in the background is put aside, unless a client came to it") {
  const Digest alone = upstream->add_blob("a/b", pattern(200'000)),
               joined = upstream->add_blob("a/b", pattern(300'000));
  auto& fills = with(4, {.buffer = 4096, .interval = 1ms});
  upstream->hold_blobs_at(100'000);
  const auto one = fills.fetch(order(alone, FillPriority::background));
  const auto two = fills.fetch(order(joined, FillPriority::background));
  REQUIRE(upstream->wait_for_held(2));
  CHECK(fills.fetch(order(joined, FillPriority::client)) == two);
  fills.release(alone);
  fills.release(joined);
  fills.release(Digest::of("unknown"));
  const auto ended = start(one->over(soon())).get();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == ErrorCode::cancelled);
  CHECK(fills.stats().suspended == 1);
  upstream->release();
  CHECK(stored_by(two));
  CHECK(stored_by(fills.fetch(order(alone, FillPriority::background))));
  CHECK(fills.stats().resumed == 1);
}

TEST_CASE_METHOD(PriorityFixture, "who waits for a fill's end hears how it ended, or that it has not") {
  const Digest good = upstream->add_blob("a/b", pattern(50'000)), missing = Digest::of("missing");
  upstream->hold("get_blob");
  const auto fill = fills.fetch(order(good, FillPriority::background));
  REQUIRE(upstream->wait_for_held());
  CHECK_FALSE(start(fill->over(std::chrono::steady_clock::now())).get().value());
  upstream->release();
  CHECK(stored_by(fill));
  CHECK(stored_by(fills.fetch(order(good, FillPriority::background))));  // it was there already
  const auto failed = start(fills.fetch(order(missing, FillPriority::background))->over(soon())).get();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::not_found);
}
