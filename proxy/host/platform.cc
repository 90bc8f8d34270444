#include "proxy/host/platform.h"

#include <sys/utsname.h>

namespace paddock {

std::string this_platform() {
  utsname names{};
  ::uname(&names);
  const std::string machine = names.machine;
  if (machine == "x86_64") return "linux/amd64";
  if (machine == "aarch64") return "linux/arm64";
  return "linux/" + machine;
}

std::string platform_name(std::string_view os, std::string_view architecture, std::string_view variant) {
  auto name = std::string(os) + "/" + std::string(architecture);
  if (!variant.empty()) name.append("/").append(variant);
  return name;
}

bool is_same_platform(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) return false;
  if (one.size() > other.size()) return is_same_platform(other, one);
  if (one == other) return true;
  const bool whole = one.contains('/') && one.find('/') == one.rfind('/');
  return whole && other.starts_with(one) && other[one.size()] == '/';
}

}  // namespace paddock
