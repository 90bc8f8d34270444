// AlteredUpstream: an Upstream whose transfers of blobs are changed by a test before anybody sees them; everything else
// is the other upstream's. Thread-safe as far as `alter` is.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream/upstream.h"

namespace paddock::test {

class AlteredUpstream : public Upstream {
 public:
  using Alter = std::function<void(BlobTransfer&)>;

  AlteredUpstream(std::shared_ptr<Upstream> base, Alter alter) : base_(std::move(base)), alter_(std::move(alter)) {}

  [[nodiscard]] const std::string& name() const override { return base_->name(); }
  [[nodiscard]] std::vector<EndpointStatus> endpoints() const override { return base_->endpoints(); }
  Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) override {
    return base_->head_manifest(std::move(repository), std::move(reference));
  }
  Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) override {
    return base_->get_manifest(std::move(repository), std::move(reference));
  }
  Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) override {
    return base_->head_blob(std::move(repository), digest);
  }
  Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                      std::optional<std::uint64_t> length) override {
    auto transfer = co_await base_->get_blob(std::move(repository), digest, offset, length);
    if (transfer) alter_(*transfer);
    co_return transfer;
  }
  void distrust(const std::string& source, Doubt doubt) override { base_->distrust(source, doubt); }
  Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) override {
    return base_->list_tags(std::move(repository), limit, std::move(last));
  }
  Task<Result<std::string>> referrers(std::string repository, Digest digest) override {
    return base_->referrers(std::move(repository), digest);
  }

 private:
  const std::shared_ptr<Upstream> base_;
  const Alter alter_;
};

// What is left of a transfer cut at `bytes`.
struct CutTransfer {
  std::function<Task<Result<std::size_t>>(std::span<std::byte>)> read;
  std::uint64_t left;
  std::optional<Error> error;

  static Task<Result<std::size_t>> read_some(std::shared_ptr<CutTransfer> self, std::span<std::byte> out) {
    if (self->left == 0 && self->error) co_return std::unexpected(*self->error);
    if (self->left == 0) co_return 0;
    auto got = co_await self->read(out.first(std::min<std::uint64_t>(out.size(), self->left)));
    if (got) self->left -= *got;
    co_return got;
  }
};

// The transfer gives at most `bytes`, then it fails with `error`, or without one ends in good order.
inline void cut(BlobTransfer& transfer, std::uint64_t bytes, std::optional<Error> error = std::nullopt) {
  const auto rest = std::make_shared<CutTransfer>(CutTransfer{std::move(transfer.read), bytes, std::move(error)});
  transfer.read = [rest](std::span<std::byte> out) { return CutTransfer::read_some(rest, out); };
}

}  // namespace paddock::test
