#include "proxy/oci/media_type.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

using Entry = std::pair<std::string_view, ManifestKind>;

// In the order of preference in which they are asked for.
constexpr std::array<Entry, 6> known{{
    {"application/vnd.oci.image.index.v1+json", ManifestKind::index},
    {"application/vnd.oci.image.manifest.v1+json", ManifestKind::image},
    {"application/vnd.docker.distribution.manifest.list.v2+json", ManifestKind::index},
    {"application/vnd.docker.distribution.manifest.v2+json", ManifestKind::image},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", ManifestKind::schema1},
    {"application/vnd.docker.distribution.manifest.v1+json", ManifestKind::schema1},
}};

}  // namespace

ManifestKind manifest_kind(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  const std::size_t first = media_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return ManifestKind::other;
  media_type = media_type.substr(first, media_type.find_last_not_of(" \t") - first + 1);
  const auto* found =
      std::ranges::find_if(known, [&](const Entry& e) { return same_without_case(media_type, e.first); });
  return found == known.end() ? ManifestKind::other : found->second;
}

const std::string& manifest_accept() {
  static const std::string accept = [] {
    std::string text;
    for (const Entry& entry : known) text.append(entry.first).append(", ");
    return text += "*/*";  // artifacts of kinds not invented yet
  }();
  return accept;
}

}  // namespace paddock
