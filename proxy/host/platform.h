// Platforms as images name them: "linux/amd64", "linux/arm64/v8".
//
// Thread-safe; pure, but for this_platform(), which asks the system.
#pragma once

#include <string>
#include <string_view>

namespace paddock {

// Of this machine.
std::string this_platform();
// Without a variant where that is empty.
std::string platform_name(std::string_view os, std::string_view architecture, std::string_view variant);
// Whether both are one platform. A variant that either leaves out is any; an empty name is none.
bool is_same_platform(std::string_view one, std::string_view other);

}  // namespace paddock
