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

// Keys of the contract that this version reads but does not act on.
struct Unsupported {
  bool fatal = false;  // ignoring it would leave something open, or closed, that the user believes otherwise
  std::string message;
  friend bool operator==(const Unsupported&, const Unsupported&) = default;
};
std::vector<Unsupported> unsupported_settings(const Config& config);

}  // namespace paddock::config
