#include <spdlog/fmt/fmt.h>

#include "proxy/host/client_config_kinds.h"

namespace paddock::client {
namespace {

// containers-registries.conf(5). The cache is told the registry by the path, as these clients send no ns=.
std::string registry(const ClientConfigRequest& request, const std::string& upstream) {
  const auto cache = fmt::format("location = {}\n{}", literal(engine_name(request.cache) + "/" + upstream),
                                 request.cache.tls ? "" : "insecure = true\n");
  const auto prefix = fmt::format("\n[[registry]]\nprefix = {}\n", literal(upstream));
  if (!request.fallback) return prefix + cache;
  return fmt::format("{}location = {}\n\n[[registry.mirror]]\n{}", prefix, literal(upstream), cache);
}

}  // namespace

Result<ClientConfig> podman(const ClientConfigRequest& request) {
  for (const auto& upstream : request.upstreams) {
    if (upstream.find(':') == upstream.npos) continue;
    return fail(ErrorCode::invalid_argument, Blame::client,
                upstream +
                    ": these clients name the registry in the mirror's path, where no port can stand: leave it to "
                    "containerd, or pull by the cache's name");
  }
  ClientConfig config;
  auto content = headline(request);
  for (const auto& upstream : request.upstreams) content += registry(request, upstream);
  config.files.push_back({.path = "/etc/containers/registries.conf.d/paddock.conf", .content = content});
  if (!request.ca_pem.empty()) {
    config.files.push_back({.path = fmt::format("/etc/containers/certs.d/{}/ca.crt", engine_name(request.cache)),
                            .content = request.ca_pem});
  }
  if (request.kind == ClientKind::crio) {
    config.steps = {{"systemctl reload crio", "it reads registries.conf.d again; containers go on"}};
  }
  config.notes = {"podman, buildah, skopeo and CRI-O read the same files; all but CRI-O at each call",
                  "of two files in registries.conf.d with the same prefix the later one wins, by name"};
  config.notes.emplace_back(
      request.fallback
          ? "a cache that refuses connections is passed over at once; one that does not answer at all costs two "
            "minutes a pull (podman 4.3), which no setting changes"
          : "while the cache is away pulls fail; pushes to these registries go to the cache, which refuses them");
  config.notes.push_back(doctor_note(request));
  return config;
}

}  // namespace paddock::client
