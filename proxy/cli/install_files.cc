#include "proxy/cli/install_files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "proxy/host/host_files.h"
#include "storage/file_descriptor.h"

namespace paddock {
namespace {

std::unexpected<Error> refuse(const std::filesystem::path& file, int error) {
  const auto code = error == EACCES || error == EPERM ? ErrorCode::denied : ErrorCode::io;
  return fail(code, Blame::us, file.string() + ": " + std::strerror(error));
}

enum class Found : std::uint8_t { nothing, the_same, other };

Result<Found> look_for(const HostFiles& place, const ClientFile& file) {
  const auto content = place.read(file.path);
  if (!content && content.error().code == ErrorCode::not_found) return Found::nothing;
  if (!content) return std::unexpected(content.error());
  return *content == file.content ? Found::the_same : Found::other;
}

// Complete under its name or not at all.
Result<void> write(const std::filesystem::path& path, const ClientFile& file) {
  const auto part = path.string() + ".paddock-new";
  const FileDescriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, file.mode));
  if (out.get() < 0) return refuse(part, errno);
  std::string_view rest = file.content;
  while (!rest.empty()) {
    const auto done = ::write(out.get(), rest.data(), rest.size());
    if (done < 0 && errno != EINTR) return refuse(part, errno);
    if (done > 0) rest.remove_prefix(static_cast<std::size_t>(done));
  }
  if (::fchmod(out.get(), file.mode) != 0 || ::fsync(out.get()) != 0) return refuse(part, errno);
  if (::rename(part.c_str(), path.c_str()) != 0) return refuse(path, errno);
  return {};
}

}  // namespace

Result<Installed> install_files(const std::vector<ClientFile>& files, const std::filesystem::path& root) {
  const HostFiles place(root);
  std::vector<const ClientFile*> wanted;
  Installed installed;
  for (const auto& file : files) {
    const auto found = look_for(place, file);
    if (!found) return std::unexpected(found.error());
    if (*found == Found::nothing) wanted.push_back(&file);
    if (*found != Found::other) continue;
    if (file.merge.empty()) {
      return fail(
          ErrorCode::conflict, Blame::client,
          place.at(file.path).string() + " is there already with other content, nothing was written: move it away");
    }
    installed.to_merge.push_back(&file);
  }
  for (const auto* file : wanted) {
    const auto path = place.at(file->path);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return refuse(path.parent_path(), error.value());
    if (auto done = write(path, *file); !done) return std::unexpected(std::move(done).error());
    installed.written.push_back(path);
  }
  return installed;
}

}  // namespace paddock
