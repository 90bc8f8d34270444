#include "proxy/warm/pin_plan.h"

#include <algorithm>

namespace paddock {
namespace {

bool is_over(const PinRecord& pin, WallTime now) { return pin.until && *pin.until <= now; }

bool lasts_longer(const PinRecord& pin, const PinRecord& than) {
  return than.until && (!pin.until || *pin.until > *than.until);
}

}  // namespace

std::vector<PinRecord> joined_pins(const std::vector<PinRecord>& known, std::vector<PinRecord> wanted,
                                   const std::string& rule, WallTime now) {
  for (auto& pin : wanted) {
    pin.rule = rule;
    const auto other = std::ranges::find_if(known, [&](const PinRecord& known_pin) {
      return known_pin.repository == pin.repository && known_pin.reference == pin.reference;
    });
    if (other == known.end() || is_over(*other, now)) continue;
    if (lasts_longer(*other, pin)) pin.until = other->until;
    if (other->rule != rule) pin.rule.clear();
  }
  return wanted;
}

std::vector<PinRecord> displaced_pins(const std::vector<PinRecord>& known, const std::string& rule,
                                      const std::set<PinName>& meant) {
  std::vector<PinRecord> displaced;
  std::ranges::copy_if(known, std::back_inserter(displaced), [&](const PinRecord& pin) {
    if (pin.rule != rule || meant.contains({pin.repository, pin.reference})) return false;
    const auto first = meant.lower_bound({pin.repository, ""});
    return first != meant.end() && first->first == pin.repository;
  });
  return displaced;
}

}  // namespace paddock
