#include "proxy/upstream/private_upstream.h"

#include "proxy/upstream/private_key.h"

namespace paddock {

std::shared_ptr<Upstream> PrivateUpstream::until(SteadyTime deadline) const {
  auto limited = inner_->until(deadline);
  return limited ? std::make_shared<PrivateUpstream>(std::move(limited)) : nullptr;
}

Task<Result<ManifestInfo>> PrivateUpstream::head_manifest(std::string repository, std::string reference) {
  return inner_->head_manifest(without_mark(std::move(repository)), std::move(reference));
}

Task<Result<FetchedManifest>> PrivateUpstream::get_manifest(std::string repository, std::string reference) {
  return inner_->get_manifest(without_mark(std::move(repository)), std::move(reference));
}

Task<Result<BlobInfo>> PrivateUpstream::head_blob(std::string repository, Digest digest) {
  return inner_->head_blob(without_mark(std::move(repository)), digest);
}

Task<Result<BlobTransfer>> PrivateUpstream::get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                                     std::optional<std::uint64_t> length) {
  return inner_->get_blob(without_mark(std::move(repository)), digest, offset, length);
}

Task<Result<TagPage>> PrivateUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  return inner_->list_tags(without_mark(std::move(repository)), limit, std::move(last));
}

Task<Result<std::string>> PrivateUpstream::referrers(std::string repository, Digest digest) {
  return inner_->referrers(without_mark(std::move(repository)), digest);
}

}  // namespace paddock
