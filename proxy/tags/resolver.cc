#include "proxy/tags/resolver.h"

#include <spdlog/spdlog.h>

#include "proxy/tags/or_unknown.h"

namespace paddock {
namespace {

std::string name_of(const RepositoryKey& repository, const std::string& tag) {
  return repository.upstream + '/' + repository.repository + ':' + tag;
}

// The upstream could not be asked; not: it has answered no.
bool is_away(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
         error.code == ErrorCode::rate_limited;
}

}  // namespace

TagResolver::TagResolver(BlockingPool& pool, Catalog& catalog, ManifestStore& store, ManifestSource& manifests,
                         const Clock& clock, Options options)
    : pool_(pool),
      catalog_(catalog),
      store_(store),
      manifests_(manifests),
      clock_(clock),
      options_(options),
      missing_(clock, options.negative_ttl),
      away_(clock, options.away_ttl) {}

std::optional<ServedManifest> TagResolver::fresh(const TagPolicy& policy, const RepositoryKey& repository,
                                                 const std::string& tag) {
  const auto record = catalog_.recent_tag(repository, tag);
  if (!record || !is_fresh(record->validated, clock_.wall(), policy)) return std::nullopt;
  return manifests_.recent(repository, record->digest);
}

Task<Result<ServedManifest>> TagResolver::resolve(std::shared_ptr<Upstream> upstream, TagPolicy policy,
                                                  RepositoryKey repository, std::string tag) {
  auto found = co_await known(repository, tag);
  if (!found) co_return std::unexpected(std::move(found).error());
  const auto& at_hand = *found;
  if (at_hand && is_fresh(at_hand->record.validated, clock_.wall(), policy)) co_return at_hand->manifest;
  if (missing_.contains(name_of(repository, tag))) {
    co_return fail(ErrorCode::not_found, Blame::client, "the upstream has just said that it has no such tag");
  }
  // What is too old to be served is no reason to hurry, nor to give up early.
  const bool usable = at_hand && is_usable(at_hand->record.validated, clock_.wall(), policy);
  if (usable && away_.contains(repository.upstream)) {
    Error error{ErrorCode::unavailable, Blame::upstream, "the upstream was away a moment ago", true};
    co_return co_await fall_back(std::move(error), policy, repository, tag, at_hand);
  }
  const auto deadline = usable ? options_.stale_deadline : options_.deadline;
  const auto work = [this, upstream, policy, repository, tag] { return refresh(upstream, policy, repository, tag); };
  auto answer = co_await flights_.run({repository, tag}, work, std::chrono::steady_clock::now() + deadline);
  if (answer) co_return answer;
  co_return co_await fall_back(answer.error(), policy, repository, tag, at_hand);
}

Task<Result<std::optional<TagResolver::Known>>> TagResolver::known(RepositoryKey repository, std::string tag) {
  if (auto record = catalog_.recent_tag(repository, tag)) {
    if (auto manifest = manifests_.recent(repository, record->digest)) co_return Known{*record, *std::move(manifest)};
  }
  auto record = or_unknown(co_await pool_.run([this, &repository, &tag] { return catalog_.tag(repository, tag); }));
  if (!record) co_return std::unexpected(std::move(record).error());
  if (!*record) co_return std::nullopt;
  auto manifest = co_await manifests_.stored(repository, (*record)->digest);
  if (!manifest) co_return std::unexpected(std::move(manifest).error());
  if (!*manifest) co_return std::nullopt;
  co_return Known{**record, **std::move(manifest)};
}

// The shared piece of work: asks the upstream, and remembers how that went.
Task<Result<ServedManifest>> TagResolver::refresh(std::shared_ptr<Upstream> upstream, TagPolicy policy,
                                                  RepositoryKey repository, std::string tag) {
  // Read again: another refresh may have ended between the client's look and this one's start.
  auto at_hand = co_await known(repository, tag);
  if (!at_hand) co_return std::unexpected(std::move(at_hand).error());
  if (*at_hand && is_fresh((*at_hand)->record.validated, clock_.wall(), policy)) co_return (*at_hand)->manifest;
  auto answer = co_await current(upstream, repository, tag, *std::move(at_hand));
  if (answer) {
    away_.remove(repository.upstream);
    missing_.remove(name_of(repository, tag));
  } else if (answer.error().code == ErrorCode::not_found) {
    missing_.add(name_of(repository, tag));
    auto erased = co_await pool_.run([this, &repository, &tag] { return store_.erase_tag(repository, tag); });
    if (!erased) spdlog::error("cannot forget the tag {}: {}", name_of(repository, tag), erased.error().context);
  } else if (is_away(answer.error())) {
    away_.add(repository.upstream);
  }
  co_return answer;
}

Task<Result<ServedManifest>> TagResolver::current(std::shared_ptr<Upstream> upstream, RepositoryKey repository,
                                                  std::string tag, std::optional<Known> known) {
  std::optional<ServedManifest> answer;
  if (known) {
    // HEAD first: it is cheap, and Docker Hub does not count it.
    auto head = co_await upstream->head_manifest(repository.repository, tag);
    if (!head) co_return std::unexpected(std::move(head).error());
    if (head->digest == known->record.digest) {
      answer = known->manifest;
    } else {
      auto stored = co_await manifests_.stored(repository, head->digest);
      if (stored) answer = *std::move(stored);
    }
  }
  if (!answer) {
    auto fetched = co_await manifests_.fetch(upstream, repository, tag);
    if (!fetched) co_return fetched;
    answer = *std::move(fetched);
  }
  if (known && answer->digest != known->record.digest) {
    spdlog::info("tag {} moved from {} to {}", name_of(repository, tag), known->record.digest.to_string(),
                 answer->digest.to_string());
  }
  const Digest digest = answer->digest;
  auto kept = co_await pool_.run(
      [this, &repository, &tag, &digest] { return store_.put_tag(repository, tag, digest, clock_.wall()); });
  if (!kept) spdlog::error("cannot keep the tag {}: {}", name_of(repository, tag), kept.error().context);
  co_return *std::move(answer);
}

Task<Result<ServedManifest>> TagResolver::fall_back(Error error, TagPolicy policy, RepositoryKey repository,
                                                    std::string tag, std::optional<Known> known) {
  if (!known) co_return std::unexpected(std::move(error));
  const auto now = clock_.wall();
  const auto validated = known->record.validated;
  if (on_revalidation_error(error, validated, now, policy) != OnError::serve_stale) {
    co_return std::unexpected(std::move(error));
  }
  spdlog::info("tag {} served stale: {}", name_of(repository, tag), error.context);
  known->manifest.cache = CacheState::stale;
  known->manifest.age = age(validated, now);
  co_return known->manifest;
}

}  // namespace paddock
