#include "proxy/warm/pin_plan.h"

#include <algorithm>

namespace paddock {
namespace {

bool is_over(const PinRecord& pin, WallTime now) { return pin.until && *pin.until <= now; }

bool lasts_longer(const PinRecord& pin, const PinRecord& than) {
  return than.until && (!pin.until || *pin.until > *than.until);
}

}  // namespace

PinPlan plan_pins(const std::vector<PinRecord>& known, std::vector<PinRecord> wanted, const std::string& rule,
                  const std::set<PinName>& meant, WallTime now) {
  PinPlan plan;
  for (auto& pin : wanted) {
    pin.rule = rule;
    const auto other = std::ranges::find_if(known, [&](const PinRecord& known_pin) {
      return known_pin.repository == pin.repository && known_pin.reference == pin.reference;
    });
    if (other != known.end() && !is_over(*other, now)) {
      if (lasts_longer(*other, pin)) pin.until = other->until;
      if (other->rule != rule) pin.rule.clear();
    }
    plan.put.push_back(std::move(pin));
  }
  if (rule.empty()) return plan;
  std::ranges::copy_if(known, std::back_inserter(plan.erase), [&](const PinRecord& pin) {
    return pin.rule == rule && !meant.contains({pin.repository, pin.reference});
  });
  return plan;
}

}  // namespace paddock
