// PodmanEngine: podman, through its program.
//
// A registries.conf of this run's own says that the image's repository is at the cache and nowhere else, so that the
// image is pulled under its original name from the beginning; there is nothing to be renamed.
//
// See engine.h.
#pragma once

#include <string>

#include "proxy/host/prepull/engine.h"
#include "proxy/host/prepull/engine_program.h"

namespace paddock {

class PodmanEngine final : public Engine {
 public:
  // not_found: there is no podman. unavailable: it does not work.
  static Result<std::unique_ptr<Engine>> open(CacheAccess cache, const std::string& program = "podman");

  [[nodiscard]] std::string name() const override { return "podman"; }
  [[nodiscard]] std::string describe() const override { return "podman " + version_; }
  [[nodiscard]] Result<ImageReference> kept_as(const ImageReference& original) const override;
  Result<std::optional<EngineImage>> find(const ImageReference& image, const std::string& platform) override;
  Result<void> pull(const PullOrder& order, PullWatch& watch) override;
  void tidy(const PullOrder& order, PullWatch& watch) override;

 private:
  PodmanEngine(EngineProgram podman, CacheAccess cache) : podman_(std::move(podman)), cache_(std::move(cache)) {}

  EngineProgram podman_;
  CacheAccess cache_;
  std::string version_{};
};

}  // namespace paddock
