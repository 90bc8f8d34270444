// Whether a failed request is worth another try, and when; decided without I/O.
//
// Exponential backoff with full jitter: a herd of caches must not knock at a recovering registry in step. A Retry-After
// is obeyed where there is time for it. Pure; thread-safe. RFC 9110, 10.2.3.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "storage/clock.h"
#include "storage/error.h"

namespace paddock {

struct RetryPolicy {
  std::size_t attempts = 3;  // in all
  std::chrono::milliseconds base{250};
  std::chrono::milliseconds cap{5'000};
};

// 408, 429 and 5xx except those that say "never" (501, 505).
bool is_retryable_status(int status);

struct FailedAttempt {
  std::size_t number = 1;  // the first is 1
  bool retryable = false;  // see is_retryable_status; errors say it of themselves
  std::optional<std::chrono::seconds> retry_after{};
  std::chrono::milliseconds time_left{};  // until the whole request's deadline
};

// How long to wait before the next try; nothing means give up. `random` is in [0, 1).
std::optional<std::chrono::milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& failed,
                                                     double random);

// For `random` above, of a generator of this thread's.
double jitter();

// Seconds or an HTTP date in any of its three forms; nothing when malformed. A date that has passed is 0 s.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now);

}  // namespace paddock
