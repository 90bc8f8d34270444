#include "proxy/cli/version.h"

namespace paddock {

std::string_view build_version() { return PADDOCK_VERSION; }

std::string_view build_commit() { return PADDOCK_COMMIT; }

std::string build_compiler() {
#if defined(__clang__)
  std::string text = "clang " __clang_version__;
#else
  std::string text = "gcc " __VERSION__;
#endif
  const auto end = text.find(" (");  // clang puts its source repository there
  text.resize(end == std::string::npos ? text.size() : end);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace paddock
