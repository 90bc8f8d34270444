#include "proxy/fill/attempts.h"

namespace paddock {

void Attempts::succeeded() { fruitless_ = limited_ = ended_ = 0; }

std::optional<std::chrono::milliseconds> Attempts::failed(const Error& why, bool ended, double random) {
  const bool limited = why.code == ErrorCode::rate_limited;
  RetryPolicy policy = options_.retry;
  if (limited) policy.attempts = options_.limited;
  const std::size_t number = limited ? ++limited_ : ++fruitless_;
  if (ended) ++ended_;
  return retry_delay(policy, {number, true, why.retry_after, options_.patience}, random);
}

}  // namespace paddock
