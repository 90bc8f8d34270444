// What an image is called: on this machine, where a job asks for it by its original name, and at the cache.
//
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/url.h"
#include "proxy/oci/reference.h"
#include "storage/error.h"

namespace paddock {

// As a container engine understands it: "debian" is docker.io/library/debian:latest. The result has a registry, and a
// tag or a digest, or both. invalid_argument as parse_image_reference().
Result<ImageReference> parse_original_name(std::string_view text);

// "HOST:PORT", with its port even where that is the scheme's: engines take a bare word for a folder of Docker Hub.
std::string cache_address(const Url& cache);

// The image's repository at the cache, "HOST:PORT/registry.baidubce.com/paddlepaddle/paddle": the path's first
// component names the upstream. unsupported: one with a port cannot stand in a path.
Result<std::string> repository_at(const Url& cache, const ImageReference& original);

}  // namespace paddock
