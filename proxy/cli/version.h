// What this build is: version, commit and compiler, fixed when it was compiled.
#pragma once

#include <string>
#include <string_view>

namespace paddock {

std::string_view build_version();
std::string_view build_commit();  // empty when it was not built from a git checkout
std::string build_compiler();     // "clang 19.1.7"

}  // namespace paddock
