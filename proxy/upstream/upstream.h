// Upstream: the seam through which content comes in: one registry as its clients name it, however many endpoints,
// tokens and redirects stand behind it.
//
// Answers are as the registry gave them; manifests have been checked against their digest. Thread-safe; call from
// any event loop, the work stays on the caller's.
// Errors: not_found (the registry says so), denied, unauthorized, rate_limited (with retry_after), unavailable,
// timeout, protocol, digest_mismatch, too_large. Retries are done inside; what comes out is final for this request.
// Follows the OCI distribution specification 1.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/upstream/token_bucket.h"
#include "storage/clock.h"
#include "storage/digest.h"
#include "storage/error.h"
#include "storage/task.h"

namespace paddock {

struct ManifestInfo {
  Digest digest;
  std::string media_type;
  std::uint64_t size = 0;
};

struct FetchedManifest {
  Digest digest;  // computed from `content`
  std::string media_type;
  std::string content;
};

struct BlobInfo {
  std::uint64_t size = 0;
};

// A blob on its way, from `offset` on. Destroying it closes the transfer. Belongs to the event loop that asked for it.
struct BlobTransfer {
  std::uint64_t offset = 0;           // where the bytes really start: 0 when the upstream ignored the range
  std::optional<std::uint64_t> end;   // where they end, when the upstream said it
  std::optional<std::uint64_t> size;  // of the whole blob, when the upstream said it; not verified
  std::string source;                 // endpoint host, for logs
  std::string etag;                   // as sent; empty when there is none
  // What is read is to be taken from it, whoever was asked for it; absent: no limit.
  std::shared_ptr<TokenBucket> bandwidth{};
  // At least one byte, or 0 at the end.
  std::function<Task<Result<std::size_t>>(std::span<std::byte>)> read;
  // Ends a read that waits, with an error.
  std::function<void()> abort;
};

// What is known of one of the equivalent places behind an upstream.
struct EndpointStatus {
  enum class State : std::uint8_t {
    ok,
    slow,        // far slower than the best of them: only tried now and then
    resting,     // could not be reached a moment ago: asked last
    distrusted,  // sent a wrong whole: asked last for longer
  };
  std::string host;  // as BlobTransfer::source
  State state = State::ok;
  std::size_t transfers = 0;  // at work
  double rate = 0;            // bytes a second of one transfer; 0: not known yet
};

// The states' names, in their order.
inline constexpr std::array<std::string_view, 4> endpoint_states{"ok", "slow", "resting", "distrusted"};

inline constexpr std::string_view to_string(EndpointStatus::State state) {
  return endpoint_states.at(static_cast<std::size_t>(state));
}

// How sure it is that a source sent wrong bytes.
enum class Doubt : std::uint8_t {
  possible,  // it brought some of a whole that is wrong
  likely,    // it brought more of it than any other, or what it says changed
  certain,   // it brought all of it
};

struct TagPage {
  std::vector<std::string> tags;
  bool more = false;
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Its own, as configured; those of mirrors are for the mirrors to tell.
  [[nodiscard]] virtual std::vector<EndpointStatus> endpoints() const { return {}; }
  // The same, whose answers (of a blob: their beginning) come by then or not at all. Null: it is quick anyway.
  [[nodiscard]] virtual std::shared_ptr<Upstream> until(SteadyTime /*deadline*/) const { return nullptr; }
  // `reference` is a valid tag or digest.
  virtual Task<Result<ManifestInfo>> head_manifest(std::string repository, std::string reference) = 0;
  virtual Task<Result<FetchedManifest>> get_manifest(std::string repository, std::string reference) = 0;
  virtual Task<Result<BlobInfo>> head_blob(std::string repository, Digest digest) = 0;
  // `length` bytes from `offset` on, or all from there; fewer or other bytes are never an error here, see BlobTransfer.
  virtual Task<Result<BlobTransfer>> get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                              std::optional<std::uint64_t> length) = 0;
  // Bytes from this source (see BlobTransfer) may not be what they should be: less doubtful ones are asked before it
  // for a while.
  virtual void distrust(const std::string& source, Doubt doubt) = 0;
  virtual Task<Result<TagPage>> list_tags(std::string repository, std::size_t limit, std::string last) = 0;
  // The referrers index as JSON, from the API or the tag-schema fallback; not_found when there are none.
  virtual Task<Result<std::string>> referrers(std::string repository, Digest digest) = 0;
};

}  // namespace paddock
