// What must hold between values, and for each value whatever its source. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "config/report.h"
#include "storage/error.h"

namespace paddock::config {

// Adds to the report, which knows where the values came from.
void check(const Config& config, Report& report);
// invalid_argument with a line a problem.
Result<void> validate(const Config& config);

// What may be meant so, but is worth a line at the start.
std::vector<std::string> doubts(const Config& config);

}  // namespace paddock::config
