// The rules of a configuration, ready to be used: patterns, filters and schedules are read, and said to be wrong with
// their place. Pure; thread-safe. Errors: invalid_argument, "warm[0].where: ...".
#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "proxy/warm/rules.h"

namespace paddock {

Result<RuleSet> make_rules(const config::Config& config);
// A line for each problem.
std::vector<std::string> rule_problems(const config::Config& config);

}  // namespace paddock
