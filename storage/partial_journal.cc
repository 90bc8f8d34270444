#include "storage/partial_journal.h"

#include <array>
#include <nlohmann/json.hpp>

#include "storage/posix_file_system.h"

namespace paddock {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

constexpr std::uint64_t max_file_size = std::uint64_t{1} << 20U;
constexpr std::string_view written_suffix = ".written";
constexpr std::string_view synced_suffix = ".synced";

Path beside(const Path& partial, std::string_view suffix) {
  Path path = partial;
  path += suffix;
  return path;
}

// Empty unless all of them are within `size`.
std::optional<ExtentMap> parse_extents(const Json& list, std::uint64_t size) {
  if (!list.is_array()) return std::nullopt;
  ExtentMap extents;
  for (const Json& item : list) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_number_unsigned() || !item[1].is_number_unsigned()) {
      return std::nullopt;
    }
    const Extent extent{item[0].get<std::uint64_t>(), item[1].get<std::uint64_t>()};
    if (extent.begin >= extent.end || extent.end > size) return std::nullopt;
    extents.add(extent);
  }
  return extents;
}

}  // namespace

PartialJournal::PartialJournal(FileSystem& fs, const Path& partial, const Digest& digest, std::string boot)
    : fs_(fs),
      written_(beside(partial, written_suffix)),
      synced_(beside(partial, synced_suffix)),
      digest_(digest),
      boot_(std::move(boot)) {}

std::string PartialJournal::encode(const PartialProgress& progress) const {
  Json extents = Json::array();
  for (const auto& [begin, end] : progress.extents.runs()) extents.push_back({begin, end});
  return Json{{"version", 1},
              {"digest", digest_.to_string()},
              {"size", progress.size},
              {"boot", boot_},
              {"extents", std::move(extents)}}
      .dump();
}

Result<void> PartialJournal::note_written(const PartialProgress& progress) {
  const Path temporary = beside(written_, ".tmp");
  const std::string text = encode(progress);
  auto file = fs_.open(temporary, FileSystem::Open::create);
  if (!file) return std::unexpected(std::move(file).error());
  if (auto done = (*file)->write_at(0, std::as_bytes(std::span(text))); !done) return done;
  return fs_.rename(temporary, written_);
}

Result<void> PartialJournal::note_synced(const PartialProgress& progress) {
  return write_file_durably(fs_, synced_, encode(progress));
}

std::optional<PartialProgress> PartialJournal::read(const Path& path, bool any_boot) const {
  const auto text = read_file(fs_, path, max_file_size);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("version", Json()) != 1) return std::nullopt;
  if (json.value("digest", Json()) != digest_.to_string()) return std::nullopt;
  if (!any_boot && (boot_.empty() || json.value("boot", Json()) != boot_)) return std::nullopt;
  const Json size = json.value("size", Json());
  if (!size.is_number_unsigned()) return std::nullopt;
  PartialProgress progress{.size = size.get<std::uint64_t>(), .extents = {}};
  auto extents = parse_extents(json.value("extents", Json()), progress.size);
  if (!extents) return std::nullopt;
  progress.extents = *std::move(extents);
  return progress;
}

std::optional<PartialProgress> PartialJournal::read() const {
  auto synced = read(synced_, /*any_boot=*/true);
  auto written = read(written_, /*any_boot=*/false);
  if (!written) return synced;
  if (synced && synced->size == written->size) {
    for (const auto& [begin, end] : synced->extents.runs()) written->extents.add({begin, end});
  }
  return written;
}

Result<void> PartialJournal::erase() {
  Result<void> done;
  for (const Path& path : {written_, synced_}) {
    auto removed = fs_.remove(path);
    if (!removed && removed.error().code != ErrorCode::not_found && done) done = std::move(removed);
  }
  return done;
}

bool PartialJournal::is_journal(std::string_view name) {
  return name.ends_with(written_suffix) || name.ends_with(synced_suffix) || name.ends_with(".tmp");
}

std::string current_boot() {
  PosixFileSystem fs;
  auto file = fs.open("/proc/sys/kernel/random/boot_id", FileSystem::Open::read);
  if (!file) return {};
  std::array<char, 64> text{};
  const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!got) return {};
  const std::string_view id(text.data(), *got);
  return std::string(id.substr(0, id.find('\n')));
}

}  // namespace paddock
