#include "proxy/registry/manifests.h"

#include "proxy/oci/byte_range.h"
#include "proxy/oci/reference.h"
#include "proxy/oci/registry_error.h"
#include "proxy/upstream/private_key.h"

namespace paddock {
namespace {

Response to_response(const ServedManifest& manifest, const Request& request) {
  const std::string digest = manifest.digest.to_string();
  const std::string etag = '"' + digest + '"';
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

}  // namespace

Task<Response> serve_manifest(const RegistryContext& context, RepositoryRequest request) {
  const auto reference = parse_tag_or_digest(request.reference);
  if (!reference) co_return error_response(reference.error(), Subject::tag);
  const auto& upstream = request.upstream.upstream;
  auto manifest =
      reference->digest
          ? co_await context.manifests.by_digest(upstream, request.repository, *reference->digest)
          : co_await context.tags.resolve(upstream, request.upstream.tags, request.repository, reference->text);
  if (!manifest) co_return error_response(manifest.error(), Subject::manifest);
  const bool told = context.on_pull && !reference->digest && !is_private(request.repository.repository);
  if (told) context.on_pull(request.repository, reference->text);
  co_return to_response(*manifest, request.http);
}

}  // namespace paddock
