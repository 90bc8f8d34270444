// MirroredUpstream: an upstream with others that carry the same content under the same repository names.
//
// What is asked for by digest is asked of the next one when one has not got it or cannot be reached; the digest says
// whether it is the same. A refusal (401, 403) by the upstream itself is final: its private content stays private.
// Tags, lists and referrers are the upstream's own alone. Errors are the upstream's own. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/upstream/upstream.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"

namespace paddock {

class MirroredUpstream final : public Upstream {
 public:
  // The first of `members` is the one that clients name; at least one.
  MirroredUpstream(std::vector<std::shared_ptr<Upstream>> members, const Clock& clock);

  [[nodiscard]] const std::string& name() const override { return members_.front()->name(); }
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override { return members_.front()->endpoints(); }
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string& source) override;
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  template <typename T>
  Task<Result<T>> over_members(std::string what, std::function<Task<Result<T>>(std::shared_ptr<Upstream>)> ask);

  Task<Result<BlobTransfer>> noting_source(std::shared_ptr<Upstream> member, std::string repository, Digest digest,
                                           std::uint64_t offset, std::optional<std::uint64_t> length);
  [[nodiscard]] std::vector<std::shared_ptr<Upstream>> in_order();

  const std::vector<std::shared_ptr<Upstream>> members_;
  NegativeCache without_;            // who has not got what, so that each piece of a blob is not asked of them again
  NegativeCache away_, distrusted_;  // names of members
  Mutex mutex_;
  std::map<std::string, std::string> sources_ PADDOCK_GUARDED_BY(mutex_);  // BlobTransfer::source -> member's name
};

}  // namespace paddock
