// Media types of manifests (OCI image specification, media-types.md; Docker image manifest v2).
#pragma once

#include <string>
#include <string_view>

namespace paddock {

enum class ManifestKind { image, index, schema1, other };

// Parameters are ignored, case too. `other` for what is no manifest type we know.
ManifestKind manifest_kind(std::string_view media_type);
// What is sent as Accept when a manifest is asked for.
const std::string& manifest_accept();

}  // namespace paddock
