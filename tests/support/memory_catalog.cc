#include "tests/support/memory_catalog.h"

namespace paddock {
namespace {

std::unexpected<Error> refused_nul() {
  return fail(ErrorCode::invalid_argument, Blame::us, "a name in the catalog cannot hold a NUL");
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }
bool has_nul(const RepositoryKey& key) { return has_nul(key.upstream) || has_nul(key.repository); }

template <typename Map, typename Key>
auto find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void MemoryCatalog::after_next_read(std::function<void()> hook) {
  const MutexLock lock(mutex_);
  hook_ = std::move(hook);
}

// Without the lock, as a hook may come back in.
MemoryCatalog::Afterwards::~Afterwards() {
  std::function<void()> hook;
  {
    const MutexLock lock(catalog.mutex_);
    std::swap(hook, catalog.hook_);
  }
  if (hook) hook();
}

void MemoryCatalog::fail_with(std::optional<Error> error) {
  const MutexLock lock(mutex_);
  error_ = std::move(error);
}

std::size_t MemoryCatalog::touch_calls() const {
  const MutexLock lock(mutex_);
  return touch_calls_;
}

Result<void> MemoryCatalog::put_blob(const Digest& digest, const BlobRecord& record) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  blobs_.insert_or_assign(digest, record);
  return {};
}

Result<std::optional<BlobRecord>> MemoryCatalog::blob(const Digest& digest) {
  const Afterwards afterwards(*this);
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return find(blobs_, digest);
}

Result<void> MemoryCatalog::erase_blob(const Digest& digest) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  blobs_.erase(digest);
  return {};
}

Result<void> MemoryCatalog::touch(std::span<const std::pair<Digest, WallTime>> uses) {
  const MutexLock lock(mutex_);
  ++touch_calls_;
  if (error_) return std::unexpected(*error_);
  for (const auto& [digest, when] : uses) {
    if (const auto found = blobs_.find(digest); found != blobs_.end()) found->second.last_used = when;
  }
  return {};
}

Result<void> MemoryCatalog::for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) {
  std::map<Digest, BlobRecord> copy;
  {
    const MutexLock lock(mutex_);
    if (error_) return std::unexpected(*error_);
    copy = blobs_;
  }
  for (const auto& [digest, record] : copy) {
    if (!visit(digest, record)) break;
  }
  return {};
}

Result<void> MemoryCatalog::put_manifest(const RepositoryKey& repository, const Digest& digest,
                                         const ManifestRecord& record) {
  if (has_nul(repository)) return refused_nul();
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  manifests_.try_emplace(digest, record);
  holders_.emplace(repository, digest);
  links_.emplace(repository, digest);
  if (!proves_children(record.media_type)) return {};
  for (const Digest& child : record.children) links_.emplace(repository, child);
  return {};
}

Result<std::optional<ManifestRecord>> MemoryCatalog::manifest(const Digest& digest) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return find(manifests_, digest);
}

Result<bool> MemoryCatalog::holds(const RepositoryKey& repository, const Digest& manifest) {
  const Afterwards afterwards(*this);
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return holders_.contains({repository, manifest});
}

Result<void> MemoryCatalog::erase_manifest(const Digest& digest) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  manifests_.erase(digest);
  std::erase_if(tags_, [&](const auto& row) { return row.second.digest == digest; });
  std::set<Held> kept;
  for (const auto& held : holders_) {
    if (held.second == digest) {
      links_.erase(held);
    } else {
      kept.insert(held);
    }
  }
  holders_ = std::move(kept);
  return {};
}

Result<void> MemoryCatalog::link(const RepositoryKey& repository, const Digest& digest) {
  if (has_nul(repository)) return refused_nul();
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  links_.emplace(repository, digest);
  return {};
}

Result<bool> MemoryCatalog::linked(const RepositoryKey& repository, const Digest& digest) {
  const Afterwards afterwards(*this);
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return links_.contains({repository, digest});
}

Result<void> MemoryCatalog::put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) {
  if (has_nul(repository) || has_nul(tag)) return refused_nul();
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  tags_.insert_or_assign({repository, tag}, record);
  return {};
}

Result<std::optional<TagRecord>> MemoryCatalog::tag(const RepositoryKey& repository, const std::string& tag) {
  const Afterwards afterwards(*this);
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return find(tags_, Named(repository, tag));
}

Result<void> MemoryCatalog::erase_tag(const RepositoryKey& repository, const std::string& tag) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  tags_.erase({repository, tag});
  return {};
}

Result<void> MemoryCatalog::for_each_tag(
    const std::function<bool(const RepositoryKey&, const std::string&, const TagRecord&)>& visit) {
  std::map<Named, TagRecord> copy;
  {
    const MutexLock lock(mutex_);
    if (error_) return std::unexpected(*error_);
    copy = tags_;
  }
  for (const auto& [name, record] : copy) {
    if (!visit(name.first, name.second, record)) break;
  }
  return {};
}

Result<std::vector<std::string>> MemoryCatalog::tags(const RepositoryKey& repository, std::string_view last,
                                                     std::size_t limit) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  std::vector<std::string> out;
  for (const auto& [name, record] : tags_) {
    if (out.size() == limit) break;
    if (name.first == repository && (last.empty() || name.second > last)) out.push_back(name.second);
  }
  return out;
}

Result<std::vector<RepositoryKey>> MemoryCatalog::repositories(const std::optional<RepositoryKey>& last,
                                                               std::size_t limit) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  std::vector<RepositoryKey> out;
  for (const auto& [repository, digest] : holders_) {
    if (last && repository <= *last) continue;
    if (!out.empty() && out.back() == repository) continue;
    if (out.size() == limit) break;
    out.push_back(repository);
  }
  return out;
}

Result<void> MemoryCatalog::put_pin(const PinRecord& pin) {
  if (has_nul(pin.repository) || has_nul(pin.reference)) return refused_nul();
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  pins_.insert_or_assign({pin.repository, pin.reference}, pin);
  return {};
}

Result<void> MemoryCatalog::erase_pin(const RepositoryKey& repository, const std::string& reference) {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  pins_.erase({repository, reference});
  return {};
}

Result<std::vector<PinRecord>> MemoryCatalog::pins() {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  std::vector<PinRecord> out;
  for (const auto& [name, pin] : pins_) out.push_back(pin);
  return out;
}

Result<void> MemoryCatalog::clear() {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  blobs_.clear();
  manifests_.clear();
  holders_.clear();
  links_.clear();
  tags_.clear();
  pins_.clear();
  return {};
}

Result<void> MemoryCatalog::flush() {
  const MutexLock lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace paddock
