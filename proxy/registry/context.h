// What the /v2/ handlers work with, and what they know of one request. Everything referred to outlives the server.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxy/fill/coordinator.h"
#include "proxy/fill/uncached_streams.h"
#include "proxy/ingress/registry_login.h"
#include "proxy/ingress/upstream_set.h"
#include "proxy/net/http.h"
#include "proxy/oci/route.h"
#include "proxy/tags/resolver.h"
#include "storage/blob_store.h"
#include "storage/blocking_pool.h"
#include "storage/catalog.h"
#include "storage/task.h"

namespace paddock {

class PrivateAccess;

struct RegistryContext {
  BlockingPool& pool;
  Catalog& catalog;
  BlobStore& blobs;
  FillCoordinator& fills;
  UncachedStreams& uncached;
  ManifestSource& manifests;
  TagResolver& tags;
  const CurrentUpstreams& upstreams;
  // How long a client waits for a fill to begin: docker and containerd give up after 30 s.
  std::chrono::milliseconds first_byte{25'000};
  // Told of every tag that is asked for and there. From any thread; must not block.
  std::function<void(const RepositoryKey& repository, const std::string& tag)> on_pull{};
  // For clients that bring credentials for the registry; absent: none are looked at.
  PrivateAccess* private_access = nullptr;
  const RegistryLogin* login = nullptr;
};

// A request for something in a repository, with its upstream found.
struct RepositoryRequest {
  const Request& http;  // lives as long as the handler's coroutine
  RepositoryKey repository;
  std::shared_ptr<const UpstreamSet::Entry> upstream;
  std::string reference;    // as sent; each handler validates it
  std::string listed_name;  // the repository as the client named it
};

// An answer that nothing has to be waited for.
inline Task<Response> at_once(Response response) { co_return response; }

}  // namespace paddock
