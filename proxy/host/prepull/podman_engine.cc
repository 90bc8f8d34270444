#include "proxy/host/prepull/podman_engine.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "proxy/host/platform.h"
#include "proxy/host/prepull/loose_json.h"
#include "proxy/host/prepull/names.h"
#include "proxy/host/prepull/private_folder.h"
#include "proxy/host/prepull/program_progress.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"
#include "proxy/upstream/authenticator.h"

namespace paddock {
namespace {

constexpr int not_there = 1;  // of "podman image exists"

// The names in it are of a grammar without quotes. The longest prefix counts, so that no other file's is in the way.
std::string registries_conf(const CacheAccess& cache, const std::string& original, const std::string& at_cache) {
  return "unqualified-search-registries = []\n[[registry]]\nprefix = \"" + original + "\"\nlocation = \"" + at_cache +
         "\"\ninsecure = " + (cache.url.tls ? "false" : "true") + "\n";
}

std::string auth_file(const CacheAccess& cache) {
  const nlohmann::json json = {
      {"auths", {{cache_address(cache.url), {{"auth", base64(cache.user + ":" + cache.password)}}}}}};
  return json.dump();
}

Result<std::string> content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (!in) return fail(ErrorCode::io, Blame::us, file + " cannot be read");
  return content;
}

// The files that make podman ask the cache, and the options and variables that name them.
Result<EngineProgram::Pull> prepare(const PrivateFolder& folder, const CacheAccess& cache, const PullOrder& order) {
  const auto at_cache = repository_at(cache.url, order.image);
  if (!at_cache) return std::unexpected(at_cache.error());
  EngineProgram::Pull pull{.arguments = {"pull"}, .take = take_podman_line, .terminal = true};
  const auto original = *order.image.registry + "/" + order.image.repository;
  const auto conf = folder.write("registries.conf", registries_conf(cache, original, *at_cache));
  if (!conf) return std::unexpected(conf.error());
  pull.environment = {"CONTAINERS_REGISTRIES_CONF=" + *conf, no_proxy_for(cache.url)};
  if (!cache.user.empty()) {
    const auto file = folder.write("auth.json", auth_file(cache));
    if (!file) return std::unexpected(file.error());
    pull.arguments.insert(pull.arguments.end(), {"--authfile", *file});
  }
  if (!cache.ca_file.empty()) {
    const auto content = content_of(cache.ca_file);
    const auto file = content ? folder.write("certs/ca.crt", *content) : content;
    if (!file) return std::unexpected(file.error());
    pull.arguments.insert(pull.arguments.end(), {"--cert-dir", (folder.path() / "certs").string()});
  }
  if (!order.platform.empty()) pull.arguments.insert(pull.arguments.end(), {"--platform", order.platform});
  pull.arguments.push_back(order.image.to_string());
  return pull;
}

}  // namespace

Result<std::unique_ptr<Engine>> PodmanEngine::open(CacheAccess cache, const std::string& program) {
  std::unique_ptr<PodmanEngine> engine(new PodmanEngine(EngineProgram({program}), std::move(cache)));
  const auto answer = engine->podman_.ask({"version", "--format", "{{.Client.Version}}"}, std::chrono::seconds(60));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 0) {
    return fail(ErrorCode::unavailable, Blame::upstream, program + " does not work: " + answer->last_words);
  }
  engine->version_ = public_message(answer->output.substr(0, std::min(answer->output.find('\n'), std::size_t{40})));
  return engine;
}

// With a digest podman leaves the tag aside.
Result<ImageReference> PodmanEngine::kept_as(const ImageReference& original) const {
  auto kept = original;
  if (kept.digest) kept.tag.reset();
  return kept;
}

Result<std::optional<EngineImage>> PodmanEngine::find(const ImageReference& image, const std::string& /*platform*/) {
  const auto there = podman_.ask({"image", "exists", image.to_string()});
  if (!there) return std::unexpected(there.error());
  if (there->status == not_there) return std::nullopt;
  const auto answer =
      podman_.ask({"image", "inspect", "--format",
                   "[{{json .Digest}}, {{json .ID}}, {{json .RepoDigests}}, {{json .Os}}, {{json .Architecture}}]",
                   image.to_string()});
  if (!answer) return std::unexpected(answer.error());
  if (there->status != 0 || answer->status != 0) {
    return fail(ErrorCode::unavailable, Blame::upstream,
                podman_.name() + " image inspect: " + (answer->status != 0 ? answer->last_words : there->last_words));
  }
  const auto json = parse_strict_json(answer->output);
  if (!json || !json->is_array() || json->size() != 5) {
    return fail(ErrorCode::protocol, Blame::upstream, podman_.name() + ": what it says of an image makes no sense");
  }
  EngineImage found;
  found.add(text_of(json->at(0)));
  found.add("sha256:" + text_of(json->at(1)));
  for (const auto& name : texts_of(json->at(2))) found.add(name);
  found.platform = platform_name(text_of(json->at(3)), text_of(json->at(4)), "");
  return found;
}

Result<void> PodmanEngine::pull(const PullOrder& order, PullWatch& watch) {
  const auto folder = PrivateFolder::make();
  if (!folder) return std::unexpected(folder.error());
  const auto prepared = prepare(*folder, cache_, order);
  if (!prepared) return std::unexpected(prepared.error());
  return podman_.follow(*prepared, watch);
}

void PodmanEngine::tidy(const PullOrder& /*order*/, PullWatch& /*watch*/) {}

}  // namespace paddock
