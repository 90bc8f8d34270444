#include "proxy/upstream/retry.h"

#include <catch2/catch.hpp>
#include <set>

namespace paddock {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RetryPolicy policy{.attempts = 4, .base = milliseconds(100), .cap = milliseconds(300)};

FailedAttempt failed(std::size_t number, milliseconds left = seconds(60)) {
  return {.number = number, .retryable = true, .retry_after = std::nullopt, .time_left = left};
}

TEST_CASE("passing failures are worth another try, refusals are not") {
  for (const int status : {408, 429, 500, 502, 503, 504, 520, 599}) CHECK(is_retryable_status(status));
  for (const int status : {200, 206, 301, 400, 401, 403, 404, 405, 416, 501, 505, 600}) {
    CAPTURE(status);
    CHECK_FALSE(is_retryable_status(status));
  }
}

TEST_CASE("the wait doubles up to its ceiling, with full jitter") {
  CHECK(retry_delay(policy, failed(1), 0.0) == milliseconds(0));
  CHECK(retry_delay(policy, failed(1), 0.5) == milliseconds(50));
  CHECK(retry_delay(policy, failed(1), 0.999) == milliseconds(99));
  CHECK(retry_delay(policy, failed(2), 0.5) == milliseconds(100));
  CHECK(retry_delay(policy, failed(3), 0.5) == milliseconds(150));
  RetryPolicy patient = policy;
  patient.attempts = 1000;
  CHECK(retry_delay(patient, failed(999), 0.5) == milliseconds(150));
}

TEST_CASE("it is given up after the last attempt, without hope, and without time") {
  CHECK_FALSE(retry_delay(policy, failed(4), 0.5));
  CHECK_FALSE(retry_delay(policy, failed(5), 0.5));
  auto hopeless = failed(1);
  hopeless.retryable = false;
  CHECK_FALSE(retry_delay(policy, hopeless, 0.0));
  CHECK_FALSE(retry_delay(policy, failed(1, milliseconds(50)), 0.5));
  CHECK(retry_delay(policy, failed(1, milliseconds(51)), 0.5));
  CHECK_FALSE(retry_delay(policy, failed(1, milliseconds(0)), 0.0));
  CHECK_FALSE(retry_delay(policy, failed(1, milliseconds(-5)), 0.0));
}

TEST_CASE("Retry-After is waited for where there is time, never shortened") {
  auto asked = failed(1, seconds(10));
  asked.retry_after = seconds(3);
  CHECK(retry_delay(policy, asked, 0.5) == milliseconds(3050));
  asked.retry_after = seconds(10);
  CHECK_FALSE(retry_delay(policy, asked, 0.0));
  asked.retry_after = seconds(0);
  CHECK(retry_delay(policy, asked, 0.5) == milliseconds(50));
}

TEST_CASE("Retry-After is read in all its forms") {
  const WallTime now{seconds(784111747)};  // Sun, 06 Nov 1994 08:49:07 GMT
  struct Case {
    const char* value;
    std::optional<int> expected;
  };
  const Case cases[] = {
      {"0", 0},
      {"120", 120},
      {"99999999999999999999", 86400},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 30},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 30},
      {"Sun Nov  6 08:49:37 1994", 30},
      {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
      {"Fri, 31 Dec 2999 23:59:59 GMT", 86400},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"12 s", std::nullopt},
      {"Sun, 32 Nov 1994 08:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1994 25:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1994 08:49 GMT", std::nullopt},
      {"Sun, 06 Foo 1994 08:49:37 GMT", std::nullopt},
      {"Sun, 30 Feb 1994 08:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 99999 08:49:37 GMT", std::nullopt},
  };
  for (const auto& c : cases) {
    CAPTURE(c.value);
    const auto got = parse_retry_after(c.value, now);
    CHECK(got.has_value() == c.expected.has_value());
    if (got && c.expected) CHECK(got->count() == *c.expected);
  }
  CHECK_FALSE(parse_retry_after(std::string(5000, 'x'), now));
}

TEST_CASE("jitter is at least 0 and below 1, and another each time") {
  std::set<double> seen;
  for (int i = 0; i < 100; ++i) {
    const double value = jitter();
    CHECK((value >= 0 && value < 1));
    seen.insert(value);
  }
  CHECK(seen.size() > 90);
}

}  // namespace
}  // namespace paddock
