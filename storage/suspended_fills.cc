#include "storage/suspended_fills.h"

#include <algorithm>
#include <set>
#include <spdlog/spdlog.h>
#include <utility>

namespace paddock {
namespace {

// The digest whose partial file has this name.
std::optional<Digest> digest_of(std::string name) {
  const auto dash = name.find('-');
  if (dash == std::string::npos) return std::nullopt;
  name[dash] = ':';
  const auto digest = Digest::parse(name);
  return digest ? std::optional(*digest) : std::nullopt;
}

}  // namespace

SuspendedFills::SuspendedFills(FileSystem& fs, DataPaths paths, Space& space, const Clock& clock, std::string boot)
    : fs_(fs), paths_(std::move(paths)), space_(space), clock_(clock), boot_(std::move(boot)) {}

std::unique_ptr<PartialJournal> SuspendedFills::journal(const Digest& digest) const {
  return std::make_unique<PartialJournal>(fs_, paths_.partial(digest), digest, boot_);
}

std::optional<PartialProgress> SuspendedFills::find(const std::string& name) const {
  const auto digest = digest_of(name);
  if (!digest) return std::nullopt;
  // Killed, or without power, in the middle of publishing.
  if (fs_.open(paths_.blob(*digest), FileSystem::Open::read)) return std::nullopt;
  auto progress = journal(*digest)->read();
  if (!progress || progress->extents.runs().empty()) return std::nullopt;
  const auto file = fs_.open(paths_.partial(*digest), FileSystem::Open::read);
  if (!file) return std::nullopt;
  const auto length = (*file)->size();
  if (!length || *length < progress->extents.runs().rbegin()->second) return std::nullopt;
  return progress;
}

Result<std::uint64_t> SuspendedFills::load() {
  const auto files = fs_.list(paths_.partial());
  if (!files && files.error().code == ErrorCode::not_found) return 0;
  if (!files) return std::unexpected(files.error());
  std::set<std::string> kept;
  for (const auto& file : *files) {
    if (file.is_directory || file.is_unknown || PartialJournal::is_journal(file.name)) continue;
    auto progress = find(file.name);
    if (!progress) continue;
    kept.insert(file.name);
    keep(*digest_of(file.name), *std::move(progress));
  }
  std::uint64_t removed = 0;
  for (const auto& file : *files) {
    const bool temporary = file.name.ends_with(".tmp");
    if (file.is_directory || file.is_unknown || (!temporary && kept.contains(file.name.substr(0, file.name.find('.')))))
      continue;
    if (auto gone = fs_.remove(paths_.partial() / file.name); !gone) return std::unexpected(std::move(gone).error());
    ++removed;
  }
  return removed;
}

std::optional<PartialProgress> SuspendedFills::take(const Digest& digest) {
  std::optional<PartialProgress> progress;
  {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(digest);
    if (found == entries_.end()) return std::nullopt;
    progress = std::move(found->second.progress);
    entries_.erase(found);
  }
  space_.remove_stored(progress->extents.total());
  return progress;
}

void SuspendedFills::keep(const Digest& digest, PartialProgress progress) {
  space_.add_stored(progress.extents.total());
  const MutexLock lock(mutex_);
  entries_.insert_or_assign(digest, Entry{std::move(progress), clock_.now()});
}

std::filesystem::path SuspendedFills::aside(const Digest& digest) const {
  auto path = paths_.partial(digest);
  path += ".tmp";
  return path;
}

void SuspendedFills::set_aside(const Digest& digest) {
  if (const auto erased = journal(digest)->erase(); !erased) {
    spdlog::warn("a suspended fill's journal stays: {}", erased.error().context);
  }
  if (!fs_.rename(paths_.partial(digest), aside(digest))) remove(paths_.partial(digest));
}

void SuspendedFills::remove(const std::filesystem::path& path) {
  const auto removed = fs_.remove(path);
  if (removed || removed.error().code == ErrorCode::not_found) return;
  spdlog::warn("a suspended fill's file stays until the next start: {}", removed.error().context);
}

std::vector<Digest> SuspendedFills::whole() const {
  std::vector<Digest> digests;
  const MutexLock lock(mutex_);
  for (const auto& [digest, entry] : entries_) {
    if (entry.progress.extents.covers({0, entry.progress.size})) digests.push_back(digest);
  }
  return digests;
}

std::uint64_t SuspendedFills::drop(std::uint64_t bytes) {
  std::vector<std::pair<SteadyTime, Digest>> order;
  {
    const MutexLock lock(mutex_);
    for (const auto& [digest, entry] : entries_) order.emplace_back(entry.since, digest);
  }
  std::ranges::sort(order);
  std::uint64_t freed = 0;
  for (const auto& [since, digest] : order) {
    if (freed >= bytes) break;
    std::uint64_t size = 0;
    {
      // The names go under the lock: whoever takes the digest to fill it anew comes before or after.
      const MutexLock lock(mutex_);
      const auto found = entries_.find(digest);
      if (found == entries_.end()) continue;
      size = found->second.progress.extents.total();
      entries_.erase(found);
      set_aside(digest);
    }
    remove(aside(digest));  // gigabytes take a while
    space_.remove_stored(size);
    freed += size;
    spdlog::info("dropped the suspended fill of {}: {} bytes", digest.to_string(), size);
  }
  return freed;
}

}  // namespace paddock
