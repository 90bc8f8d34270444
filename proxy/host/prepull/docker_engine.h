// DockerEngine: Docker through its Engine API.
//
// The image is pulled by the digest that the cache gives, under the cache's name, so that Docker itself checks it; then
// it gets its original name, and only then the cache's is taken away: at no moment is it without a name. What an
// interruption leaves of the cache's name the next run takes away.
//
// See engine.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/prepull/docker_socket.h"
#include "proxy/host/prepull/engine.h"

namespace paddock {

class DockerEngine final : public Engine {
 public:
  // unavailable or denied: Docker does not answer there. unsupported: it is podman that does.
  static Result<std::unique_ptr<Engine>> open(const std::string& socket, CacheAccess cache);

  [[nodiscard]] std::string name() const override { return "docker"; }
  [[nodiscard]] std::string describe() const override { return "docker " + version_ + " at " + socket_.path(); }
  [[nodiscard]] Result<ImageReference> kept_as(const ImageReference& original) const override;
  Result<std::optional<EngineImage>> find(const ImageReference& image, const std::string& platform) override;
  Result<void> pull(const PullOrder& order, PullWatch& watch) override;
  void tidy(const PullOrder& order, PullWatch& watch) override;

 private:
  DockerEngine(DockerSocket socket, CacheAccess cache) : socket_(std::move(socket)), cache_(std::move(cache)) {}
  struct Inspected {
    EngineImage image{};
    std::vector<std::string> names{};  // every one that it has, by tag and by digest
  };
  [[nodiscard]] std::string target(const std::string& rest) const { return api_ + rest; }
  // Nothing when there is no such image.
  Result<std::optional<Inspected>> inspect(const std::string& name, const std::string& platform);
  Result<void> fetch(const std::string& repository, const PullOrder& order, PullWatch& watch);
  Result<void> tag(const std::string& from, const ImageReference& to);
  // Takes the cache's name by digest away, unless another name of the image begins so.
  void unname(const PullOrder& order, std::string_view unless, PullWatch& watch);
  [[nodiscard]] Error with_remedy(std::string_view message) const;

  DockerSocket socket_;
  CacheAccess cache_;
  std::string api_{};             // "/v1.41"
  bool knows_platforms_ = false;  // asked for one of several under a name
  std::string version_ = "of unknown version";
};

// The path of DOCKER_HOST's socket, or Docker's usual one where that is empty. unsupported: a host of another kind.
Result<std::string> docker_socket_path(std::string_view docker_host);

}  // namespace paddock
