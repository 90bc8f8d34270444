#include "storage/caching_catalog.h"

#include <utility>

namespace paddock {
namespace {

// No part holds a NUL, see RepositoryKey.
std::string key_of(const RepositoryKey& repository, std::string_view last, std::string_view relation = {}) {
  std::string key;
  key.reserve(repository.upstream.size() + repository.repository.size() + last.size() + relation.size() + 2);
  key.append(repository.upstream).append(1, '\0').append(repository.repository).append(1, '\0');
  key.append(last).append(relation);
  return key;
}

std::string key_of(const RepositoryKey& repository, char relation, const Digest& digest) {
  const auto bytes = digest.bytes();
  return key_of(repository, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, {&relation, 1});
}

}  // namespace

CachingCatalog::CachingCatalog(std::unique_ptr<Catalog> inner, Limits limits)
    : inner_(std::move(inner)), tags_(limits.tags), relations_(limits.links), blobs_(limits.links) {}

std::uint64_t CachingCatalog::writes() {
  const MutexLock lock(mutex_);
  return writes_;
}

void CachingCatalog::forget_all() {
  // Destroyed after the lock, which event loops wait for.
  LruCache<std::string, TagRecord> tags(0);
  LruCache<std::string, bool> relations(0);
  LruCache<Digest, BlobRecord> blobs(0);
  const MutexLock lock(mutex_);
  ++writes_;
  tags_.give_to(tags);
  relations_.give_to(relations);
  blobs_.give_to(blobs);
}

// --- blobs ---

Result<std::optional<BlobRecord>> CachingCatalog::blob(const Digest& digest) {
  std::uint64_t before = 0;
  {
    const MutexLock lock(mutex_);
    if (const auto* const known = blobs_.find(digest)) return *known;
    before = writes_;
  }
  auto read = inner_->blob(digest);
  if (read && *read) {
    const MutexLock lock(mutex_);
    if (writes_ == before) blobs_.put(digest, **read);
  }
  return read;
}

void CachingCatalog::forget_blob(const Digest& digest) {
  const MutexLock lock(mutex_);
  ++writes_;
  blobs_.erase(digest);
}

Result<void> CachingCatalog::put_blob(const Digest& digest, const BlobRecord& record) {
  auto done = inner_->put_blob(digest, record);
  forget_blob(digest);
  return done;
}

Result<void> CachingCatalog::erase_blob(const Digest& digest) {
  auto done = inner_->erase_blob(digest);
  forget_blob(digest);
  return done;
}

// What is remembered follows, so that a blob in use is not read again after every batch.
Result<void> CachingCatalog::touch(std::span<const std::pair<Digest, WallTime>> uses) {
  auto done = inner_->touch(uses);
  const MutexLock lock(mutex_);
  ++writes_;
  for (const auto& [digest, used] : uses) {
    auto* const known = blobs_.peek(digest);
    if (known != nullptr && done) known->last_used = used;
    if (!done) blobs_.erase(digest);
  }
  return done;
}

Result<void> CachingCatalog::for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) {
  return inner_->for_each_blob(visit);
}

// --- manifests and links ---

bool CachingCatalog::recent(Relation relation, const RepositoryKey& repository, const Digest& digest) {
  const auto key = key_of(repository, static_cast<char>(relation), digest);
  const MutexLock lock(mutex_);
  return relations_.find(key) != nullptr;
}

Result<bool> CachingCatalog::related(Relation relation, Ask ask, const RepositoryKey& repository,
                                     const Digest& digest) {
  if (recent(relation, repository, digest)) return true;
  const auto before = writes();
  auto read = ((*inner_).*ask)(repository, digest);
  if (read && *read) {
    const auto key = key_of(repository, static_cast<char>(relation), digest);
    const MutexLock lock(mutex_);
    if (writes_ == before) relations_.put(key, true);
  }
  return read;
}

bool CachingCatalog::recently_linked(const RepositoryKey& repository, const Digest& digest) {
  return recent(Relation::links, repository, digest);
}

bool CachingCatalog::recently_held(const RepositoryKey& repository, const Digest& manifest) {
  return recent(Relation::holds, repository, manifest);
}

Result<bool> CachingCatalog::linked(const RepositoryKey& repository, const Digest& digest) {
  return related(Relation::links, &Catalog::linked, repository, digest);
}

Result<bool> CachingCatalog::holds(const RepositoryKey& repository, const Digest& manifest) {
  return related(Relation::holds, &Catalog::holds, repository, manifest);
}

// Nothing is remembered of what is not there, so that what is added needs nothing forgotten.
Result<void> CachingCatalog::put_manifest(const RepositoryKey& repository, const Digest& digest,
                                          const ManifestRecord& record) {
  return inner_->put_manifest(repository, digest, record);
}

Result<void> CachingCatalog::link(const RepositoryKey& repository, const Digest& digest) {
  return inner_->link(repository, digest);
}

Result<std::optional<ManifestRecord>> CachingCatalog::manifest(const Digest& digest) {
  return inner_->manifest(digest);
}

// Tags and links go with it: which, only the slower catalog knows.
Result<void> CachingCatalog::erase_manifest(const Digest& digest) {
  auto done = inner_->erase_manifest(digest);
  forget_all();
  return done;
}

// --- tags ---

std::optional<TagRecord> CachingCatalog::recent_tag(const RepositoryKey& repository, const std::string& tag) {
  const auto key = key_of(repository, tag);
  const MutexLock lock(mutex_);
  const auto* const known = tags_.find(key);
  return known != nullptr ? std::optional(*known) : std::nullopt;
}

Result<std::optional<TagRecord>> CachingCatalog::tag(const RepositoryKey& repository, const std::string& tag) {
  if (auto known = recent_tag(repository, tag)) return known;
  const auto before = writes();
  auto read = inner_->tag(repository, tag);
  if (read && *read) {
    const auto key = key_of(repository, tag);
    const MutexLock lock(mutex_);
    if (writes_ == before) tags_.put(key, **read);
  }
  return read;
}

void CachingCatalog::forget_tag(const RepositoryKey& repository, const std::string& tag) {
  const auto key = key_of(repository, tag);
  const MutexLock lock(mutex_);
  ++writes_;
  tags_.erase(key);
}

Result<void> CachingCatalog::put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) {
  auto done = inner_->put_tag(repository, tag, record);
  forget_tag(repository, tag);
  return done;
}

Result<void> CachingCatalog::erase_tag(const RepositoryKey& repository, const std::string& tag) {
  auto done = inner_->erase_tag(repository, tag);
  forget_tag(repository, tag);
  return done;
}

Result<void> CachingCatalog::for_each_tag(
    const std::function<bool(const RepositoryKey&, const std::string&, const TagRecord&)>& visit) {
  return inner_->for_each_tag(visit);
}

Result<std::vector<std::string>> CachingCatalog::tags(const RepositoryKey& repository, std::string_view last,
                                                      std::size_t limit) {
  return inner_->tags(repository, last, limit);
}

Result<std::vector<RepositoryKey>> CachingCatalog::repositories(const std::optional<RepositoryKey>& last,
                                                                std::size_t limit) {
  return inner_->repositories(last, limit);
}

// --- pins and the whole ---

Result<void> CachingCatalog::put_pin(const PinRecord& pin) { return inner_->put_pin(pin); }

Result<void> CachingCatalog::erase_pin(const RepositoryKey& repository, const std::string& reference) {
  return inner_->erase_pin(repository, reference);
}

Result<std::vector<PinRecord>> CachingCatalog::pins() { return inner_->pins(); }

Result<void> CachingCatalog::clear() {
  auto done = inner_->clear();
  forget_all();
  return done;
}

Result<void> CachingCatalog::flush() { return inner_->flush(); }

}  // namespace paddock
