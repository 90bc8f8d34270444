// GET and HEAD /v2/<name>/blobs/<digest>, with ranges and conditions. OCI distribution specification 1.1, "Pulling
// blobs"; RFC 9110, 13 and 14.
//
// A blob is served for a repository only if that repository is known to contain it: an image of it is made of it, or
// the upstream has said so. Then: stored -> from disk; else the one fill of this digest is joined or begun; where the
// store cannot keep it, the bytes pass through uncached, whole whatever the range.
#pragma once

#include "proxy/registry/context.h"

namespace paddock {

Task<Response> serve_blob(const RegistryContext& context, RepositoryRequest request);

}  // namespace paddock
