// ContainerdEngine: containerd through ctr, in the namespace of Kubernetes or another.
//
// A hosts folder of this run's own sends the image's registry to the cache and nowhere else, so that the image is
// pulled under its original name from the beginning; there is nothing to be renamed.
//
// See engine.h.
#pragma once

#include <string>

#include "proxy/host/prepull/engine.h"
#include "proxy/host/prepull/engine_program.h"

namespace paddock {

class ContainerdEngine final : public Engine {
 public:
  struct Options {
    std::string program = "ctr";
    std::string address{};  // of containerd's socket; empty: ctr's own idea, or CONTAINERD_ADDRESS
    std::string name_space = "k8s.io";
  };
  // not_found: there is no ctr. unavailable: containerd does not answer it.
  static Result<std::unique_ptr<Engine>> open(const Options& options, CacheAccess cache);

  [[nodiscard]] std::string name() const override { return "containerd"; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] Result<ImageReference> kept_as(const ImageReference& original) const override;
  Result<std::optional<EngineImage>> find(const ImageReference& image, const std::string& platform) override;
  Result<void> pull(const PullOrder& order, PullWatch& watch) override;
  void tidy(const PullOrder& order, PullWatch& watch) override;

 private:
  ContainerdEngine(EngineProgram ctr, std::string name_space, CacheAccess cache)
      : ctr_(std::move(ctr)), name_space_(std::move(name_space)), cache_(std::move(cache)) {}

  EngineProgram ctr_;
  std::string name_space_;
  CacheAccess cache_;
  std::string version_{};
  bool has_local_ = false;  // ctr 2 leaves pulls to containerd, which does not see our folder, unless told otherwise
};

}  // namespace paddock
