#include "proxy/host/prepull/containerd_engine.h"

#include <sstream>
#include <utility>

#include "proxy/host/platform.h"
#include "proxy/host/prepull/private_folder.h"
#include "proxy/host/prepull/program_progress.h"
#include "proxy/oci/printable.h"
#include "proxy/upstream/authenticator.h"

namespace paddock {
namespace {

std::string toml_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string hosts_toml(const CacheAccess& cache) {
  const auto origin = toml_string(cache.url.origin());
  // As `server` too: without it ctr would go on to the registry itself.
  auto text = "server = " + origin + "\n[host." + origin + "]\n  capabilities = [\"pull\", \"resolve\"]\n";
  if (!cache.ca_file.empty()) text += "  ca = " + toml_string(cache.ca_file) + "\n";
  if (!cache.user.empty()) {
    text += "  [host." + origin + ".header]\n    authorization = \"Basic " + base64(cache.user + ":" + cache.password) +
            "\"\n";
  }
  return text;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; words.size() < 16 && in >> word;) words.push_back(word);
  return words;
}

// "NAME TYPE DIGEST complete (6/6) 4.0 MiB/4.0 MiB true", of an image that is whole and unpacked; for the platform of
// the machine, which is the only one that ctr looks at.
std::optional<EngineImage> whole_image(const std::string& line, const std::string& name) {
  const auto words = words_of(line);
  if (words.size() < 5 || words[0] != name || words[3] != "complete" || words.back() != "true") return std::nullopt;
  auto digest = Digest::parse(words[2]);
  if (!digest) return std::nullopt;
  return EngineImage{{*std::move(digest)}, this_platform()};
}

// What follows "Version:" behind "Server:".
std::string server_version(const std::string& text) {
  const auto server = text.find("Server:");
  const auto at = server == std::string::npos ? server : text.find("Version:", server);
  const auto words = at == std::string::npos ? std::vector<std::string>() : words_of(text.substr(at + 8, 80));
  return words.empty() ? "of unknown version" : public_message(words.front());
}

}  // namespace

Result<std::unique_ptr<Engine>> ContainerdEngine::open(const Options& options, CacheAccess cache) {
  std::vector<std::string> command{options.program};
  if (!options.address.empty()) command.insert(command.end(), {"--address", options.address});
  command.insert(command.end(), {"--namespace", options.name_space});
  std::unique_ptr<ContainerdEngine> engine(
      new ContainerdEngine(EngineProgram(std::move(command)), options.name_space, std::move(cache)));
  const auto answer = engine->ctr_.ask({"version"}, std::chrono::seconds(20));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 0) {
    return fail(ErrorCode::unavailable, Blame::upstream,
                answer->last_words + " (is containerd running, and are you root? --socket PATH says where)");
  }
  engine->version_ = server_version(answer->output);
  const auto help = engine->ctr_.ask({"images", "pull", "--help"}, std::chrono::seconds(20));
  engine->has_local_ = help && help->output.contains("--local");
  return engine;
}

std::string ContainerdEngine::describe() const { return "containerd " + version_ + ", namespace " + name_space_; }

// As the container runtime interface writes it: the digest alone counts.
Result<ImageReference> ContainerdEngine::kept_as(const ImageReference& original) const {
  auto kept = original;
  if (kept.digest) kept.tag.reset();
  return kept;
}

Result<std::optional<EngineImage>> ContainerdEngine::find(const ImageReference& image, const std::string& platform) {
  if (!platform.empty() && !is_same_platform(platform, this_platform())) {
    return fail(ErrorCode::unsupported, Blame::client,
                "containerd cannot tell whether it holds an image of another platform than " + this_platform() +
                    ": leave --platform out");
  }
  const auto name = image.to_string();
  const auto answer = ctr_.ask({"images", "check", "name==" + name});
  if (!answer) return std::unexpected(answer.error());
  // Of an image that is damaged, or has nothing for this platform, ctr says so in its table and fails: pulling mends
  // it.
  if (answer->status != 0 && !answer->output.starts_with("REF")) {
    return fail(ErrorCode::unavailable, Blame::upstream, ctr_.name() + " images check: " + answer->last_words);
  }
  std::istringstream lines(answer->output);
  for (std::string line; std::getline(lines, line);) {
    if (auto found = whole_image(line, name)) return found;
  }
  return std::nullopt;
}

Result<void> ContainerdEngine::pull(const PullOrder& order, PullWatch& watch) {
  const auto folder = PrivateFolder::make();
  if (!folder) return std::unexpected(folder.error());
  if (auto hosts = folder->write(*order.image.registry + "/hosts.toml", hosts_toml(cache_)); !hosts) {
    return std::unexpected(std::move(hosts).error());
  }
  std::vector<std::string> arguments{"images", "pull", "--hosts-dir", folder->path().string()};
  if (has_local_) arguments.emplace_back("--local");
  if (!order.platform.empty()) arguments.insert(arguments.end(), {"--platform", order.platform});
  arguments.push_back(order.image.to_string());
  return ctr_.follow(
      {.arguments = std::move(arguments), .environment = {no_proxy_for(cache_.url)}, .take = take_ctr_line}, watch);
}

void ContainerdEngine::tidy(const PullOrder& /*order*/, PullWatch& /*watch*/) {}

}  // namespace paddock
