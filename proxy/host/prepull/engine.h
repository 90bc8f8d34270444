// Engine: what pre-pulling asks of a container engine: what it holds under an image's original name, and to pull the
// image through the cache so that it ends up under that name and no other.
//
// Blocking; for one thread. What engines and their programs say is not trusted: it is limited and checked.
// Errors: unavailable and timeout (the engine, or the cache as the engine sees it), denied (its socket), unsupported,
// protocol, cancelled, io. They say what to do where that is known.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/host/prepull/pull_progress.h"
#include "proxy/net/url.h"
#include "proxy/oci/reference.h"
#include "storage/error.h"

namespace paddock {

// How an engine gets to the cache. Credentials are handed on in files and headers, never as arguments of a program.
struct CacheAccess {
  Url url;
  std::string user{}, password{};  // empty: none
  std::string ca_file{};           // PEM, absolute; empty: what the engine trusts
};

struct EngineImage {
  // By which it knows the content: of a manifest, an index or a configuration, whatever the engine keeps.
  std::vector<Digest> digests;
  // Of the content that it holds; empty: it does not say. An index's digest alone tells nothing of that.
  std::string platform{};

  // "repository@sha256:..." or a digest alone; whatever else is no digest is passed over.
  void add(std::string_view name) {
    if (auto digest = Digest::parse(name.substr(name.find('@') + 1))) digests.push_back(*std::move(digest));
  }
  [[nodiscard]] bool is(const Digest& digest) const { return std::ranges::find(digests, digest) != digests.end(); }
};

// Follows one pull, and ends it: when told to, or when nothing new has come for too long.
class PullWatch {
 public:
  struct Options {
    std::chrono::milliseconds patience = std::chrono::minutes(30);
    std::function<bool()> stopped = [] { return false; };
    std::function<void(const PullProgress&)> show = [](const auto&) {};
  };

  PullWatch(PullProgress progress, Options options) : progress_(std::move(progress)), options_(std::move(options)) {}

  [[nodiscard]] PullProgress& progress() { return progress_; }
  // Shows how far it is. cancelled or timeout once it has to end; to be asked several times a second.
  Result<void> look();
  // For a person, beside the outcome.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  PullProgress progress_;
  Options options_;
  std::vector<std::string> notes_;
  std::uint64_t steps_ = 0;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

struct PullOrder {
  ImageReference image;    // as Engine::kept_as() has it
  Digest digest;           // of what the cache gives for it: a manifest or an index
  std::string platform{};  // "linux/arm64"; empty: the engine's own
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string name() const = 0;      // "docker"
  [[nodiscard]] virtual std::string describe() const = 0;  // "docker 20.10.24 at /var/run/docker.sock"
  // The name under which this engine can keep an image that is asked for by `original`. unsupported: by none.
  [[nodiscard]] virtual Result<ImageReference> kept_as(const ImageReference& original) const = 0;
  // Nothing when it is not there, or not whole. `platform` as in PullOrder, for engines that keep several under a name.
  virtual Result<std::optional<EngineImage>> find(const ImageReference& image, const std::string& platform) = 0;
  virtual Result<void> pull(const PullOrder& order, PullWatch& watch) = 0;
  // Of an image that is there: takes away what a pull that was interrupted has left beside it.
  virtual void tidy(const PullOrder& order, PullWatch& watch) = 0;
};

}  // namespace paddock
