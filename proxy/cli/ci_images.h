// The images that CI files name, for subcommands that do something with them.
//
// Blocking; for one thread. See proxy/warm/ci/scan.h.
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/command.h"

namespace paddock {

// Each once, as clients write it with its registry; where it stands, and what cannot be known of the files, is said on
// stderr.
std::vector<std::string> images_in_ci_files(const std::vector<std::string>& paths, Console& console);

}  // namespace paddock
