// Fills that nobody waits for any more, where those are to be paused.
#include <catch2/catch.hpp>

#include "tests/proxy/fill/fill_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

// Stands still, and counts how often it was asked: while a fill waits for its upstream, once each time that it looks
// whether it is to be interrupted.
class WatchedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override {
    ++asked_;
    return clock_.now();
  }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  void advance(std::chrono::seconds by) { clock_.advance(by); }
  [[nodiscard]] std::uint64_t asked() const { return asked_; }

 private:
  ManualClock clock_;
  mutable std::atomic<std::uint64_t> asked_{0};
};

constexpr auto grace = 30s;

struct AbandonFixture : FillFixture {
  ~AbandonFixture() { shut_down(); }

  WatchedClock watched;
  FillCoordinator pausing{loops,
                          pool,
                          blobs,
                          {.fetch = {.buffer = 4096, .interval = 1ms, .straggler = no_straggler},
                           .on_abandon = FillCoordinator::OnAbandon::pause,
                           .abandon_grace = grace,
                           .clock = &watched}};
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);

  // A fill that has some bytes and waits for more.
  std::shared_ptr<Fill> begin(FillPriority priority = FillPriority::client) {
    upstream->hold_blobs_at(200'000);
    auto fill = pausing.fetch(order(priority));
    REQUIRE(upstream->wait_for_held());
    while (fill->status().received < 100'000) std::this_thread::yield();
    look();
    return fill;
  }
  FillOrder order(FillPriority priority = FillPriority::client) {
    return {.upstream = upstream, .repository = "a/b", .digest = digest, .priority = priority};
  }
  // Whether it still runs after that time, and some looks at it.
  bool runs_after(std::chrono::seconds time) {
    watched.advance(time);
    look();
    return pausing.find(digest) != nullptr;
  }
  // The fill looks whether it is to be interrupted, until it is.
  void look() {
    const auto before = watched.asked();
    while (watched.asked() < before + 3 && pausing.find(digest)) std::this_thread::yield();
  }
  void check_paused_after(std::chrono::seconds time) {
    watched.advance(time);
    while (pausing.find(digest)) std::this_thread::yield();
    CHECK(pausing.stats().suspended == 1);
    CHECK(pausing.stats().completed == 0);
  }
  void check_ends() {
    upstream->release();
    while (pausing.find(digest)) std::this_thread::yield();
    CHECK(stored(digest));
    CHECK(pausing.stats().suspended == 0);
  }
};

}  // namespace

TEST_CASE_METHOD(AbandonFixture, "a fill for which nobody waits is paused after the grace, and taken up by the next") {
  const auto fill = begin();
  CHECK(runs_after(grace - 1s));
  check_paused_after(1s);
  CHECK(source(fill).error().code == ErrorCode::cancelled);
  upstream->release();
  CHECK(read(pausing.fetch(order())).value() == content);
  CHECK(pausing.stats().resumed == 1);
  CHECK(upstream->count("get_blob a/b " + digest.to_string() + " 0") == 1);
}

TEST_CASE_METHOD(AbandonFixture, "a fill is not paused while somebody reads, and the grace begins when he goes") {
  const auto fill = begin();
  CHECK(runs_after(grace - 1s));
  auto reader = fill->add_reader(0);
  look();
  CHECK(runs_after(1h));
  reader.reset();
  look();
  CHECK(runs_after(grace - 1s));
  check_paused_after(1s);
}

TEST_CASE_METHOD(AbandonFixture, "a fill ordered in the background is not paused") {
  begin(FillPriority::background);
  CHECK(runs_after(1h));
  SECTION("alone") {}
  SECTION("when a client came and went") {
    auto reader = pausing.fetch(order())->add_reader(0);
    look();
    reader.reset();
    look();
    CHECK(runs_after(1h));
  }
  check_ends();
}

TEST_CASE_METHOD(AbandonFixture, "a fill that is also wanted in the background goes on when its client has gone") {
  const auto fill = begin();
  auto reader = fill->add_reader(0);
  CHECK(pausing.fetch(order(FillPriority::background)) == fill);
  reader.reset();
  look();
  CHECK(runs_after(1h));
  check_ends();
}

TEST_CASE_METHOD(AbandonFixture, "without a pause wanted nobody is needed") {
  upstream->hold_blobs_at(200'000);
  fills.fetch(order());
  REQUIRE(upstream->wait_for_held());
  clock.advance(1h);
  upstream->release();
  settle();
  CHECK(stored(digest));
}
