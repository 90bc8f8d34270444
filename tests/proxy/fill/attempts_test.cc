#include "proxy/fill/attempts.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const Error away{ErrorCode::unavailable, Blame::upstream, "away"};
const Error limited{ErrorCode::rate_limited, Blame::upstream, "slow down"};

Attempts attempts() {
  return Attempts({.retry = {.attempts = 3, .base = 100ms, .cap = 1s}, .limited = 5, .patience = 60s});
}

}  // namespace

TEST_CASE("the waits grow, and then it is given up") {
  auto row = attempts();
  CHECK(row.failed(away, false, 0.5) == 50ms);
  CHECK(row.failed(away, false, 0.5) == 100ms);
  CHECK_FALSE(row.failed(away, false, 0.5));
}

TEST_CASE("one that brings something begins a new row") {
  auto row = attempts();
  CHECK(row.failed(away, false, 0.5));
  CHECK(row.failed(away, false, 0.5));
  row.succeeded();
  CHECK(row.failed(away, false, 0.5) == 50ms);
}

TEST_CASE("an upstream that is asked too often is waited for longer, as long as it says") {
  auto row = attempts();
  for (int i = 0; i < 4; ++i) CHECK(row.failed(limited, false, 0));
  CHECK_FALSE(row.failed(limited, false, 0));
  Error later = limited;
  later.retry_after = 30s;
  CHECK(attempts().failed(later, false, 0) == 30s);
  later.retry_after = 90s;
  CHECK_FALSE(attempts().failed(later, false, 0));
}

TEST_CASE("only when every attempt of the row ended in good order there is no more to be had") {
  auto row = attempts();
  CHECK_FALSE(row.all_ended());
  CHECK(row.failed(away, true, 0));
  CHECK(row.all_ended());
  CHECK(row.failed(away, false, 0));
  CHECK_FALSE(row.failed(away, true, 0));
  CHECK_FALSE(row.all_ended());
  row.succeeded();
  CHECK_FALSE(row.all_ended());
  for (int i = 0; i < 3; ++i) (void)row.failed(away, true, 0);
  CHECK(row.all_ended());
}
