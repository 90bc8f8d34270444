#include "proxy/registry/manifests.h"

#include "proxy/oci/byte_range.h"
#include "proxy/oci/reference.h"
#include "proxy/oci/registry_error.h"
#include "proxy/upstream/private_key.h"

namespace paddock {
namespace {

Response to_response(const ServedManifest& manifest, const Request& request) {
  const std::string digest = manifest.digest.to_string();
  std::string etag;
  etag.reserve(digest.size() + 2);
  etag.append(1, '"').append(digest).append(1, '"');
  Response response;
  response.cache = to_string(manifest.cache);
  response.headers = {{"Content-Type", manifest.media_type}, {"Docker-Content-Digest", digest}, {"ETag", etag}};
  if (manifest.cache == CacheState::stale) response.headers.add("Age", std::to_string(manifest.age.count()));
  const auto condition = request.headers.get("If-None-Match");
  if (condition && matches_etag(*condition, etag)) {
    response.status = 304;
  } else {
    response.body = manifest.content;
  }
  return response;
}

Response answer(const RegistryContext& context, const RepositoryRequest& request, const TagOrDigest& reference,
                const ServedManifest& manifest) {
  const auto& repository = request.repository;
  const bool told = context.on_pull && !reference.digest && !is_private(repository.repository);
  if (told) context.on_pull(repository, reference.text);
  return to_response(manifest, request.http);
}

Task<Response> look_up(const RegistryContext& context, RepositoryRequest request, TagOrDigest reference) {
  const auto& upstream = request.upstream->upstream;
  auto manifest =
      reference.digest
          ? co_await context.manifests.by_digest(upstream, request.repository, *reference.digest)
          : co_await context.tags.resolve(upstream, request.upstream->tags, request.repository, reference.text);
  if (!manifest) co_return error_response(manifest.error(), Subject::manifest);
  co_return answer(context, request, reference, *manifest);
}

}  // namespace

// Most are hits, and these are answered without waiting: no coroutine is made for them that would have to wait.
Task<Response> serve_manifest(const RegistryContext& context, RepositoryRequest request) {
  auto reference = parse_tag_or_digest(request.reference);
  if (!reference) return at_once(error_response(reference.error(), Subject::tag));
  const auto hit = reference->digest ? context.manifests.recent(request.repository, *reference->digest)
                                     : context.tags.fresh(request.upstream->tags, request.repository, reference->text);
  if (hit) return at_once(answer(context, request, *reference, *hit));
  return look_up(context, std::move(request), *std::move(reference));
}

}  // namespace paddock
