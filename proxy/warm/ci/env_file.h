// Reads the `.env` file beside a compose file: NAME=value lines, quotes, comments, values that name earlier ones. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "proxy/warm/ci/reading.h"

namespace paddock::ci {

using Variables = std::map<std::string, Readings, std::less<>>;

Variables read_env_file(std::string_view text);

}  // namespace paddock::ci
