#include "tests/support/scripted_registry.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/net/url.h"
#include "tests/support/scripted_state.h"

namespace paddock::test {
namespace {

constexpr std::chrono::seconds patience{30};

bool matches(const std::string& line, std::string_view match) { return line.contains(match); }

}  // namespace

std::string basic_credentials(std::string_view username, std::string_view password) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string text = std::string(username) + ':' + std::string(password);
  std::string out = "Basic ";
  for (std::size_t at = 0; at < text.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i <= text.size() ? alphabet[group >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return out;
}

std::string SeenRequest::header(std::string_view name) const {
  const auto value = headers.get(name);
  return value ? std::string(*value) : std::string();
}

std::string SeenRequest::query(std::string_view name) const {
  auto at = target.find('?');
  while (at != std::string::npos) {
    const auto next = target.find('&', at + 1);
    const auto field = std::string_view(target).substr(at + 1, next == std::string::npos ? next : next - at - 1);
    if (field.starts_with(name) && field.substr(name.size()).starts_with('=')) {
      return percent_decode(field.substr(name.size() + 1)).value_or("");
    }
    at = next;
  }
  return {};
}

Behaviour html_page() {
  return {.status = 200, .body = "<html><body>Service temporarily away</body></html>", .content_type = "text/html"};
}

Behaviour rate_limited(std::string_view retry_after) {
  return {.status = 429, .headers = {{"Retry-After", std::string(retry_after)}}};
}

struct TokenIssuer::State {
  mutable Mutex mutex;
  std::map<std::string, std::string, std::less<>> scopes PADDOCK_GUARDED_BY(mutex);  // of the tokens that are good
  std::size_t issued PADDOCK_GUARDED_BY(mutex) = 0;
  bool useless PADDOCK_GUARDED_BY(mutex) = false;
};

TokenIssuer::TokenIssuer(Options options) : options_(std::move(options)), state_(std::make_unique<State>()) {}
TokenIssuer::~TokenIssuer() = default;

std::string TokenIssuer::issue(std::string_view scope) {
  const MutexLock lock(state_->mutex);
  std::string token = "token-" + std::to_string(++state_->issued);
  if (!state_->useless) state_->scopes[token] = scope;
  return token;
}

bool TokenIssuer::valid(std::string_view token, std::string_view scope) const {
  const MutexLock lock(state_->mutex);
  const auto found = state_->scopes.find(token);
  return found != state_->scopes.end() && (scope.empty() || found->second == scope);
}

void TokenIssuer::revoke_all() {
  const MutexLock lock(state_->mutex);
  state_->scopes.clear();
}

void TokenIssuer::issue_useless(bool on) {
  const MutexLock lock(state_->mutex);
  state_->useless = on;
}

std::size_t TokenIssuer::issued() const {
  const MutexLock lock(state_->mutex);
  return state_->issued;
}

ScriptedRegistry::ScriptedRegistry() : state_(std::make_unique<State>()) { state_->start(); }
ScriptedRegistry::~ScriptedRegistry() { state_->stop(); }

std::uint16_t ScriptedRegistry::port() const { return state_->port; }
std::string ScriptedRegistry::host() const { return "127.0.0.1:" + std::to_string(state_->port); }
std::string ScriptedRegistry::url() const { return "http://" + host(); }

Digest ScriptedRegistry::add_blob(std::string_view repository, std::string content) {
  const Digest digest = Digest::of(content);
  add_blob_as(repository, digest, std::move(content));
  return digest;
}

void ScriptedRegistry::add_blob_as(std::string_view repository, const Digest& digest, std::string content) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].blobs[digest] = std::make_shared<const std::string>(std::move(content));
}

Digest ScriptedRegistry::add_manifest(std::string_view repository, std::string content, std::string_view media_type,
                                      std::string_view tag) {
  const Digest digest = Digest::of(content);
  const MutexLock lock(state_->mutex);
  auto& stored = state_->repositories[std::string(repository)];
  stored.manifests.insert_or_assign(
      digest, StoredManifest{std::make_shared<const std::string>(std::move(content)), std::string(media_type)});
  if (!tag.empty()) stored.tags.insert_or_assign(std::string(tag), digest);
  return digest;
}

TestImage ScriptedRegistry::add_image(std::string_view repository, std::string_view tag,
                                      const std::vector<std::string>& layers) {
  const std::string config = R"({"architecture":"amd64","os":"linux","config":{}})";
  TestImage image{.manifest = Digest::of(""), .config = add_blob(repository, config), .layers = {}, .content = {}};
  const auto descriptor = [](std::string_view type, const Digest& digest, std::size_t size) {
    return nlohmann::json{{"mediaType", type}, {"digest", digest.to_string()}, {"size", size}};
  };
  nlohmann::json entries = nlohmann::json::array();
  for (const auto& layer : layers) {
    image.layers.push_back(add_blob(repository, layer));
    entries.push_back(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", image.layers.back(), layer.size()));
  }
  image.content = nlohmann::json{
      {"schemaVersion", 2},
      {"mediaType", oci_manifest_type},
      {"config", descriptor("application/vnd.oci.image.config.v1+json", image.config, config.size())},
      {"layers",
       entries}}.dump();
  image.manifest = add_manifest(repository, image.content, oci_manifest_type, tag);
  return image;
}

void ScriptedRegistry::set_tag(std::string_view repository, std::string_view tag, const Digest& digest) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].tags.insert_or_assign(std::string(tag), digest);
}

void ScriptedRegistry::remove_tag(std::string_view repository, std::string_view tag) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].tags.erase(std::string(tag));
}

void ScriptedRegistry::add_object(std::string_view target, std::string content) {
  const MutexLock lock(state_->mutex);
  state_->objects[std::string(target)] = std::make_shared<const std::string>(std::move(content));
}

void ScriptedRegistry::offer_referrers(bool on) {
  const MutexLock lock(state_->mutex);
  state_->referrers_api = on;
}

void ScriptedRegistry::require_token(std::shared_ptr<TokenIssuer> issuer, std::string realm) {
  const MutexLock lock(state_->mutex);
  state_->wanted_tokens = issuer;
  state_->served_tokens = std::move(issuer);
  state_->realm = realm.empty() ? url() + "/token" : std::move(realm);
}

void ScriptedRegistry::require_basic(std::string username, std::string password) {
  const MutexLock lock(state_->mutex);
  state_->basic = username.empty() ? std::string() : basic_credentials(username, password);
}

void ScriptedRegistry::serve_tokens(std::shared_ptr<TokenIssuer> issuer) {
  const MutexLock lock(state_->mutex);
  state_->served_tokens = std::move(issuer);
}

void ScriptedRegistry::script(std::string match, Behaviour behaviour, std::size_t times) {
  const MutexLock lock(state_->mutex);
  state_->rules.push_back({std::move(match), std::move(behaviour), times, times == 0});
}

void ScriptedRegistry::hook(Hook hook) {
  const MutexLock lock(state_->mutex);
  state_->hook = std::move(hook);
}

void ScriptedRegistry::clear_script() {
  const MutexLock lock(state_->mutex);
  state_->rules.clear();
  state_->hook = nullptr;
}

void ScriptedRegistry::release() {
  const MutexLock lock(state_->mutex);
  ++state_->releases;
  state_->changed.notify_all();
}

void ScriptedRegistry::go_away() {
  state_->stop();
  state_->reserve_port();
}

void ScriptedRegistry::come_back() { state_->start(); }

Behaviour ScriptedRegistry::State::behaviour_for(const SeenRequest& request) {
  Hook asked;
  {
    const MutexLock lock(mutex);
    asked = hook;
  }
  if (asked) {
    if (auto behaviour = asked(request)) return *std::move(behaviour);
  }
  const MutexLock lock(mutex);
  const auto rule = std::ranges::find_if(rules, [&](const Rule& r) { return matches(request.line(), r.match); });
  if (rule == rules.end()) return {};
  Behaviour behaviour = rule->behaviour;
  if (!rule->forever && --rule->left == 0) rules.erase(rule);
  return behaviour;
}

std::vector<SeenRequest> ScriptedRegistry::requests(std::string_view match) const {
  const MutexLock lock(state_->mutex);
  std::vector<SeenRequest> found;
  std::ranges::copy_if(state_->seen, std::back_inserter(found),
                       [&](const SeenRequest& request) { return matches(request.line(), match); });
  return found;
}

std::size_t ScriptedRegistry::count(std::string_view match) const { return requests(match).size(); }

std::uint64_t ScriptedRegistry::body_bytes(std::string_view match) const {
  const MutexLock lock(state_->mutex);
  std::uint64_t total = 0;
  for (const auto& [line, bytes] : state_->sent) {
    if (matches(line, match)) total += bytes;
  }
  return total;
}

std::size_t ScriptedRegistry::connections() const {
  const MutexLock lock(state_->mutex);
  return state_->accepted;
}

bool ScriptedRegistry::wait_for_requests(std::size_t n, std::string_view match) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(state_->mutex);
  for (;;) {
    const auto found = std::ranges::count_if(state_->sent, [&](const auto& one) { return matches(one.first, match); });
    if (std::cmp_greater_equal(found, n)) return true;
    if (!state_->changed.wait_until(state_->mutex, deadline)) return false;
  }
}

bool ScriptedRegistry::wait_for_stalled(std::size_t n) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(state_->mutex);
  while (state_->stalled < n) {
    if (!state_->changed.wait_until(state_->mutex, deadline)) return false;
  }
  return true;
}

}  // namespace paddock::test
