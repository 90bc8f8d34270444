// CacheClient: what a node learns of an image from the cache's registry side: manifest and configuration. No layer is
// asked for.
//
// Blocking, each request within its time; for one thread. Everything that comes is checked against its digest and
// limited in size. Errors: not_found, unauthorized, denied and the rest as the cache said; unavailable, timeout (is it
// running?); protocol, digest_mismatch, too_large when what came is not what it should be.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "proxy/cli/blocking_http.h"
#include "proxy/net/url.h"
#include "proxy/oci/manifest.h"
#include "proxy/oci/reference.h"
#include "storage/error.h"

namespace paddock {

// The manifest of one platform, and how it was come by.
struct PlatformManifest {
  std::string platform;  // as chosen from an index; empty for an image that is not part of one
  Digest asked;          // of what the reference leads to: an index, or the manifest itself
  Digest digest;
  Manifest manifest;
};

// How the cache is spoken to where it asks for a name, or has a certificate that the system does not know.
struct CacheTrust {
  std::string authorization{};                    // "Basic ..."; empty: none
  std::shared_ptr<const TlsClientContext> tls{};  // null: the system's CAs
};

struct ImageConfiguration {
  std::string platform;  // as chosen from an index; empty for an image that is not part of one
  Digest manifest;
  std::string content;
};

class CacheClient {
 public:
  explicit CacheClient(Url cache, std::chrono::milliseconds patience = std::chrono::seconds(30), CacheTrust trust = {})
      : cache_(std::move(cache)), patience_(patience), trust_(std::move(trust)) {}

  // `platform` ("linux/amd64") is for an index.
  [[nodiscard]] Result<PlatformManifest> platform_manifest(const ImageReference& image,
                                                           const std::string& platform) const;
  [[nodiscard]] Result<ImageConfiguration> configuration(const ImageReference& image,
                                                         const std::string& platform) const;
  // Of an image that was not found: whether that is because the cache is not for its registry.
  [[nodiscard]] bool is_elsewhere(const ImageReference& image) const;
  [[nodiscard]] const Url& url() const { return cache_; }

 private:
  struct Fetched {
    Manifest manifest;
    Digest digest;
  };
  // Whatever the status.
  [[nodiscard]] Result<HttpAnswer> ask(std::string target, std::string accept, std::size_t limit) const;
  [[nodiscard]] Result<HttpAnswer> get(std::string target, std::string accept, std::size_t limit) const;
  [[nodiscard]] Result<Fetched> manifest(const ImageReference& image, const std::string& reference) const;
  [[nodiscard]] std::string target(const ImageReference& image, const std::string& rest) const;

  Url cache_;
  std::chrono::milliseconds patience_;
  CacheTrust trust_;
};

}  // namespace paddock
