#include "storage/file_system.h"

#include <atomic>

namespace paddock {
namespace {

// Two writers of one path must not share a temporary file; the last rename wins.
FileSystem::Path temporary_beside(const FileSystem::Path& path) {
  static std::atomic<std::uint64_t> counter = 0;
  FileSystem::Path temporary = path;
  temporary += "." + std::to_string(counter++) + ".tmp";
  return temporary;
}

Result<void> write_and_sync(FileSystem& fs, const FileSystem::Path& path, std::string_view content) {
  auto file = fs.open(path, FileSystem::Open::create);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(content))); !written) return written;
  return (*file)->sync_data();
}

}  // namespace

Result<void> write_file_durably(FileSystem& fs, const FileSystem::Path& path, std::string_view content) {
  const FileSystem::Path temporary = temporary_beside(path);
  Result<void> done = write_and_sync(fs, temporary, content);
  if (done) done = fs.rename(temporary, path);
  if (!done) {
    const auto removed = fs.remove(temporary);
    if (!removed && removed.error().code != ErrorCode::not_found) {
      done.error().context += "; the temporary file stays: " + removed.error().context;
    }
    return done;
  }
  return fs.sync_directory(path.parent_path());
}

Result<std::string> read_file(FileSystem& fs, const FileSystem::Path& path, std::uint64_t limit) {
  auto file = fs.open(path, FileSystem::Open::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > limit) {
    return fail(ErrorCode::too_large, Blame::us, path.string() + " is larger than " + std::to_string(limit) + " bytes");
  }
  std::string content(*size, '\0');
  const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(content)));
  if (!got) return std::unexpected(got.error());
  content.resize(*got);
  return content;
}

}  // namespace paddock
