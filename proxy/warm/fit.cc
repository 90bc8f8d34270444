#include "proxy/warm/fit.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#include "proxy/oci/printable.h"
#include "storage/eviction.h"

namespace paddock {
namespace {

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }
std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

}  // namespace

WarmFit decide_fit(const Space::Usage& usage, std::uint64_t kept, std::uint64_t missing) {
  WarmFit fit{.missing = missing};
  const std::uint64_t evictable = minus(usage.stored, kept);
  const std::uint64_t share = usage.max_size == 0 ? UINT64_MAX : minus(minus(usage.max_size, kept), usage.reserved);
  const std::uint64_t coming = minus(usage.reserved, usage.written);
  const std::uint64_t disk = minus(minus(plus(usage.disk_available, evictable), usage.min_free), coming);
  fit.room = std::min(share, disk);
  fit.fits = missing <= fit.room;
  if (fit.fits) return fit;
  const bool ours = share <= disk;
  fit.remedy = fmt::format(
      "{} are missing and there is room for {}, with all evicted that may be ({} are pinned or part of it): {}, unpin "
      "images, or warm fewer",
      human_bytes(missing), human_bytes(fit.room), human_bytes(kept),
      ours ? "raise storage.max_size" : "free the disk or lower storage.min_free");
  return fit;
}

Result<WarmFit> assess_fit(Catalog& catalog, const Space::Usage& usage, const std::vector<PlannedBlob>& blobs,
                           const std::function<bool(const Digest&)>& promised, WallTime now,
                           std::span<const PinRecord> without) {
  auto keep = pinned_digests(catalog, now, without);
  if (!keep) return std::unexpected(std::move(keep).error());
  std::uint64_t missing = 0;
  for (const auto& blob : blobs) {
    if (!blob.stored && !promised(blob.digest)) missing = plus(missing, blob.size);
    keep->insert(blob.digest);
  }
  std::uint64_t kept = 0;
  auto read = catalog.for_each_blob([&](const Digest& digest, const BlobRecord& record) {
    if (keep->contains(digest)) kept = plus(kept, record.size);
    return true;
  });
  if (!read) return std::unexpected(std::move(read).error());
  return decide_fit(usage, kept, missing);
}

}  // namespace paddock
