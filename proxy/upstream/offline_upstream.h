// OfflineUpstream: stands in for an upstream when the configuration says `offline`: nothing leaves this machine, and
// every question is `unavailable` at once, so that what is cached is served as it is. Thread-safe.
#pragma once

#include <string>
#include <utility>

#include "proxy/upstream/upstream.h"

namespace paddock {

class OfflineUpstream final : public Upstream {
 public:
  explicit OfflineUpstream(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string&, Doubt) override {}
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  const std::string name_;
};

}  // namespace paddock
