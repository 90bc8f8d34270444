#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "config/checks.h"
#include "config/yaml_loader.h"
#include "proxy/cli/command.h"
#include "proxy/cli/doctor_host.h"
#include "proxy/cli/doctor_image.h"
#include "proxy/host/platform.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

struct DoctorOptions {
  std::string image, driver, cache;
  std::string platform = this_platform();
  std::string root = "/";
  std::optional<std::filesystem::path> config;
  bool as_json = false;
};

// Of the problems of a configuration.
Error first_line(Error error) {
  const auto end = error.context.find('\n');
  if (end != std::string::npos && end + 1 < error.context.size()) error.context.resize(end);
  return error;
}

// The registry address of the configured cache, as this machine reaches it.
Result<std::string> own_address(const config::ServerOptions& server) {
  for (auto address : server.listen) {
    if (address.starts_with("unix:")) continue;
    for (const auto& [any, loopback] : {std::pair("0.0.0.0:", "127.0.0.1:"), std::pair("[::]:", "[::1]:")}) {
      if (address.starts_with(any)) address = loopback + address.substr(std::string_view(any).size());
    }
    return (server.tls_certificate.empty() ? "http://" : "https://") + address;
  }
  return fail(ErrorCode::invalid_argument, Blame::client, "the cache listens on Unix sockets only: give --cache URL");
}

Result<CacheClient> find_cache(const DoctorOptions& options, const config::Config& config) {
  auto address = options.cache.empty() ? own_address(config.server) : Result<std::string>(options.cache);
  if (!address) return std::unexpected(std::move(address).error());
  auto url = Url::parse(address->find("://") == std::string::npos ? "http://" + *address : *address);
  if (!url) return std::unexpected(std::move(url).error().with("--cache"));
  return CacheClient(*std::move(url));
}

std::string to_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Result<std::string> examine_image(const DoctorOptions& options, const CacheClient& cache, int& status) {
  const auto diagnosis = diagnose({options.image, options.platform, {}, options.driver}, cache);
  if (!diagnosis) return std::unexpected(diagnosis.error());
  if (!diagnosis->runs()) status = exit_failed;
  return options.as_json ? to_text(diagnosis_json(*diagnosis)) : describe(*diagnosis);
}

Result<std::string> examine_machine(const DoctorOptions& options, const config::Config& config,
                                    const CacheClient& cache, int& status) {
  const auto gpus = options.driver.empty() ? probe_gpus() : host_with_driver(options.driver);
  if (!gpus && !options.driver.empty()) return std::unexpected(gpus.error().with("--driver"));
  const bool has_cache = options.cache.empty() || is_loopback(cache.url());
  const auto findings = examine({.files = HostFiles(options.root), .has_cache = has_cache}, config, cache);
  if (!all_in_order(findings)) status = exit_failed;
  if (options.as_json) return to_text({{"checks", findings_json(findings)}, {"host", gpus_json(gpus)}});
  return describe(findings) + describe_gpus(gpus);
}

Result<std::string> run(const DoctorOptions& options, int& status) {
  if (const auto bad = config::check_platform(options.platform); !bad.empty()) {
    return fail(ErrorCode::invalid_argument, Blame::client, "--platform: '" + options.platform + "' " + bad);
  }
  const auto config = config::load({.file = options.config, .environment = config::process_environment(), .flags = {}});
  if (!config) return std::unexpected(first_line(config.error()));
  const auto cache = find_cache(options, *config);
  if (!cache) return std::unexpected(cache.error());
  return options.image.empty() ? examine_machine(options, *config, *cache, status)
                               : examine_image(options, *cache, status);
}

}  // namespace

void add_doctor_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("doctor", "Say what would go wrong on this machine, and how to mend it");
  const auto options = std::make_shared<DoctorOptions>();
  command->add_option("--image", options->image, "Does this image run here? Its layers are not downloaded");
  command->add_option("--driver", options->driver,
                      "NVIDIA driver to judge by, in place of this machine's: 535.104.05, or 535");
  command->add_option("--config", options->config, "Configuration file (YAML)")->envname("PADDOCK_CONFIG");
  command->add_option(
      "--cache", options->cache,
      "URL of the cache's registry side (default: the configured one); when on another machine, data folder "
      "and upstreams are not looked at");
  command->add_option("--platform", options->platform, "Platform of an image with several")->capture_default_str();
  command->add_option("--root", options->root, "Where this machine's files are, seen from a container")
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "Print an object");
  command->callback([&console, options] { console.finish(run(*options, console.status)); });
}

}  // namespace paddock
