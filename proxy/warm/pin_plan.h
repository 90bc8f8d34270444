// plan_pins: what a warm-up's pins change among those there are.
//
// A pin that lasts longer stays as long. One that somebody else has put too, a person or another rule, is from then on
// no rule's own and goes when its time is over. Pins that are the rule's own, of images that it does not mean any more,
// go now: this is how `latest` lets go of old versions. Pure; thread-safe.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog.h"

namespace paddock {

using PinName = std::pair<RepositoryKey, std::string>;  // and what is named in the repository

struct PinPlan {
  std::vector<PinRecord> put;
  std::vector<PinRecord> erase;
};

// `wanted`: pins of the warm-up, all with an end. `meant`: all its images, those too that could not be had this time.
PinPlan plan_pins(const std::vector<PinRecord>& known, std::vector<PinRecord> wanted, const std::string& rule,
                  const std::set<PinName>& meant, WallTime now);

}  // namespace paddock
