#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "config/checks.h"
#include "config/yaml_loader.h"
#include "proxy/cli/command.h"
#include "proxy/cli/doctor_host.h"
#include "proxy/cli/install_files.h"
#include "proxy/host/client_config.h"
#include "proxy/host/host_files.h"
#include "proxy/net/tls.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

struct ClientConfigOptions {
  std::string kind, cache, ca, out;
  std::vector<std::string> upstreams;
  std::optional<std::filesystem::path> config;
  bool no_fallback = false, as_json = false;
};

std::unexpected<Error> usage(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

// The registry's address is all that clients know of it: what a URL says beyond that would be lost.
Result<CacheAddress> cache_address(const std::string& text) {
  auto url = Url::parse(text.find("://") == std::string::npos ? "http://" + text : text);
  if (!url) return std::unexpected(std::move(url).error().with("--cache"));
  if (!url->user.empty() || !url->password.empty()) {
    return usage("--cache: leave name and password out: clients have them from docker login and its like");
  }
  if (url->target != "/") return usage("--cache: leave the path out: " + url->origin());
  return CacheAddress{.host = url->host, .authority = url->authority(), .tls = url->tls, .loopback = is_loopback(*url)};
}

// As they are given, as the configuration has them, or those that are shipped.
Result<std::vector<std::string>> upstream_names(const ClientConfigOptions& options, ClientKind kind) {
  for (const auto& name : options.upstreams) {
    if (const auto bad = config::check_host(name); !bad.empty())
      return usage(fmt::format("--upstream: '{}' {}", name, bad));
  }
  if (!options.upstreams.empty()) return options.upstreams;
  if (kind == ClientKind::docker) return std::vector<std::string>{"docker.io"};  // there is nothing else it mirrors
  config::Config config;
  if (options.config) {
    auto loaded = config::load({.file = options.config, .environment = {}, .flags = {}});
    if (!loaded) return usage(loaded.error().context.substr(0, loaded.error().context.find('\n')));
    config = *std::move(loaded);
  }
  std::vector<std::string> names;
  names.reserve(config.upstreams.size());
  for (const auto& upstream : config.upstreams) names.push_back(upstream.name);
  return names;
}

Result<std::string> read_ca(const std::string& path) {
  if (path.empty()) return std::string();
  const std::filesystem::path file(path);
  auto content = HostFiles(file.is_absolute() ? "/" : "").read(path);
  if (!content) return std::unexpected(std::move(content).error().with("--ca"));
  if (const auto usable = make_tls_client(file); !usable) return std::unexpected(usable.error().with("--ca"));
  return content;
}

Result<ClientConfigRequest> request_of(const ClientConfigOptions& options) {
  const auto kind = parse_client_kind(options.kind);
  if (!kind) return std::unexpected(kind.error());
  auto cache = cache_address(options.cache);
  if (!cache) return std::unexpected(std::move(cache).error());
  auto upstreams = upstream_names(options, *kind);
  if (!upstreams) return std::unexpected(std::move(upstreams).error());
  auto ca = read_ca(options.ca);
  if (!ca) return std::unexpected(std::move(ca).error());
  return ClientConfigRequest{.kind = *kind,
                             .cache = *std::move(cache),
                             .upstreams = *std::move(upstreams),
                             .ca_pem = *std::move(ca),
                             .fallback = !options.no_fallback};
}

Json to_json(const ClientConfigRequest& request, const ClientConfig& config) {
  Json out{{"kind", to_string(request.kind)},
           {"cache", request.cache.origin()},
           {"upstreams", request.upstreams},
           {"fallback", request.fallback && request.kind != ClientKind::docker_proxy},
           {"files", Json::array()},
           {"commands", Json::array()},
           {"notes", config.notes}};
  for (const auto& file : config.files) {
    out["files"].push_back({{"path", file.path},
                            {"mode", fmt::format("{:04o}", file.mode)},
                            {"content", file.content},
                            {"merge", file.merge.empty() ? Json() : Json(file.merge)},
                            {"merge_command", file.merge_command.empty() ? Json() : Json(file.merge_command)}});
  }
  for (const auto& step : config.steps) out["commands"].push_back({{"command", step.command}, {"why", step.why}});
  return out;
}

std::string describe_file(const ClientFile& file) {
  auto out = fmt::format("==== {} (mode {:04o}) ====\n{}", file.path, file.mode, file.content);
  if (!file.merge.empty()) out += fmt::format("---- {}\n", file.merge);
  if (!file.merge_command.empty()) out += "---- which this does:\n" + file.merge_command;
  return out + "\n";
}

std::string describe_rest(const ClientConfig& config) {
  std::string out;
  if (!config.steps.empty()) out += "==== then, as root ====\n";
  for (const auto& step : config.steps) out += fmt::format("# {}\n{}\n", step.why, step.command);
  out += (out.empty() ? "" : "\n") + std::string("==== to know ====\n");
  for (const auto& note : config.notes) out += "- " + note + "\n";
  return out;
}

Result<std::string> run(const ClientConfigOptions& options) {
  const auto request = request_of(options);
  if (!request) return std::unexpected(request.error());
  const auto config = client_config(*request);
  if (!config) return std::unexpected(config.error());
  std::string out;
  if (options.out.empty()) {
    for (const auto& file : config->files) out += describe_file(file);
  } else {
    const auto installed = install_files(config->files, options.out);
    if (!installed) return std::unexpected(installed.error());
    for (const auto& path : installed->written) out += "wrote " + path.string() + "\n";
    if (installed->written.empty() && installed->to_merge.empty()) out += "all files are there already\n";
    for (const auto* file : installed->to_merge) {
      out += "left " + file->path + " as it is, unless it says so already do by hand:\n" + describe_file(*file);
    }
    out += "\n";
  }
  if (options.as_json) return to_json(*request, *config).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return out + describe_rest(*config);
}

}  // namespace

void add_client_config_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("client-config",
                                     "Print the files and commands that make a client pull through the "
                                     "cache");
  const auto options = std::make_shared<ClientConfigOptions>();
  command->add_option("kind", options->kind, fmt::format("{}", fmt::join(client_kind_names(), ", ")))->required();
  command
      ->add_option(
          "--cache", options->cache,
          "URL by which the client reaches the cache: http://cache.lan:5000, https://...; HOST:PORT is http. For "
          "docker-proxy, that of its CONNECT proxy")
      ->required();
  command
      ->add_option("--upstream", options->upstreams,
                   "Registry whose pulls go through the cache; may be repeated (default: those that are shipped)")
      ->allow_extra_args(false);
  command->add_option("--config", options->config, "The cache's configuration file: its upstreams are meant")
      ->excludes("--upstream");
  command->add_option("--ca", options->ca, "PEM of the CA of the cache's certificate, which the client shall trust");
  command->add_flag("--no-fallback", options->no_fallback,
                    "While the cache is away pulls fail, in place of going to the registry itself");
  command->add_option(
      "--out", options->out,
      "Write the files below this folder, which stands for /; what is there with other content is never "
      "overwritten");
  command->add_flag("--json", options->as_json, "Print an object");
  command->callback([&console, options] { console.finish(run(*options)); });
}

}  // namespace paddock
