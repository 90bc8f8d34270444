#include "storage/manifest_store.h"

#include <chrono>

namespace paddock {
namespace {

std::chrono::sys_days day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

}  // namespace

Result<void> ManifestStore::put(const RepositoryKey& repository, const Digest& digest, const ManifestRecord& record) {
  const auto held = catalog_.holds(repository, digest);
  if (!held) return std::unexpected(held.error());
  if (*held) return {};
  if (auto stored = blobs_.put(digest, record.content); !stored) return stored;
  if (auto written = records_.put(ManifestFact{repository, digest, record.media_type, record.children}); !written)
    return written;
  return catalog_.put_manifest(repository, digest, record);
}

Result<void> ManifestStore::put_tag(const RepositoryKey& repository, const std::string& tag, const Digest& digest,
                                    WallTime now) {
  const auto known = catalog_.tag(repository, tag);
  if (!known) return std::unexpected(known.error());
  if (*known && (*known)->digest == digest) {
    const WallTime changed = (*known)->changed;
    // So that with the catalog lost the tag does not look unconfirmed since it last moved. Without it the confirmation
    // does not count: the next one tries again.
    if (day_of((*known)->validated) != day_of(now)) {
      if (auto written = records_.put(TagFact{repository, tag, digest, changed, now}); !written) return written;
    }
    return catalog_.put_tag(repository, tag, {digest, changed, now});
  }
  if (auto written = records_.put(TagFact{repository, tag, digest, now, now}); !written) return written;
  return catalog_.put_tag(repository, tag, {digest, now, now});
}

Result<void> ManifestStore::erase_tag(const RepositoryKey& repository, const std::string& tag) {
  if (auto erased = records_.erase(TagFact{repository, tag, Digest::of("")}); !erased) return erased;
  return catalog_.erase_tag(repository, tag);
}

Result<void> ManifestStore::put_pin(const PinRecord& pin) {
  const MutexLock lock(pins_);
  return put_locked(pin);
}

Result<void> ManifestStore::erase_pin(const RepositoryKey& repository, const std::string& reference) {
  const MutexLock lock(pins_);
  return erase_locked(repository, reference);
}

Result<void> ManifestStore::change_pins(const std::function<PinChanges(const std::vector<PinRecord>& known)>& decide) {
  const MutexLock lock(pins_);
  const auto known = catalog_.pins();
  if (!known) return std::unexpected(known.error());
  const auto changes = decide(*known);
  for (const auto& pin : changes.put) {
    if (auto put = put_locked(pin); !put) return put;
  }
  for (const auto& pin : changes.erase) {
    if (auto erased = erase_locked(pin.repository, pin.reference); !erased) return erased;
  }
  return {};
}

Result<void> ManifestStore::put_locked(const PinRecord& pin) {
  if (auto written = records_.put(PinFact{pin}); !written) return written;
  return catalog_.put_pin(pin);
}

Result<void> ManifestStore::erase_locked(const RepositoryKey& repository, const std::string& reference) {
  if (auto erased = records_.erase(PinFact{{repository, reference, Digest::of(""), {}}}); !erased) return erased;
  return catalog_.erase_pin(repository, reference);
}

}  // namespace paddock
