#include "proxy/host/prepull/names.h"

#include <utility>

namespace paddock {
namespace {

constexpr std::string_view docker_hub = "docker.io";

}  // namespace

Result<ImageReference> parse_original_name(std::string_view text) {
  auto image = parse_image_reference(text);
  if (!image) return image;
  const bool hub = !image->registry || *image->registry == "index.docker.io" || *image->registry == docker_hub;
  if (hub) {
    image->registry = docker_hub;
    if (!image->repository.contains('/')) image->repository.insert(0, "library/");
  }
  if (!image->tag && !image->digest) image->tag = "latest";
  return image;
}

std::string cache_address(const Url& cache) {
  const auto host = cache.host.contains(':') ? "[" + cache.host + "]" : cache.host;
  return host + ":" + std::to_string(cache.port);
}

Result<std::string> repository_at(const Url& cache, const ImageReference& original) {
  const auto address = cache_address(cache);
  const auto& registry = original.registry.value_or(std::string(docker_hub));
  if (registry == address || registry == cache.authority()) return registry + "/" + original.repository;
  if (registry.contains(':')) {
    return fail(ErrorCode::unsupported, Blame::client,
                "an upstream whose name has a port (" + registry + ") cannot be named in a path of the cache");
  }
  return address + "/" + registry + "/" + original.repository;
}

}  // namespace paddock
