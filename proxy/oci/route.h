// The request line of a registry request, taken apart: which resource does the path mean? Pure; thread-safe.
// OCI distribution specification 1.1, "Endpoints".
#pragma once

#include <string>
#include <string_view>

#include "storage/error.h"

namespace paddock {

struct Route {
  enum class Kind { base, catalog, manifest, blob, tags, referrers, upload, unknown };
  Kind kind = Kind::unknown;
  std::string name;       // what stands between /v2/ and the resource; not yet validated as a repository
  std::string reference;  // tag, digest; as sent, decoded
};

// `path` is percent-encoded. The *last* "/manifests/", "/blobs/", ... decides, as repository names may hold these
// words. invalid_argument (client) when it cannot be decoded.
Result<Route> parse_route(std::string_view path);

}  // namespace paddock
