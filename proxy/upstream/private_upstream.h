// PrivateUpstream: an upstream that is asked in a client's name, for repositories under their private keys.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream/upstream.h"

namespace paddock {

class PrivateUpstream final : public Upstream {
 public:
  explicit PrivateUpstream(std::shared_ptr<Upstream> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] const std::string& name() const override { return inner_->name(); }
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override { return inner_->endpoints(); }
  [[nodiscard]] std::shared_ptr<Upstream> until(SteadyTime deadline) const override;
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string& source, Doubt doubt) override { inner_->distrust(source, doubt); }
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  const std::shared_ptr<Upstream> inner_;
};

}  // namespace paddock
