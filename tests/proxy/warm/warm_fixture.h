// WarmFixture: warm-ups over a store in memory and a FakeUpstream, and images made up for them.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/warm/jobs.h"
#include "proxy/warm/planner.h"
#include "proxy/warm/pull_history.h"
#include "tests/support/cache_fixture.h"

namespace paddock::test {

inline constexpr const char* image_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* index_type = "application/vnd.oci.image.index.v1+json";
inline const Error broken_connection{ErrorCode::unavailable, Blame::upstream, "connection reset", true};

inline nlohmann::json descriptor(const Digest& digest, std::size_t size, const char* type) {
  return {{"mediaType", type}, {"digest", digest.to_string()}, {"size", size}};
}

struct WarmFixture : CacheFixture {
  WarmFixture() { set_upstreams({"**"}); }
  ~WarmFixture() {
    jobs.stop();
    for (const auto& more : others) more->stop();
    fills.stop(std::chrono::seconds(30));
    shut_down();
  }

  void set_upstreams(std::vector<std::string> allow) {
    UpstreamSet set{UpstreamSelector({{"up.example", std::move(allow), true}}), {}, "up.example", false, {}};
    UpstreamSet::Entry entry;
    entry.upstream = upstream;
    set.entries.emplace("up.example", std::move(entry));
    upstreams.replace(std::make_shared<const UpstreamSet>(std::move(set)));
  }

  // The manifest's digest. Config and layers are blobs of the upstream.
  Digest add_image(const std::vector<std::string>& layers, std::string_view tag = {}) {
    std::string config = "{}";
    for (const auto& layer : layers) config += Digest::of(layer).hex().substr(0, 4);
    nlohmann::json manifest = {{"schemaVersion", 2}, {"mediaType", image_type}, {"layers", nlohmann::json::array()}};
    manifest["config"] = descriptor(upstream->add_blob(name, config), config.size(), "application/json");
    for (const auto& layer : layers) {
      manifest["layers"].push_back(descriptor(upstream->add_blob(name, layer), layer.size(), "application/tar"));
    }
    last_manifest = manifest.dump();
    return upstream->add_manifest(name, last_manifest, image_type, tag);
  }
  Digest add_index(const std::vector<std::pair<std::string, Digest>>& images, std::string_view tag) {
    nlohmann::json index = {{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", nlohmann::json::array()}};
    for (const auto& [platform, digest] : images) {
      auto entry = descriptor(digest, 1, image_type);
      const auto slash = platform.find('/');
      entry["platform"] = {{"os", platform.substr(0, slash)}, {"architecture", platform.substr(slash + 1)}};
      index["manifests"].push_back(std::move(entry));
    }
    return upstream->add_manifest(name, index.dump(), index_type, tag);
  }

  PlannedImage planned(std::string reference, std::vector<std::string> platforms = {"linux/amd64"}) {
    return start(planner.image(std::move(reference), std::move(platforms))).get();
  }
  WarmJobReport wait_for(const std::string& id) {
    return wait_until(id, [](const auto& job) { return is_final(job.state); });
  }
  template <typename F>
  WarmJobReport wait_until(const std::string& id, F is_so) {
    for (const auto until = soon(); std::chrono::steady_clock::now() < until; std::this_thread::yield()) {
      auto job = jobs.job(id).value();
      if (is_so(job)) return job;
    }
    FAIL("waited in vain for job " << id);
    return {};
  }
  WarmJobReport warm(WarmRequest request) { return wait_for(jobs.submit(std::move(request)).value().id); }
  // One more, which lives as long as the loops.
  WarmJobs& another(WarmJobs::Options with, WarmJobs::Parts of) {
    return *others.emplace_back(std::make_unique<WarmJobs>(std::move(of), with));
  }
  [[nodiscard]] WarmJobs::Parts parts() {
    return {.loops = loops,
            .pool = pool,
            .catalog = catalog,
            .blobs = blobs,
            .manifests = store,
            .space = space,
            .fills = fills,
            .planner = planner,
            .files = files,
            .clock = clock};
  }

  const std::string name = "paddlepaddle/paddle";
  std::string last_manifest;
  CurrentUpstreams upstreams{nullptr};
  ManifestSource manifests{pool, catalog, store, clock, {}};
  TagResolver tags{pool, catalog, store, manifests, clock, {.negative_ttl = std::chrono::seconds(0)}};
  TagLists lists{clock, {}};
  Planner planner{pool, catalog, manifests, tags, lists, upstreams};
  FillCoordinator fills{
      loops,
      pool,
      blobs,
      {.fetch = {.buffer = 4096,
                 .interval = std::chrono::milliseconds(5),
                 .straggler = no_straggler,
                 .retry = {.attempts = 2, .base = std::chrono::milliseconds(1), .cap = std::chrono::milliseconds(2)}},
       .clock = &clock}};
  JobFiles files{fs, folder.paths().jobs()};
  PullHistory pulls{
      fs, folder.paths().jobs() / "pulls.json", clock, {.offset = [](WallTime) { return std::chrono::seconds(0); }}};
  WarmJobs::Options options{
      .retry = {.attempts = 3, .base = std::chrono::milliseconds(1), .cap = std::chrono::milliseconds(2)},
      .interval = std::chrono::milliseconds(10)};
  WarmJobs jobs{parts(), options};
  std::vector<std::unique_ptr<WarmJobs>> others;
};

}  // namespace paddock::test
