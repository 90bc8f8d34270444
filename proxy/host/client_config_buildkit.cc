#include <spdlog/fmt/fmt.h>

#include "proxy/host/client_config_kinds.h"

namespace paddock::client {

// A mirror may carry a path, which the cache must not get here: BuildKit sends ns= as well, as containerd does.
// Scheme and CA are looked up below the mirror's own name.
Result<ClientConfig> buildkit(const ClientConfigRequest& request) {
  if (!request.fallback) {
    return fail(ErrorCode::invalid_argument, Blame::client,
                "BuildKit always asks the registry itself when its mirrors fail: leave out --no-fallback, and close "
                "the way to the registry in the network where it must not be asked");
  }
  const std::string file = "/etc/buildkit/buildkitd.toml", ca_file = "/etc/buildkit/paddock-ca.pem";
  const auto mirror = literal(request.cache.authority);
  auto content = headline(request);
  for (const auto& upstream : request.upstreams) {
    content += fmt::format("\n[registry.{}]\n  mirrors = [{}]\n", literal(upstream), mirror);
  }
  // Said in either case: for loopback the default is plain HTTP.
  content += fmt::format("\n[registry.{}]\n  http = {}\n", mirror, !request.cache.tls);
  if (!request.ca_pem.empty()) content += fmt::format("  ca = [{}]\n", literal(ca_file));
  ClientConfig config;
  config.files.push_back({.path = file,
                          .content = content,
                          .merge = "where there is such a file, add these tables to it, and these mirrors to those of "
                                   "tables that are there already"});
  if (!request.ca_pem.empty()) config.files.push_back({.path = ca_file, .content = request.ca_pem});
  config.steps = {
      {fmt::format(
           "docker buildx create --name paddock --driver docker-container --buildkitd-config {} --bootstrap --use",
           file),
       "a builder that pulls through the cache (--config in place of --buildkitd-config before buildx 0.13); a "
       "buildkitd of your own reads the file when it starts: systemctl restart buildkit"}};
  config.notes = {
      "buildx copies the file, and the CA, into the builder when it is made: after a change docker buildx rm paddock, "
      "and once more",
      "without a builder of its own docker build pulls as dockerd does: see docker and docker-containerd",
      "BuildKit asks the registry itself when the cache fails; that cannot be turned off"};
  if (request.cache.loopback) {
    config.notes.push_back(request.cache.host +
                           " means the builder's own container: give the cache an address that it reaches, or create "
                           "the builder with --driver-opt network=host");
  }
  return config;
}

}  // namespace paddock::client
