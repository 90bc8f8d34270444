// The program: a command line whose `serve` builds and runs an App.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/core.h>
#include <malloc.h>
#include <string>
#include <string_view>
#include <utility>

#include "config/yaml_loader.h"
#include "proxy/admin/log.h"
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

// Kept by the system for App, which takes it once it can. A reload meant for a server must not end one that begins.
void hold_back(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// Bytes. Larger buffers go back to the system when the crowd that needed them has gone; by itself glibc would keep them
// from the first one that is freed.
constexpr int big_buffer = 100 * 1024;

int complain(const Error& error, int status) {
  fmt::print(stderr, "paddock: {}\n", error.context);
  return status;
}

// What no warning can make up for is an error, at the start and at a reload.
Result<config::Config> load(const config::Sources& sources, const ServeOptions& flags) {
  auto config = config::load(sources);
  if (!config) return config;
  const auto is_default = [](const auto& upstream) { return upstream.is_default; };
  if (flags.upstream && std::ranges::none_of(config->upstreams, is_default)) {
    return fail(ErrorCode::invalid_argument, Blame::client,
                "--upstream replaces the default upstream's endpoints, and no upstream has 'default: true'");
  }
  return config;
}

int serve(const ServeOptions& flags) {
  const config::Sources sources{flags.config, config::process_environment(),
                                [&flags](config::Config& config) { apply_flags(flags, config); }};
  auto config = load(sources, flags);
  if (!config) return complain(config.error(), usage_error);
  std::signal(SIGPIPE, SIG_IGN);
  ::mallopt(M_MMAP_THRESHOLD, big_buffer);
  Result<void> started;
  {
    App app(*std::move(config), [&] { return load(sources, flags); });
    started = app.start();
    if (started) app.run();
  }
  const int status = started ? 0 : started.error().code == ErrorCode::invalid_argument ? usage_error : failed;
  if (!flush_log()) std::_Exit(status);  // who reads the log has stopped to, and would be waited for
  return started ? status : complain(started.error(), status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "serve") hold_back(SIGHUP);
  try {
    return paddock::run_cli(argc, argv, serve);
  } catch (const std::exception& e) {
    fmt::print(stderr, "paddock: {}\n", e.what());
    return failed;
  }
}
