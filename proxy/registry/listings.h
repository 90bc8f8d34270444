// GET /v2/<name>/tags/list, /v2/_catalog and /v2/<name>/referrers/<digest>.
// OCI distribution specification 1.1, "Content discovery".
//
// Tag lists are the upstream's; while it is away, or does not let itself be listed, the cached tags are (stale), unless
// the client continues after a tag that is not cached: a list that mixes both would look complete, and is an error. The
// catalog lists what is cached here: repositories of the default upstream by their own name, others by prefix.
#pragma once

#include "proxy/registry/context.h"

namespace paddock {

Task<Response> list_tags(const RegistryContext& context, RepositoryRequest request);
Task<Response> list_referrers(const RegistryContext& context, RepositoryRequest request);
// `only`: of one upstream (?ns=), empty for all.
Task<Response> list_repositories(const RegistryContext& context, const Request& request, std::string only);

}  // namespace paddock
