// MirroredUpstream: an upstream with others that carry the same content under the same repository names.
//
// What is asked for by digest is asked of the next one when one has not got it or cannot be reached; the digest says
// whether it is the same. Tags, lists and referrers are the upstream's own alone.
// A refusal (401, 403) by the upstream itself is final: its private content stays private. So whether something is
// there is asked of it first, also while its bytes are distrusted. Only an outage is none: while its word is missing,
// or has been for the last half minute, mirrors speak for it. No mirror is asked for what its own rules close. Errors
// are the upstream's own; but not_found is what all have said: where it says so and a mirror could not be asked, the
// error is the mirror's. All members share the time that one alone would have. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream/upstream.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"

namespace paddock {

class MirroredUpstream final : public Upstream {
 public:
  struct Member {
    std::shared_ptr<Upstream> upstream;
    std::function<bool(const std::string& repository)> allows{};  // absent: all
  };
  struct Budgets {  // as UpstreamOptions
    std::chrono::milliseconds metadata{12'000}, blob{20'000};
  };
  // The first of `members` is the one that clients name, and allowed everything; at least one.
  MirroredUpstream(std::vector<Member> members, const Clock& clock, Budgets budgets);
  MirroredUpstream(std::vector<Member> members, const Clock& clock)
      : MirroredUpstream(std::move(members), clock, Budgets()) {}

  [[nodiscard]] const std::string& name() const override { return own()->name(); }
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override { return own()->endpoints(); }
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string& source, Doubt doubt) override;
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  enum class Question : std::uint8_t { access, bytes };
  template <typename T>
  using Ask = std::function<Task<Result<T>>(std::shared_ptr<Upstream>)>;
  template <typename T>
  Task<Result<T>> over_members(Question question, std::string repository, std::string what, Ask<T> ask);

  Task<Result<BlobTransfer>> noting_source(std::shared_ptr<Upstream> member, std::string repository, Digest digest,
                                           std::uint64_t offset, std::optional<std::uint64_t> length);
  [[nodiscard]] std::vector<std::shared_ptr<Upstream>> in_order(const std::string& repository, Question question);
  [[nodiscard]] const std::shared_ptr<Upstream>& own() const { return members_.front().upstream; }

  const std::vector<Member> members_;
  const Budgets budgets_;
  NegativeCache without_;  // who has not got what another has, so that each piece of a blob is not asked of them again
  NegativeCache away_, distrusted_;  // names of members
  Mutex mutex_;
  std::map<std::string, std::string> sources_ PADDOCK_GUARDED_BY(mutex_);  // BlobTransfer::source -> member's name
};

}  // namespace paddock
