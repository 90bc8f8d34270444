// RegistryFixture: the whole registry side over a store in memory and fake upstreams.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/registry/handler.h"
#include "tests/support/cache_fixture.h"

namespace paddock::test {

inline const std::string image_type = "application/vnd.oci.image.manifest.v1+json";
inline const std::string repo = "paddlepaddle/paddle";

// What a client received.
struct Received {
  int status = 0;
  Headers headers;
  std::string body;
  std::uint64_t length = 0;  // as announced
  std::optional<Error> aborted;

  [[nodiscard]] std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  [[nodiscard]] std::string error_code() const {
    const auto parsed = json();
    return parsed.is_object() && parsed.contains("errors") ? parsed["errors"][0].value("code", "") : "";
  }
};

struct RegistryFixture : CacheFixture {
  ~RegistryFixture() { shut_down(); }

  FillCoordinator fills{
      loops,
      pool,
      blobs,
      {.fetch = {.buffer = 4096, .retry = {.attempts = 3, .base = std::chrono::milliseconds(1)}}, .clock = &clock}};
  UncachedStreams uncached{
      loops, pool, {.stream = {.block = 4096, .retry = {.attempts = 3, .base = std::chrono::milliseconds(1)}}}};
  ManifestSource manifests{pool, catalog, store, clock, {}};
  TagResolver tags{pool, catalog, store, manifests, clock, {}};
  std::shared_ptr<FakeUpstream> hub = std::make_shared<FakeUpstream>("docker.io");
  CurrentUpstreams upstreams{std::make_shared<const UpstreamSet>(
      UpstreamSet{UpstreamSelector({{"up.example", {"paddlepaddle/*", "a/b"}, true}, {"docker.io", {"**"}, false}}),
                  {{"up.example", {upstream, {}}}, {"docker.io", {hub, {}}}},
                  "up.example",
                  false,
                  {}})};
  RegistryHandler handler{
      {pool, catalog, blobs, fills, uncached, manifests, tags, upstreams, std::chrono::seconds(30)}};

  // An image of one layer, tagged.
  std::string layer = pattern(200'000);
  std::string config = R"({"architecture":"amd64","os":"linux"})";
  Digest layer_digest = upstream->add_blob(repo, layer);
  Digest config_digest = upstream->add_blob(repo, config);
  std::string manifest = make_manifest(config, layer);
  Digest manifest_digest = upstream->add_manifest(repo, manifest, image_type, "2.6");

  static std::string make_manifest(const std::string& config, const std::string& layer) {
    return nlohmann::json{{"schemaVersion", 2},
                          {"mediaType", image_type},
                          {"config",
                           {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                            {"digest", Digest::of(config).to_string()},
                            {"size", config.size()}}},
                          {"layers",
                           {{{"mediaType", "application/vnd.oci.image.layer.v1.tar+gzip"},
                             {"digest", Digest::of(layer).to_string()},
                             {"size", layer.size()}}}}}
        .dump();
  }

  static std::string blob_path(const Digest& digest) { return "/v2/" + repo + "/blobs/" + digest.to_string(); }
  static std::string manifest_path(const std::string& reference) { return "/v2/" + repo + "/manifests/" + reference; }

  Received get(const std::string& target, Headers headers = {}) { return send("GET", target, std::move(headers)); }
  Received head(const std::string& target, Headers headers = {}) { return send("HEAD", target, std::move(headers)); }
  Received send(const std::string& method, const std::string& target, Headers headers = {}) {
    return start(exchange(make_request(method, target, std::move(headers)))).get();
  }

  static Request make_request(const std::string& method, const std::string& target, Headers headers) {
    Request request;
    request.method_name = method;
    request.method = method == "GET" ? Method::get : method == "HEAD" ? Method::head : Method::other;
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = target.substr(question + 1);
    request.headers = std::move(headers);
    return request;
  }

  Task<Received> exchange(Request request) {
    auto response = co_await handler.handle(request);
    Received received{response.status, response.headers, {}, 0, {}};
    if (auto* text = std::get_if<std::string>(&response.body)) received.body = *text;
    if (auto* text = std::get_if<std::shared_ptr<const std::string>>(&response.body)) received.body = **text;
    received.length = received.body.size();
    if (auto* stream = std::get_if<BodyStream>(&response.body)) {
      received.length = stream->length;
      if (request.method == Method::get) co_await drain(*stream, received);
    }
    if (request.method == Method::head) received.body.clear();
    co_return received;
  }

  static Task<void> drain(const BodyStream& stream, Received& received) {
    while (received.body.size() < stream.length) {
      auto piece = co_await stream.next();
      if (!piece) {
        received.aborted = piece.error();
        co_return;
      }
      if (auto* text = std::get_if<std::shared_ptr<const std::string>>(&*piece)) {
        received.body += **text;
        continue;
      }
      const auto& region = std::get<FileRegion>(*piece);
      std::string bytes(region.length, '\0');
      auto got = region.file->read_at(region.offset, std::as_writable_bytes(std::span(bytes)));
      if (!got || *got != region.length) {
        received.aborted = Error{ErrorCode::io, Blame::us, "short region"};
        co_return;
      }
      received.body += bytes;
    }
  }
};

}  // namespace paddock::test
