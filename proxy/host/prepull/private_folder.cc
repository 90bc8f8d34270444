#include "proxy/host/prepull/private_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace paddock {
namespace {

constexpr std::string_view prefix = "paddock-prepull-";

// Below zero: it is somebody's, or no folder of ours.
FileDescriptor lock(const std::filesystem::path& folder) {
  FileDescriptor found(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  const bool ours = ::fstat(found.get(), &status) == 0 && status.st_uid == ::geteuid();
  if (!ours || ::flock(found.get(), LOCK_EX | LOCK_NB) != 0) found.close();
  return found;
}

void remove_left(const std::filesystem::path& base) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at(base, failed), end; !failed && at != end; at.increment(failed)) {
    if (!at->path().filename().native().starts_with(prefix)) continue;
    std::error_code ignored;
    if (const auto left = lock(at->path()); left.get() >= 0) std::filesystem::remove_all(at->path(), ignored);
  }
}

}  // namespace

Result<PrivateFolder> PrivateFolder::make() {
  const char* base = std::getenv("TMPDIR");
  const std::string below = base != nullptr && *base == '/' ? base : "/tmp";
  remove_left(below);
  for (int tries = 0; tries < 10; ++tries) {
    auto pattern = below + "/" + std::string(prefix) + "XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {  // open to its owner only
      return fail(ErrorCode::io, Blame::us, pattern + ": " + std::strerror(errno));
    }
    auto held = lock(pattern);
    // Another run may take it for left, until it is locked.
    if (held.get() >= 0 && ::access(pattern.c_str(), F_OK) == 0) return PrivateFolder(pattern, std::move(held));
    std::error_code ignored;
    std::filesystem::remove_all(pattern, ignored);
  }
  return fail(ErrorCode::io, Blame::us, below + ": no folder can be locked there");
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
