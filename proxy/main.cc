// The program: a command line whose `serve` builds and runs an App.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fmt/core.h>
#include <string>
#include <sys/resource.h>
#include <utility>

#include "config/yaml_loader.h"
#include "proxy/app.h"
#include "proxy/cli/cli.h"

namespace {

using namespace paddock;

constexpr int failed = 1;
constexpr int usage_error = 2;

void apply_flags(const ServeOptions& flags, config::Config& config) {
  if (flags.data) config.storage.path = *flags.data;
  if (!flags.listen.empty()) config.server.listen = flags.listen;
  if (flags.admin) config.admin.listen = *flags.admin;
  if (flags.offline) config.offline = true;
  if (flags.upstream) {
    for (auto& upstream : config.upstreams) {
      if (upstream.is_default) upstream.endpoints = {*flags.upstream};
    }
  }
}

int complain(const Error& error, int status) {
  fmt::print(stderr, "paddock: {}\n", error.context);
  return status;
}

// Thousands of connections and open blobs: as many descriptors as we may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const ServeOptions& flags) {
  const config::Sources sources{flags.config, config::process_environment(),
                                [&flags](config::Config& config) { apply_flags(flags, config); }};
  auto config = config::load(sources);
  if (!config) return complain(config.error(), usage_error);
  const auto is_default = [](const auto& upstream) { return upstream.is_default; };
  if (flags.upstream && std::ranges::none_of(config->upstreams, is_default)) {
    return complain({ErrorCode::invalid_argument, Blame::client,
                     "--upstream replaces the default upstream's endpoints, "
                     "and no upstream has 'default: true'"},
                    usage_error);
  }
  for (const auto& unsupported : config::unsupported_settings(*config)) {
    fmt::print(stderr, "paddock: {}\n", unsupported.message);
    if (unsupported.fatal) return usage_error;
  }
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  App app(*std::move(config), [&sources] { return config::load(sources); });
  if (auto started = app.start(); !started) return complain(started.error(), failed);
  app.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return paddock::run_cli(argc, argv, serve);
  } catch (const std::exception& e) {
    fmt::print(stderr, "paddock: {}\n", e.what());
    return failed;
  }
}
