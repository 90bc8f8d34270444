#include "proxy/tags/manifest_source.h"

#include <spdlog/spdlog.h>

#include "proxy/oci/manifest.h"
#include "proxy/tags/or_unknown.h"

namespace paddock {

std::string_view to_string(CacheState state) {
  switch (state) {
    case CacheState::hit:
      return "hit";
    case CacheState::fill:
      return "fill";
    case CacheState::stale:
      return "stale";
    case CacheState::bypass:
      return "bypass";
  }
  return "bypass";
}

ManifestSource::ManifestSource(BlockingPool& pool, Catalog& catalog, ManifestStore& store, const Clock& clock,
                               Options options)
    : pool_(pool),
      catalog_(catalog),
      store_(store),
      options_(options),
      negative_(clock, options.negative_ttl),
      recent_(options.in_memory) {}

Task<Result<ServedManifest>> ManifestSource::by_digest(std::shared_ptr<Upstream> upstream, RepositoryKey repository,
                                                       Digest digest) {
  auto found = co_await stored(repository, digest);
  if (!found) co_return std::unexpected(std::move(found).error());
  if (*found) co_return **std::move(found);

  const std::string name = repository.upstream + '/' + repository.repository + '@' + digest.to_string();
  if (negative_.contains(name)) {
    co_return fail(ErrorCode::not_found, Blame::client, "the upstream has just said that it has no such manifest");
  }
  const auto work = [this, upstream, repository, digest] { return stored_or_fetched(upstream, repository, digest); };
  auto fetched =
      co_await flights_.run({repository, digest}, work, std::chrono::steady_clock::now() + options_.deadline);
  if (!fetched && fetched.error().code == ErrorCode::not_found) negative_.add(name);
  co_return fetched;
}

// The shared piece of work. It looks again: another flight may have landed between the client's look and its start.
Task<Result<ServedManifest>> ManifestSource::stored_or_fetched(std::shared_ptr<Upstream> upstream,
                                                               RepositoryKey repository, Digest digest) {
  auto found = co_await stored(repository, digest);
  if (!found) co_return std::unexpected(std::move(found).error());
  if (*found) co_return **std::move(found);
  co_return co_await fetch(std::move(upstream), std::move(repository), digest.to_string());
}

std::optional<ServedManifest> ManifestSource::recent(const RepositoryKey& repository, const Digest& digest) {
  if (!catalog_.recently_held(repository, digest)) return std::nullopt;
  const MutexLock lock(recent_mutex_);
  const auto* const known = recent_.find(digest);
  return known != nullptr ? std::optional(*known) : std::nullopt;
}

Task<Result<std::optional<ServedManifest>>> ManifestSource::stored(RepositoryKey repository, Digest digest) {
  using Found = std::optional<ServedManifest>;
  if (auto known = recent(repository, digest)) co_return known;
  auto found = co_await pool_.run([this, &repository, &digest]() -> Result<Found> {
    // Not linked(): anybody may push an index that names a manifest of somebody else's.
    const auto held = catalog_.holds(repository, digest);
    if (!held) return std::unexpected(held.error());
    if (!*held) return Found();
    auto record = catalog_.manifest(digest);
    if (!record) return std::unexpected(std::move(record).error());
    if (!*record) return Found();
    ServedManifest manifest{.digest = digest,
                            .media_type = served_media_type((*record)->content, (*record)->media_type),
                            .content = std::make_shared<const std::string>(std::move((*record)->content))};
    const MutexLock lock(recent_mutex_);
    recent_.put(digest, manifest, manifest.content->size() + sizeof(ServedManifest));
    return manifest;
  });
  co_return or_unknown(std::move(found));
}

Task<Result<ServedManifest>> ManifestSource::fetch(std::shared_ptr<Upstream> upstream, RepositoryKey repository,
                                                   std::string reference) {
  auto fetched = co_await upstream->get_manifest(repository.repository, reference);
  if (!fetched) co_return std::unexpected(std::move(fetched).error());
  auto manifest = parse_manifest(fetched->content, fetched->media_type);
  if (!manifest) co_return std::unexpected(std::move(manifest).error());
  // What the content says of itself, if it does: the header is the word of whoever delivers it here.
  const ManifestRecord record{manifest->media_type, fetched->content, manifest->children()};
  const Digest digest = fetched->digest;
  auto kept =
      co_await pool_.run([this, &repository, &digest, &record] { return store_.put(repository, digest, record); });
  if (kept) {
    const MutexLock lock(recent_mutex_);
    recent_.erase(digest);  // the catalog may have taken it anew
  }
  // A full or broken disk must not keep the client from its image.
  if (!kept) spdlog::error("cannot keep the manifest {}: {}", digest.to_string(), kept.error().context);
  co_return ServedManifest{.digest = digest,
                           .media_type = served_media_type(fetched->content, record.media_type),
                           .content = std::make_shared<const std::string>(std::move(fetched->content)),
                           .cache = kept ? CacheState::fill : CacheState::bypass};
}

}  // namespace paddock
