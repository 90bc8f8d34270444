#include "proxy/fill/fill_limits.h"

#include <catch2/catch.hpp>

using namespace paddock;

TEST_CASE("a budget gives as many connections as it has, and gets them back") {
  const auto budget = std::make_shared<ConnectionBudget>(2);
  auto one = budget->take(), two = budget->take();
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(budget->take());
  CHECK(budget->used() == 2);
  one.reset();
  CHECK(budget->take());
  CHECK(budget->used() == 1);
}

TEST_CASE("a smaller limit takes nothing away, and gives nothing until it is kept") {
  const auto budget = std::make_shared<ConnectionBudget>(2);
  auto one = budget->take(), two = budget->take();
  budget->set_limit(1);
  CHECK(budget->used() == 2);
  one.reset();
  CHECK_FALSE(budget->take());
  two.reset();
  CHECK(budget->take());
}

TEST_CASE("a connection may outlive its budget") {
  auto budget = std::make_shared<ConnectionBudget>(1);
  const auto one = budget->take();
  budget.reset();
  CHECK(one);
}

TEST_CASE("what nobody waits for leaves half of the connections to clients") {
  const auto budget = std::make_shared<ConnectionBudget>(4);
  auto one = budget->take(FillPriority::background), two = budget->take(FillPriority::background);
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(budget->take(FillPriority::background));
  const auto three = budget->take(), four = budget->take();
  CHECK(three);
  CHECK(four);
  CHECK_FALSE(budget->take());
  one.reset();
  two.reset();
  CHECK_FALSE(budget->take(FillPriority::background));
  CHECK(budget->take());
  CHECK_FALSE(std::make_shared<ConnectionBudget>(1)->take(FillPriority::background));
}
