#include "proxy/tags/freshness.h"

#include <algorithm>

namespace paddock {

bool is_fresh(WallTime validated, WallTime now, const TagPolicy& policy) {
  return validated <= now && now - validated < policy.ttl;
}

bool is_usable(WallTime validated, WallTime now, const TagPolicy& policy) {
  return age(validated, now) <= policy.stale_if_error;
}

OnError on_revalidation_error(const Error& error, WallTime validated, WallTime now, const TagPolicy& policy) {
  switch (error.code) {
    case ErrorCode::not_found:
      return OnError::forget;
    case ErrorCode::denied:
    case ErrorCode::unauthorized:
      return OnError::pass_on;
    default:
      return is_usable(validated, now, policy) ? OnError::serve_stale : OnError::pass_on;
  }
}

std::chrono::seconds age(WallTime validated, WallTime now) {
  return std::max(std::chrono::seconds(0), std::chrono::seconds(now - validated));
}

}  // namespace paddock
