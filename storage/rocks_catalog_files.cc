#include "storage/rocks_catalog_files.h"

#include <array>
#include <exception>
#include <fstream>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "storage/posix_file_system.h"
#include "storage/rocks_catalog.h"

namespace paddock {
namespace catalog_files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".sum";
constexpr std::uint64_t room = 32U << 20U;  // bytes that opening needs: a table, a log, a manifest
constexpr std::uintmax_t too_many_openings = 3;

Result<std::string> sum_of(const fs::path& table) {
  PosixFileSystem disk;
  const auto file = disk.open(table, FileSystem::Open::read);
  if (!file) return std::unexpected(file.error());
  Hasher hasher(Digest::Algorithm::sha256);
  std::array<std::byte, 64U << 10U> buffer{};
  for (std::uint64_t offset = 0;;) {
    const auto got = (*file)->read_at(offset, buffer);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return hasher.finish().to_string();
    hasher.update(std::span(buffer).first(*got));
    offset += *got;
  }
}

Result<void> check_seal(const fs::path& seal_path) {
  const fs::path table = seal_path.parent_path() / seal_path.stem();
  PosixFileSystem disk;
  const auto actual = sum_of(table);
  if (!actual && actual.error().code == ErrorCode::not_found) return {};
  if (!actual) return std::unexpected(actual.error());
  const auto expected = read_file(disk, seal_path, 1024);
  if (expected && *expected == *actual) return {};
  return fail(ErrorCode::corrupt, Blame::us, "the catalog's table " + table.string() + " is damaged");
}

// Halves of seals, and seals whose tables are gone.
void remove_leftovers(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const fs::path& path = it->path();
    std::error_code ignored;
    const bool orphan = path.extension() == suffix && !fs::exists(folder / path.stem(), ignored) && !ignored;
    if (orphan || path.extension() == ".tmp") fs::remove(path, ignored);
  }
}

}  // namespace

void seal(const fs::path& table) {
  PosixFileSystem disk;
  const auto sum = sum_of(table);
  const auto done = sum ? write_file_durably(disk, table.string() + std::string(suffix), *sum)
                        : Result<void>(std::unexpected(sum.error()));
  if (!done) spdlog::warn("a table of the catalog stays without a seal: {}", done.error().context);
}

void unseal(const fs::path& table) {
  std::error_code ignored;
  fs::remove(table.string() + std::string(suffix), ignored);
}

Result<void> check_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fail(ErrorCode::denied, Blame::us, "the catalog's folder " + folder.string() + " cannot be written");
  }
  remove_leftovers(folder);
  return check_tables(folder);
}

Result<void> check_tables(const fs::path& folder) {
  PosixFileSystem disk;
  const auto entries = disk.list(folder);
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    const fs::path path = folder / entry.name;
    if (path.extension() != suffix) continue;
    if (auto good = check_seal(path); !good) return good;
  }
  return {};
}

Result<void> check_writes(const fs::path& folder) {
  PosixFileSystem disk;
  const auto space = disk.space(folder);
  if (!space) return std::unexpected(space.error());
  if (space->available < room) {
    return fail(ErrorCode::no_space, Blame::us, "the catalog waits for room on the disk", true);
  }
  const fs::path probe = folder / "PROBE";
  Result<void> done = write_file_durably(disk, probe, std::string(4096, '\0'));
  if (done) done = disk.remove(probe);
  if (!done) return std::unexpected(std::move(done).error().with("the catalog waits for a disk that takes writes"));
  return {};
}

bool says_locked(std::string_view status) {
  return status.find("lock hold by current process") != status.npos || status.find("While lock file") != status.npos;
}

OpeningMark::OpeningMark(const fs::path& folder) : path_(folder / "OPENING") {}

Result<void> OpeningMark::put() {
  if (there_) return {};
  std::error_code error;
  const auto openings = fs::file_size(path_, error);
  if (!error && openings >= too_many_openings) {
    return fail(ErrorCode::corrupt, Blame::us,
                "the process ended " + std::to_string(openings) + " times in a row while it opened the catalog " +
                    path_.parent_path().string());
  }
  std::ofstream(path_, std::ios::app).put('\n');
  there_ = true;
  return {};
}

void OpeningMark::take_away() {
  std::error_code error;
  fs::remove(path_, error);
  there_ = static_cast<bool>(error);
}

}  // namespace catalog_files

Result<void> RocksCatalog::set_aside(const std::filesystem::path& folder, WallTime now) try {
  namespace fs = std::filesystem;
  if (!fs::exists(folder)) return {};
  const std::string stem = folder.filename().string() + ".broken-";
  for (const auto& entry : fs::directory_iterator(folder.parent_path())) {
    if (entry.path().filename().string().starts_with(stem)) fs::remove_all(entry.path());
  }
  fs::rename(folder, folder.parent_path() / (stem + std::to_string(now.time_since_epoch().count())));
  return {};
} catch (const std::exception& e) {
  return fail(ErrorCode::io, Blame::us, std::string("cannot set the broken catalog aside: ") + e.what());
}

}  // namespace paddock
