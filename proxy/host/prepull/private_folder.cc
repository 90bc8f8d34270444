#include "proxy/host/prepull/private_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace paddock {

Result<PrivateFolder> PrivateFolder::make() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/paddock-prepull-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {  // open to its owner only
    return fail(ErrorCode::io, Blame::us, pattern + ": " + std::strerror(errno));
  }
  return PrivateFolder(pattern);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::string> PrivateFolder::write(const std::string& name, std::string_view content) const {
  const auto file = path_ / name;
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  std::ofstream out(file, std::ios::binary);
  out << content << std::flush;
  if (!out) return fail(ErrorCode::io, Blame::us, file.string() + " cannot be written");
  return file.string();
}

}  // namespace paddock
