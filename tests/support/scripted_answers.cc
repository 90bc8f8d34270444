// What a registry in good order answers, and how a Behaviour changes it.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "tests/support/scripted_state.h"

namespace paddock::test {
namespace {

using Json = nlohmann::json;

Answer text_answer(int status, std::string_view type, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", std::string(type)}},
          .body = std::make_shared<const std::string>(std::move(body))};
}

Answer error_answer(int status, std::string_view code) {
  return text_answer(status, "application/json",
                     Json{{"errors", {{{"code", code}, {"message", "scripted " + std::string(code)}}}}}.dump());
}

// The path as an origin server sees it, when a client took us for its forward proxy.
std::string origin_path(const SeenRequest& request) {
  std::string path = request.target;
  if (path.starts_with("http://")) path.erase(0, std::min(path.find('/', 7), path.size()));
  return path;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Only "bytes=A-" and "bytes=A-B", as a cache sends them.
void apply_range(Answer& answer, const std::string& range) {
  const std::uint64_t size = answer.body->size();
  answer.headers.set("Accept-Ranges", "bytes");
  const auto dash = range.find('-');
  if (!range.starts_with("bytes=") || dash == std::string::npos) return;
  const auto first = number(std::string_view(range).substr(6, dash - 6));
  const auto last = number(std::string_view(range).substr(dash + 1));
  if (!first) return;
  if (*first >= size) {
    answer = error_answer(416, "RANGE_INVALID");
    answer.headers.set("Content-Range", "bytes */" + std::to_string(size));
    return;
  }
  const std::uint64_t end = std::min(size, last ? *last + 1 : size);
  answer.status = 206;
  answer.first = *first;
  answer.length = end - *first;
  answer.headers.set("Content-Range",
                     "bytes " + std::to_string(*first) + '-' + std::to_string(end - 1) + '/' + std::to_string(size));
}

Answer bytes_answer(std::shared_ptr<const std::string> content, const std::string& digest) {
  Answer answer;
  answer.headers.set("Content-Type", "application/octet-stream");
  if (!digest.empty()) answer.headers.set("Docker-Content-Digest", digest);
  answer.body = std::move(content);
  return answer;
}

// "pull" access, as a scope of the token specification.
std::string scope_of(const SeenRequest& request) {
  const std::string path = origin_path(request);
  std::size_t end = std::string::npos;
  for (const auto* word : {"/manifests/", "/blobs/", "/tags/", "/referrers/"}) {
    end = std::min(end, path.rfind(word));
  }
  return end == std::string::npos ? "" : "repository:" + path.substr(4, end - 4) + ":pull";
}

}  // namespace

Answer ScriptedRegistry::State::answer_for(const SeenRequest& request, const Behaviour& behaviour) const {
  if (behaviour.redirect) {
    Answer answer = text_answer(behaviour.status.value_or(307), "text/plain", behaviour.body);
    answer.headers.set("Location", *behaviour.redirect);
    return answer;
  }
  if (behaviour.status) return text_answer(*behaviour.status, behaviour.content_type, behaviour.body);
  if (auto refusal = refuse_unauthorized(request)) return *std::move(refusal);
  Answer answer = registry_answer(request);
  const bool bytes = answer.headers.get("Content-Type") == "application/octet-stream";
  if (answer.status == 200 && bytes && !behaviour.ignore_range) apply_range(answer, request.header("Range"));
  return answer;
}

Answer ScriptedRegistry::State::token_answer(const SeenRequest& request) const {
  std::shared_ptr<TokenIssuer> issuer;
  {
    const MutexLock lock(mutex);
    issuer = served_tokens;
  }
  if (!issuer) return error_answer(404, "NOT_FOUND");
  const auto& options = issuer->options();
  if (!options.username.empty() &&
      request.header("Authorization") != basic_credentials(options.username, options.password)) {
    return error_answer(401, "UNAUTHORIZED");
  }
  Json json{{options.field, issuer->issue(request.query("scope"))}};
  if (options.expires_in) json["expires_in"] = *options.expires_in;
  return text_answer(200, "application/json", json.dump());
}

std::optional<Answer> ScriptedRegistry::State::refuse_unauthorized(const SeenRequest& request) const {
  if (!origin_path(request).starts_with("/v2/")) return std::nullopt;
  const MutexLock lock(mutex);
  const std::string authorization = request.header("Authorization");
  if (!basic.empty() && authorization != basic) {
    Answer answer = error_answer(401, "UNAUTHORIZED");
    answer.headers.set("WWW-Authenticate", "Basic realm=\"scripted\"");
    return answer;
  }
  if (!wanted_tokens) return std::nullopt;
  const std::string scope = scope_of(request);
  if (authorization.starts_with("Bearer ") && wanted_tokens->valid(authorization.substr(7), scope)) return std::nullopt;
  Answer answer = error_answer(401, "UNAUTHORIZED");
  answer.headers.set("WWW-Authenticate", "Bearer realm=\"" + realm + "\",service=\"" +
                                             wanted_tokens->options().service + "\",scope=\"" + scope + "\"");
  return answer;
}

Answer ScriptedRegistry::State::registry_answer(const SeenRequest& request) const {
  const std::string target = origin_path(request);
  const std::string path = target.substr(0, target.find('?'));
  if (path == "/token") return token_answer(request);
  const MutexLock lock(mutex);
  if (const auto object = objects.find(target); object != objects.end()) return bytes_answer(object->second, "");
  if (path == "/v2/") return text_answer(200, "application/json", "{}");
  for (const std::string_view word : {"/manifests/", "/blobs/", "/tags/list", "/referrers/"}) {
    const auto at = path.rfind(word);
    if (!path.starts_with("/v2/") || at == std::string::npos || at < 4) continue;
    const std::string name = path.substr(4, at - 4);
    const std::string reference = path.substr(at + word.size());
    const auto repository = repositories.find(name);
    if (repository == repositories.end()) return error_answer(404, "NAME_UNKNOWN");
    if (word == "/manifests/") return manifest_answer(repository->second, reference);
    if (word == "/tags/list") return tags_answer(name, repository->second, request);
    if (word == "/referrers/") return referrers_answer(repository->second, reference);
    const auto digest = Digest::parse(reference);
    const auto blob = digest ? repository->second.blobs.find(*digest) : repository->second.blobs.end();
    if (blob == repository->second.blobs.end()) return error_answer(404, "BLOB_UNKNOWN");
    return bytes_answer(blob->second, reference);
  }
  return error_answer(404, "NOT_FOUND");
}

Answer ScriptedRegistry::State::manifest_answer(const Repository& repository, std::string_view reference) const {
  const auto tag = repository.tags.find(std::string(reference));
  const auto digest = tag != repository.tags.end() ? Result<Digest>(tag->second) : Digest::parse(reference);
  const auto manifest = digest ? repository.manifests.find(*digest) : repository.manifests.end();
  if (manifest == repository.manifests.end()) return error_answer(404, "MANIFEST_UNKNOWN");
  Answer answer = text_answer(200, manifest->second.media_type, "");
  answer.body = manifest->second.content;
  answer.headers.set("Docker-Content-Digest", digest->to_string());
  return answer;
}

Answer ScriptedRegistry::State::tags_answer(const std::string& name, const Repository& repository,
                                            const SeenRequest& request) const {
  const std::string last = request.query("last");
  const std::uint64_t limit = number(request.query("n")).value_or(10'000);
  Json tags = Json::array();
  bool more = false;
  for (const auto& [tag, digest] : repository.tags) {
    if (tag <= last) continue;
    more = tags.size() == limit;
    if (more) break;
    tags.push_back(tag);
  }
  Answer answer = text_answer(200, "application/json", Json{{"name", name}, {"tags", tags}}.dump());
  if (more && limit > 0) {
    answer.headers.set("Link", "</v2/" + name + "/tags/list?n=" + std::to_string(limit) +
                                   "&last=" + tags.back().get<std::string>() + ">; rel=\"next\"");
  }
  return answer;
}

Answer ScriptedRegistry::State::referrers_answer(const Repository& repository, std::string_view subject) const {
  if (!referrers_api) return text_answer(404, "text/plain", "404 page not found\n");
  Json entries = Json::array();
  for (const auto& [digest, manifest] : repository.manifests) {
    const Json json = Json::parse(*manifest.content, nullptr, false);
    if (!json.is_object() || !json.contains("subject") || json["subject"].value("digest", "") != subject) continue;
    entries.push_back({{"mediaType", manifest.media_type},
                       {"digest", digest.to_string()},
                       {"size", manifest.content->size()},
                       {"artifactType", json.value("artifactType", "")}});
  }
  return text_answer(200, oci_index_type,
                     Json{{"schemaVersion", 2}, {"mediaType", oci_index_type}, {"manifests", entries}}.dump());
}

}  // namespace paddock::test
