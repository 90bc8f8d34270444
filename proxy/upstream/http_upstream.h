// HttpUpstream: an upstream registry over HTTP(S), as strangers run them: several endpoints with the same content,
// tokens from other hosts, redirects to object storage, HEAD or Range not supported, outages.
//
// Endpoints are tried in the order of EndpointHealth; the next one is asked when one cannot be reached, or gives bytes
// that are not what it was asked for. What a reachable endpoint denies is denied.
// Thread-safe. Destroy it when no call is in progress; `client` and `clock` outlive the event loops' work. Transfers
// may outlive it. Errors: as upstream.h. Metadata has one deadline over all tries, a blob one until its first byte.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/upstream/endpoint_health.h"
#include "proxy/upstream/exchange.h"
#include "proxy/upstream/upstream.h"
#include "proxy/upstream/upstream_options.h"

namespace paddock {

class HttpUpstream final : public Upstream {
 public:
  using Options = UpstreamOptions;

  HttpUpstream(Options options, HttpClient& client, const Clock& clock, UpstreamObserver observer = {});

  [[nodiscard]] const std::string& name() const override { return options_->name; }
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override;
  [[nodiscard]] std::shared_ptr<Upstream> until(SteadyTime deadline) const override;
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string& source, Doubt doubt) override;
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  template <typename T>
  using Ask = std::function<Task<Result<T>>(Effort)>;
  // What a digest names may be missing at one endpoint and be at another; of tags and lists each has the last word.
  enum class About : std::uint8_t { name, digest, bytes };  // bytes: by digest too
  static About about(const std::string& reference);
  // What `ask` gets out of the first endpoint that is in order and has it.
  template <typename T>
  Task<Result<T>> over_endpoints(About about, Ask<T> ask);
  [[nodiscard]] Effort effort_for(std::size_t endpoint, std::size_t endpoints_left, SteadyTime deadline,
                                  bool whole) const;
  void note(std::size_t endpoint, const Error* error);

  // At one endpoint.
  Task<Result<ManifestInfo>> head_manifest_at(std::string repository, std::string reference, Effort effort);
  Task<Result<FetchedManifest>> get_manifest_at(std::string repository, std::string reference, Effort effort);
  Task<Result<BlobInfo>> head_blob_at(std::string repository, Digest digest, Effort effort);
  Task<Result<BlobInfo>> blob_size_at(std::string repository, Digest digest, bool ranged, Effort effort);
  Task<Result<BlobTransfer>> get_blob_at(std::string repository, Digest digest, std::uint64_t offset,
                                         std::optional<std::uint64_t> length, Effort effort);
  Task<Result<TagPage>> list_tags_at(std::string repository, std::size_t limit, std::string last, Effort effort);
  Task<Result<std::string>> referrers_at(std::string repository, Digest digest, Effort effort);
  // From the referrers API, all pages; nothing when the registry does not have it.
  Task<Result<std::optional<std::string>>> listed_referrers_at(std::string repository, Digest digest, Effort effort);

  const std::shared_ptr<const UpstreamOptions> options_;
  const std::shared_ptr<Exchange> exchange_;
  const std::shared_ptr<EndpointHealth> health_;  // transfers may outlive this
  SteadyTime latest_ = SteadyTime::max();
};

// invalid_argument (client) unless it can be put into a target.
Result<void> check_repository(const std::string& repository);

}  // namespace paddock
