#include "proxy/host/prepull/docker_engine.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/host/platform.h"
#include "proxy/host/prepull/docker_progress.h"
#include "proxy/host/prepull/loose_json.h"
#include "proxy/host/prepull/names.h"
#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"
#include "proxy/upstream/authenticator.h"

namespace paddock {
namespace {

constexpr std::string_view usual_socket = "/var/run/docker.sock";

// "1.41"; what it becomes part of is a path.
bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 16 && is_digit(text.front()) && is_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

// "Docker/20.10.24+dfsg1 (linux)"
std::string version_in(std::string_view server) {
  constexpr std::string_view start = "Docker/";
  if (!server.starts_with(start)) return "";
  server.remove_prefix(start.size());
  return public_message(server.substr(0, std::min(server.find(' '), std::size_t{40})));
}

// Docker reads it as base64 for URLs.
std::string registry_auth(const CacheAccess& cache) {
  const nlohmann::json json = {
      {"username", cache.user}, {"password", cache.password}, {"serveraddress", cache_address(cache.url)}};
  auto text = base64(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

// "1.49", in which Docker learned to be asked for one of several platforms, and later ones.
bool knows_platforms(std::string_view api) {
  constexpr std::string_view major = "1.";
  constexpr int since_minor = 49;
  if (!api.starts_with(major)) return false;
  int minor = 0;
  std::from_chars(api.data() + major.size(), api.data() + api.size(), minor);
  return minor >= since_minor;
}

// "linux/arm64/v8" as Docker asks for it in a query.
std::string platform_json(const std::string& platform) {
  const auto first = platform.find('/');
  const auto second = platform.find('/', first + 1);
  nlohmann::json json = {{"os", platform.substr(0, first)},
                         {"architecture", platform.substr(first + 1, second - first - 1)}};
  if (second != std::string::npos) json["variant"] = platform.substr(second + 1);
  return json.dump();
}

std::unexpected<Error> not_as_it_should(std::string_view doing, const DockerAnswer& answer) {
  const auto code = answer.status == 404 ? ErrorCode::not_found : ErrorCode::unavailable;
  return fail(code, Blame::upstream, "docker, " + std::string(doing) + ": " + answer.message());
}

}  // namespace

Result<std::string> docker_socket_path(std::string_view docker_host) {
  constexpr std::string_view scheme = "unix://";
  if (docker_host.empty()) return std::string(usual_socket);
  if (docker_host.starts_with(scheme)) return std::string(docker_host.substr(scheme.size()));
  return fail(ErrorCode::unsupported, Blame::client,
              "DOCKER_HOST is " + quote(docker_host) +
                  ": an image is put onto the machine where prepull runs, through a unix:// socket");
}

Result<std::unique_ptr<Engine>> DockerEngine::open(const std::string& socket, CacheAccess cache) {
  std::unique_ptr<DockerEngine> engine(new DockerEngine(DockerSocket(socket), std::move(cache)));
  const auto answer = engine->socket_.ask(Method::get, "/_ping");
  if (!answer) {
    const auto* remedy = answer.error().code == ErrorCode::denied
                             ? " (run it as root, or as a member of the group that may use the socket)"
                             : " (is docker running? --socket PATH says where)";
    return fail(answer.error().code, Blame::upstream, answer.error().context + remedy);
  }
  if (answer->status != 200) return not_as_it_should("asked whether it is there", *answer);
  if (answer->headers.get("Libpod-API-Version")) {
    return fail(ErrorCode::unsupported, Blame::client, socket + " is podman's: give --engine podman");
  }
  // The newest that it knows; what is asked of it here has not changed between versions.
  const auto api = answer->headers.get("Api-Version").value_or("");
  if (is_version(api)) {
    engine->api_ = "/v" + std::string(api);
    engine->knows_platforms_ = knows_platforms(api);
  }
  if (auto version = version_in(answer->headers.get("Server").value_or("")); !version.empty()) {
    engine->version_ = std::move(version);
  }
  return engine;
}

Result<ImageReference> DockerEngine::kept_as(const ImageReference& original) const {
  auto kept = original;
  kept.digest.reset();
  if (kept.tag) return kept;
  return fail(ErrorCode::unsupported, Blame::client,
              "docker keeps no name by digest but for what it pulled from that registry itself: give it a tag too (" +
                  original.repository + ":TAG@" + std::string(original.digest->algorithm_name()) + ":...)");
}

Result<std::optional<DockerEngine::Inspected>> DockerEngine::inspect(const std::string& name,
                                                                     const std::string& platform) {
  auto question = "/images/" + name + "/json";
  if (!platform.empty() && knows_platforms_) question += "?platform=" + percent_encode(platform_json(platform));
  const auto answer = socket_.ask(Method::get, target(question));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404) return std::nullopt;
  if (answer->status != 200) return not_as_it_should("asked for " + name, *answer);
  const auto json = parse_strict_json(answer->body);
  if (!json || !json->is_object()) {
    return fail(ErrorCode::protocol, Blame::upstream, socket_.path() + ": what it says of an image makes no sense");
  }
  Inspected found{.names = texts_of(member(*json, "RepoTags"))};
  const auto by_digest = texts_of(member(*json, "RepoDigests"));
  found.image.add(text_of(member(*json, "Id")));
  for (const auto& one : by_digest) found.image.add(one);
  found.image.platform = platform_name(text_of(member(*json, "Os")), text_of(member(*json, "Architecture")),
                                       text_of(member(*json, "Variant")));
  found.names.insert(found.names.end(), by_digest.begin(), by_digest.end());
  return found;
}

Result<std::optional<EngineImage>> DockerEngine::find(const ImageReference& image, const std::string& platform) {
  auto found = inspect(image.to_string(), platform);
  if (!found) return std::unexpected(std::move(found).error());
  return *found ? std::optional((*found)->image) : std::nullopt;
}

Result<void> DockerEngine::pull(const PullOrder& order, PullWatch& watch) {
  const auto repository = repository_at(cache_.url, order.image);
  if (!repository) return std::unexpected(repository.error());
  // Gone before it was named: somebody prunes, or another run has been quicker and has named it. The second time, what
  // there is under the name is looked at afterwards.
  for (const bool last : {false, true}) {
    if (auto fetched = fetch(*repository, order, watch); !fetched) return fetched;
    auto tagged = tag(*repository + "@" + order.digest.to_string(), order.image);
    if (tagged) break;
    if (tagged.error().code != ErrorCode::not_found) return tagged;
    if (last) return {};
  }
  // Docker's containerd store takes away all tags of a repository with the name by digest: not if there are any.
  unname(order, *repository + ":", watch);
  return {};
}

void DockerEngine::tidy(const PullOrder& order, PullWatch& watch) {
  // Of an image that was there already that name may be somebody's own: not if he has others at the cache.
  unname(order, cache_address(cache_.url) + "/", watch);
}

void DockerEngine::unname(const PullOrder& order, std::string_view unless, PullWatch& watch) {
  const auto repository = repository_at(cache_.url, order.image);
  // An image of the cache's own address has no other name.
  if (!repository || *repository == *order.image.registry + "/" + order.image.repository) return;
  const auto name = *repository + "@" + order.digest.to_string();
  const auto held = inspect(name, "");
  if (!held) return watch.note(name + " is left: " + held.error().context);
  if (!*held) return;
  const auto in_the_way = [&](const std::string& other) { return other != name && other.starts_with(unless); };
  const auto& names = (*held)->names;
  if (std::ranges::find(names, name) == names.end() || std::ranges::any_of(names, in_the_way)) return;
  const auto answer = socket_.ask(Method::del, target("/images/" + name + "?noprune=1"));
  if (answer && (answer->status == 200 || answer->status == 404)) return;
  watch.note(name + " is left: " + (answer ? answer->message() : answer.error().context));
}

Result<void> DockerEngine::fetch(const std::string& repository, const PullOrder& order, PullWatch& watch) {
  auto query =
      "/images/create?fromImage=" + percent_encode(repository) + "&tag=" + percent_encode(order.digest.to_string());
  if (!order.platform.empty()) query += "&platform=" + percent_encode(order.platform);
  Headers headers;
  if (!cache_.user.empty()) headers.add("X-Registry-Auth", registry_auth(cache_));
  DockerProgress progress(watch.progress());
  const auto answer = socket_.follow(
      target(query), std::move(headers),
      {.take = [&](std::string_view bytes) { progress.feed(bytes); }, .look = [&] { return watch.look(); }});
  progress.finish();
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return std::unexpected(with_remedy(answer->message()));
  if (!progress.error().empty()) return std::unexpected(with_remedy(progress.error()));
  return {};
}

Result<void> DockerEngine::tag(const std::string& from, const ImageReference& to) {
  const auto answer = socket_.ask(
      Method::post, target("/images/" + from + "/tag?repo=" + percent_encode(*to.registry + "/" + to.repository) +
                           "&tag=" + *to.tag));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 201) return not_as_it_should("told to name it " + to.to_string(), *answer);
  return {};
}

Error DockerEngine::with_remedy(std::string_view message) const {
  const auto address = cache_address(cache_.url);
  auto text = "docker, pulling it: " + std::string(message);
  if (message.contains("HTTP response to HTTPS client")) {
    text += ": add \"insecure-registries\": [\"" + address +
            "\"] to /etc/docker/daemon.json and restart docker, or let the cache serve TLS";
  } else if (message.contains("certificate")) {
    text += ": put the CA's certificate into /etc/docker/certs.d/" + address + "/ca.crt";
  } else if (message.contains("unauthorized") || message.contains("no basic auth")) {
    text += ": give --user and --password-file";
  }
  return Error{ErrorCode::unavailable, Blame::upstream, std::move(text)};
}

}  // namespace paddock
