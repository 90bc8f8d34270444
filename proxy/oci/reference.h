// Names of images, and the checks that text from strangers passes before it is used as one.
//
// Grammar: OCI distribution specification 1.1, "Pulling manifests", and the image reference grammar of Docker clients.
// Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/digest.h"
#include "storage/error.h"

namespace paddock {

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/...)*, at most 255 bytes.
bool is_repository(std::string_view text);
// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
bool is_tag(std::string_view text);
// A registry as clients write it: host or host:port, lower case; "localhost", or holding a '.' or ':'.
bool is_registry_host(std::string_view text);

// What follows /manifests/ in a request: a tag or a digest.
struct TagOrDigest {
  std::string text;
  std::optional<Digest> digest;  // set when it is one
};
// invalid_argument, blames the client.
Result<TagOrDigest> parse_tag_or_digest(std::string_view text);

// "registry.baidubce.com/paddlepaddle/paddle:2.6.2[@sha256:...]" as people write it.
struct ImageReference {
  std::optional<std::string> registry;  // absent when not written
  std::string repository;
  std::optional<std::string> tag;
  std::optional<Digest> digest;

  [[nodiscard]] std::string to_string() const;
};
// invalid_argument names the part that is wrong. Neither tag nor digest: both stay absent (callers mean "latest").
Result<ImageReference> parse_image_reference(std::string_view text);

}  // namespace paddock
