#include "proxy/upstream/offline_upstream.h"

namespace paddock {
namespace {

std::unexpected<Error> offline() { return fail(ErrorCode::unavailable, Blame::us, "offline mode"); }

}  // namespace

// The parameters are the seam's; none is looked at.
Task<Result<ManifestInfo>> OfflineUpstream::head_manifest(std::string, std::string) { co_return offline(); }
Task<Result<FetchedManifest>> OfflineUpstream::get_manifest(std::string, std::string) { co_return offline(); }
Task<Result<BlobInfo>> OfflineUpstream::head_blob(std::string, Digest) { co_return offline(); }
Task<Result<BlobTransfer>> OfflineUpstream::get_blob(std::string, Digest, std::uint64_t, std::optional<std::uint64_t>) {
  co_return offline();
}
Task<Result<TagPage>> OfflineUpstream::list_tags(std::string, std::size_t, std::string) { co_return offline(); }
Task<Result<std::string>> OfflineUpstream::referrers(std::string, Digest) { co_return offline(); }

}  // namespace paddock
