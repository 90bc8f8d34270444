// GET and HEAD /v2/<name>/manifests/<reference>. OCI distribution specification 1.1, "Pulling manifests".
#pragma once

#include "proxy/registry/context.h"

namespace paddock {

Task<Response> serve_manifest(const RegistryContext& context, RepositoryRequest request);

}  // namespace paddock
