#include "proxy/fill/fill_slots.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>

#include "tests/support/loop_thread.h"

using namespace paddock;
using namespace std::chrono_literals;

namespace {

struct SlotFixture {
  LoopThread loop;
  FillSlots slots{2};

  std::future<bool> wait(FillSlots::Slot& slot) {
    auto waiting = loop.spawn(slot.wait());
    loop.settle();
    return waiting;
  }
  // What is posted when a slot goes has been done.
  bool working(std::future<bool>& waiting) {
    for (int i = 0; i < 8; ++i) loop.settle();
    return waiting.wait_for(0s) == std::future_status::ready;
  }
};

}  // namespace

TEST_CASE_METHOD(SlotFixture, "as many as there are slots work, the next one when one of them ends") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  auto three = slots.enter(FillPriority::client);
  CHECK(wait(*one).get());
  CHECK(wait(*two).get());
  auto third = wait(*three);
  CHECK_FALSE(working(third));
  CHECK(slots.waiting() == 1);
  one.reset();
  CHECK(third.get());
  CHECK(slots.waiting() == 0);
}

TEST_CASE_METHOD(SlotFixture, "who a client waits for comes before those in the background, and else the first") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto warm = slots.enter(FillPriority::background), client = slots.enter(FillPriority::client);
  auto later = slots.enter(FillPriority::client);
  auto for_warm = wait(*warm), for_client = wait(*client), for_later = wait(*later);
  one.reset();
  CHECK(for_client.get());
  CHECK_FALSE(working(for_warm));
  CHECK_FALSE(working(for_later));
  two.reset();
  CHECK(for_later.get());
  client.reset();
  CHECK(for_warm.get());
}

TEST_CASE_METHOD(SlotFixture, "what is in the background is raised when a client comes to it") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto first = slots.enter(FillPriority::background), second = slots.enter(FillPriority::background);
  auto for_first = wait(*first), for_second = wait(*second);
  second->raise();
  second->raise();
  one->raise();  // at work: nothing to raise
  one.reset();
  CHECK(for_second.get());
  CHECK_FALSE(working(for_first));
  two.reset();
  CHECK(for_first.get());
}

TEST_CASE_METHOD(SlotFixture, "who leaves the line makes way") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto gone = slots.enter(FillPriority::client), next = slots.enter(FillPriority::client);
  auto for_next = wait(*next);
  one.reset();
  CHECK_FALSE(working(for_next));  // it is not its turn
  gone.reset();
  CHECK(for_next.get());
}

TEST_CASE_METHOD(SlotFixture, "when it closes everybody goes home") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto three = slots.enter(FillPriority::client);
  auto third = wait(*three);
  slots.close();
  CHECK_FALSE(third.get());
  auto four = slots.enter(FillPriority::client);
  CHECK_FALSE(wait(*four).get());
}

TEST_CASE_METHOD(SlotFixture, "who lends his place lets the next one work, and takes it back without waiting") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  auto three = slots.enter(FillPriority::client), four = slots.enter(FillPriority::client);
  one->lend();  // not at work yet: there is nothing to lend
  one->take_back();
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto third = wait(*three), fourth = wait(*four);
  one->lend();
  one->lend();
  CHECK(third.get());
  CHECK_FALSE(working(fourth));
  one->take_back();
  one->take_back();  // three at work, where two may be
  two.reset();
  CHECK_FALSE(working(fourth));
  three.reset();
  CHECK(fourth.get());
}

TEST_CASE_METHOD(SlotFixture, "a lent place is not given away a second time when it goes") {
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client);
  REQUIRE(wait(*one).get());
  REQUIRE(wait(*two).get());
  auto three = slots.enter(FillPriority::client), four = slots.enter(FillPriority::client);
  auto third = wait(*three), fourth = wait(*four);
  one->lend();
  CHECK(third.get());
  one.reset();
  CHECK_FALSE(working(fourth));
  two.reset();
  CHECK(fourth.get());
}

TEST_CASE("a slot may outlive the slots") {
  std::optional<FillSlots> slots(1U);
  const auto slot = slots->enter(FillPriority::client);
  slots.reset();
}

TEST_CASE_METHOD(SlotFixture, "what works in the background keeps no client out, clients keep it out") {
  auto warm = slots.enter(FillPriority::background), second = slots.enter(FillPriority::background);
  REQUIRE(wait(*warm).get());
  REQUIRE(wait(*second).get());
  CHECK_FALSE(warm->gives_way());
  auto one = slots.enter(FillPriority::client), two = slots.enter(FillPriority::client),
       three = slots.enter(FillPriority::client);
  CHECK(wait(*one).get());
  CHECK(warm->gives_way());
  CHECK_FALSE(one->gives_way());
  CHECK(wait(*two).get());
  auto for_three = wait(*three);
  CHECK_FALSE(working(for_three));
  auto third = slots.enter(FillPriority::background);
  auto for_third = wait(*third);
  warm.reset();
  second.reset();
  CHECK_FALSE(working(for_third));
  one.reset();
  CHECK(for_three.get());
  two.reset();
  CHECK(for_third.get());
  CHECK(third->gives_way());
  three.reset();
  CHECK_FALSE(third->gives_way());
}

TEST_CASE_METHOD(SlotFixture, "a client who comes to what is at work in the background counts as one at work") {
  auto warm = slots.enter(FillPriority::background), other = slots.enter(FillPriority::background);
  REQUIRE(wait(*warm).get());
  REQUIRE(wait(*other).get());
  warm->raise();
  CHECK(warm->priority() == FillPriority::client);
  CHECK(other->gives_way());
  warm->lend();
  CHECK_FALSE(other->gives_way());
  warm->take_back();
  CHECK(other->gives_way());
  warm.reset();
  CHECK_FALSE(other->gives_way());
}
