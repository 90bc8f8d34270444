// NoUpstream: the source of a fill that is to do with what is on the disk: it has nothing, so that whoever joins the
// fill is asked in its place. Every question is not_found at once. Thread-safe.
#pragma once

#include <string>

#include "proxy/upstream/upstream.h"

namespace paddock {

class NoUpstream final : public Upstream {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  Task<Result<ManifestInfo>> head_manifest(std::string, std::string) override { co_return nothing(); }
  Task<Result<FetchedManifest>> get_manifest(std::string, std::string) override { co_return nothing(); }
  Task<Result<BlobInfo>> head_blob(std::string, Digest) override { co_return nothing(); }
  Task<Result<BlobTransfer>> get_blob(std::string, Digest, std::uint64_t, std::optional<std::uint64_t>) override {
    co_return nothing();
  }
  void distrust(const std::string&, Doubt) override {}
  Task<Result<TagPage>> list_tags(std::string, std::size_t, std::string) override { co_return nothing(); }
  Task<Result<std::string>> referrers(std::string, Digest) override { co_return nothing(); }

 private:
  static std::unexpected<Error> nothing() {
    return fail(ErrorCode::not_found, Blame::upstream, "nobody has asked for it yet");
  }

  const std::string name_ = "-";
};

}  // namespace paddock
