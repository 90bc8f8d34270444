// FakeUpstream: an Upstream in memory, for unit tests of what stands on that seam. It fails and waits as told.
//
// A call is known by a line: "get_manifest a/b 1.0", "head_manifest ...", "get_blob a/b sha256:... 100" (the offset),
// "head_blob ...", "list_tags a/b", "referrers a/b sha256:...". `match` is looked for in it; empty matches all.
// Thread-safe. A held call gives up after half a minute with `timeout`, so that a broken test ends.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/upstream/upstream.h"
#include "storage/mutex.h"
#include "storage/notifier.h"

namespace paddock::test {

class FakeUpstream final : public Upstream {
 public:
  explicit FakeUpstream(std::string name = "fake.example");

  // Content.
  Digest add_blob(std::string_view repository, std::string content);
  void add_blob_as(std::string_view repository, const Digest& digest, std::string content);  // an upstream that lies
  Digest add_manifest(std::string_view repository, std::string content, std::string_view media_type,
                      std::string_view tag = {});
  void set_tag(std::string_view repository, std::string_view tag, const Digest& digest);
  void remove_tag(std::string_view repository, std::string_view tag);
  void set_referrers(std::string_view repository, const Digest& digest, std::string json);

  // Failures: the next `times` calls, or all for good when 0.
  void fail_calls(std::string match, Error error, std::size_t times = 1);
  void clear_failures();
  // The next transfer of a blob breaks with `error` when this many of its bytes have been read.
  void break_next_blob(std::uint64_t after, Error error);
  void ignore_ranges(bool on);                                 // get_blob starts at 0 and gives the whole
  void hide_sizes(bool on);                                    // BlobTransfer::size stays empty
  void announce_size(std::optional<std::uint64_t> size);       // what HEAD of any blob says, instead of the truth
  void limit_reads(std::size_t most);                          // bytes a read gives at most
  void throttle(double rate);                                  // bytes a second that each transfer brings; 0: no limit
  void set_etag(std::string etag);                             // of every transfer from now on
  void set_bandwidth(std::shared_ptr<TokenBucket> bandwidth);  // given out with every transfer from now on

  // Gates: matching calls wait at their start until release().
  void hold(std::string match);
  void hold_one(std::string match);  // only the next call that matches
  // Reads of blobs wait once this many bytes of the transfer have been given.
  void hold_blobs_at(std::uint64_t offset);
  // One transfer, the next to be opened, waits there.
  void hold_next_transfer_at(std::uint64_t offset);
  void release();  // opens all gates
  bool wait_for_held(std::size_t n = 1) const;

  [[nodiscard]] std::vector<std::string> calls(std::string_view match = {}) const;
  [[nodiscard]] std::size_t count(std::string_view match = {}) const { return calls(match).size(); }
  [[nodiscard]] std::uint64_t blob_bytes() const;  // given to readers
  [[nodiscard]] std::size_t open_transfers() const;
  [[nodiscard]] std::size_t most_open_transfers() const;

  [[nodiscard]] const std::string& name() const override { return name_; }
  void set_endpoints(std::vector<EndpointStatus> endpoints) { endpoints_ = std::move(endpoints); }  // before it is used
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override { return endpoints_; }
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override;
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override;
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override;
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override;
  void distrust(const std::string& source, Doubt doubt) override;  // a call, "distrust SOURCE likely"
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override;
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override;

 private:
  struct State;
  struct Transfer;
  [[nodiscard]] Result<FetchedManifest> lookup(const std::string& name, const std::string& reference) const;
  Result<BlobTransfer> start_transfer(const std::string& name, const Digest& digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length);
  const std::string name_;
  std::vector<EndpointStatus> endpoints_;
  std::shared_ptr<State> state_;  // transfers may outlive the upstream
};

}  // namespace paddock::test
