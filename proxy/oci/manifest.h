// Reading manifests that strangers sent: which content they name. Nothing else of them is interpreted.
//
// Follows the OCI image specification 1.1 (manifest.md, image-index.md) and Docker's schema 2 and manifest list.
// Pure; thread-safe. Errors: protocol, blames the upstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/oci/media_type.h"
#include "storage/digest.h"
#include "storage/error.h"

namespace paddock {

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::string artifact_type;              // of an index entry, when given
  std::string os, architecture, variant;  // platform of an index entry, when given
  bool foreign = false;                   // has urls or a foreign/nondistributable type: not ours to serve
};

struct Manifest {
  ManifestKind kind = ManifestKind::other;
  std::string media_type;             // decided: the body's own, else the Content-Type
  std::vector<Descriptor> manifests;  // of an index; those of digest algorithms that we do not know are left out
  std::optional<Descriptor> config;   // of an image
  std::vector<Descriptor> layers;     // of an image
  std::optional<Digest> subject;
  std::string artifact_type;

  // Everything it names and is ours to serve.
  [[nodiscard]] std::vector<Digest> children() const;
  [[nodiscard]] std::uint64_t total_size() const;  // config and layers, bytes
};

// `content_type` is what the upstream's header said; a body that names another kind of manifest is an error, an HTML
// page or other non-JSON too. Depth and number of entries are limited. Schema 1 is accepted, its layers are read from
// fsLayers (size unknown, 0).
Result<Manifest> parse_manifest(std::string_view content, std::string_view content_type);

// The Content-Type to serve stored content with. What was recorded is believed when it is a type of manifests, as
// records may have been written by somebody else; otherwise the content's own word or form decides.
std::string served_media_type(std::string_view content, std::string_view recorded);

}  // namespace paddock
