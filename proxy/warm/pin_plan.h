// What a warm-up changes about the pins there are. Pure; thread-safe.
//
// A pin that lasts longer stays as long. One that somebody else has put too, a person or another rule, is from then on
// no rule's own and goes when its time is over. A rule's own pins of images that it does not mean any more are
// displaced by those that it does mean: this is how `latest` lets go of old versions.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog.h"

namespace paddock {

using PinName = std::pair<RepositoryKey, std::string>;  // and what is named in the repository

// `wanted`, as they are to be put; each has an end.
std::vector<PinRecord> joined_pins(const std::vector<PinRecord>& known, std::vector<PinRecord> wanted,
                                   const std::string& rule, WallTime now);

// `meant`: all images of the rule, those too that could not be had this time. Of a repository of which it means nothing
// nothing is displaced: its upstream may have listed no tags by mistake.
std::vector<PinRecord> displaced_pins(const std::vector<PinRecord>& known, const std::string& rule,
                                      const std::set<PinName>& meant);

}  // namespace paddock
