#include "storage/eviction.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <vector>

namespace paddock {

struct Evictor::Candidate {
  WallTime last_used{};
  std::uint64_t size = 0;
  Digest digest;
  friend bool operator>(const Candidate& a, const Candidate& b) {
    return std::tie(a.last_used, a.digest) > std::tie(b.last_used, b.digest);
  }
};

namespace {

constexpr unsigned max_failures = 16;  // in a row; then the disk is at fault, and trying on does not help

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

}  // namespace

Result<std::unordered_set<Digest>> pinned_digests(Catalog& catalog, WallTime now, std::span<const PinRecord> without) {
  const auto pins = catalog.pins();
  if (!pins) return std::unexpected(pins.error());
  std::unordered_set<Digest> reached;
  std::vector<Digest> open;
  const auto reach = [&](const Digest& digest) {
    if (reached.insert(digest).second) open.push_back(digest);
  };
  for (const auto& pin : *pins) {
    const bool counts = !pin.until || *pin.until > now;
    if (counts && std::ranges::find(without, pin) == without.end()) reach(pin.manifest);
  }
  while (!open.empty()) {
    const Digest digest = open.back();
    open.pop_back();
    const auto manifest = catalog.manifest(digest);
    if (!manifest) return std::unexpected(manifest.error());
    if (!*manifest) continue;
    for (const Digest& child : (*manifest)->children) reach(child);
  }
  return reached;
}

Result<std::vector<Evictor::Candidate>> Evictor::candidates(const std::unordered_set<Digest>& kept) {
  std::vector<Candidate> out;
  auto read = catalog_.for_each_blob([&](const Digest& digest, const BlobRecord& record) {
    if (!kept.contains(digest)) out.push_back({record.last_used, record.size, digest});
    return true;
  });
  if (!read) return std::unexpected(std::move(read).error());
  return out;
}

bool Evictor::removable(const Digest& digest) {
  if (last_use_.pending(digest)) return false;
  if (options_.in_use && options_.in_use(digest)) return false;
  const auto manifest = catalog_.manifest(digest);
  return manifest && !*manifest;
}

std::uint64_t Evictor::evict(std::uint64_t bytes) {
  const MutexLock lock(running_);
  if (const auto flushed = last_use_.flush(); !flushed) {
    spdlog::warn("eviction: last uses not written: {}", flushed.error().context);
  }
  const auto kept = pinned_digests(catalog_, clock_.wall());
  auto heap = kept ? candidates(*kept) : std::unexpected(kept.error());
  if (!heap) {
    spdlog::error("eviction: nothing removed, the catalog cannot be read: {}", heap.error().context);
    return 0;
  }
  std::ranges::make_heap(*heap, std::greater<>());
  const std::uint64_t target = saturating_add(bytes, options_.slack);
  std::uint64_t freed = 0;
  std::uint64_t blobs = 0;
  unsigned failures = 0;
  while (freed < target && !heap->empty() && failures < max_failures) {
    std::ranges::pop_heap(*heap, std::greater<>());
    const Digest digest = heap->back().digest;
    heap->pop_back();
    if (!removable(digest)) continue;
    const auto erased = blobs_.erase(digest);
    if (erased) {
      freed += *erased;
      ++blobs;
      failures = 0;
    } else if (erased.error().code != ErrorCode::not_found) {
      ++failures;
      spdlog::warn("eviction: {}: {}", digest.to_string(), erased.error().context);
    }
  }
  evicted_blobs_ += blobs;
  evicted_bytes_ += freed;
  spdlog::log(freed < bytes ? spdlog::level::warn : spdlog::level::info,
              "eviction: {} bytes asked for, {} freed in {} blobs, {} kept by pins", bytes, freed, blobs, kept->size());
  return freed;
}

}  // namespace paddock
