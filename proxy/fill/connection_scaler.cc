#include "proxy/fill/connection_scaler.h"

#include <algorithm>

namespace paddock {

void ConnectionScaler::sample(double rate) {
  if (rate <= 0) return;  // says nothing about how many are worth it
  if (before_ != 0) {
    const double added = static_cast<double>(target_ - before_) / static_cast<double>(before_);
    const bool paid = rate >= rate_before_ * (1 + options_.worthwhile * added);
    if (!paid) {
      target_ = before_;
      holding_ = next_hold_;
      next_hold_ = std::min(options_.hold, 2 * next_hold_);
    }
    before_ = 0;
    if (!paid) return;
  }
  if (holding_ > 0) {
    --holding_;
    return;
  }
  if (target_ >= options_.limit) return;
  before_ = target_;
  rate_before_ = rate;
  target_ = std::min(options_.limit, target_ * 2);
}

void ConnectionScaler::back_off() {
  target_ = std::max<std::size_t>(1, target_ / 2);
  before_ = 0;
  holding_ = options_.hold;
}

}  // namespace paddock
