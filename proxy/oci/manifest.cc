#include "proxy/oci/manifest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;

constexpr std::size_t descriptor_limit = 10'000;
constexpr std::uint64_t size_limit = std::uint64_t{1} << 48U;  // so that the sum of all of them cannot overflow
constexpr std::string_view schema1_layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

std::unexpected<Error> bad(std::string context) {
  return fail(ErrorCode::protocol, Blame::upstream, std::move(context));
}

// Absent and null are the same: Go writes nil slices and pointers as null.
const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> text_member(const Json& object, const char* key, const std::string& where) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return bad(where + key + " is not a string");
  return value->get<std::string>();
}

Result<Digest> digest_member(const Json& object, const char* key, const std::string& where) {
  auto text = text_member(object, key, where);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return bad(where + key + " is missing");
  auto digest = Digest::parse(*text);
  if (!digest) return bad(where + key + " " + quote(*text) + ": " + digest.error().context);
  return digest;
}

Result<std::uint64_t> size_member(const Json& object, const std::string& where) {
  const Json* value = member(object, "size");
  if (value == nullptr) return bad(where + "size is missing");
  if (!value->is_number_unsigned()) return bad(where + "size is not a whole number from 0 on");
  const auto size = value->get<std::uint64_t>();
  if (size > size_limit) return bad(where + "size is beyond reason: " + std::to_string(size));
  return size;
}

// In a digest's form (OCI image specification, descriptor.md), but not of an algorithm that we can verify.
bool has_unknown_algorithm(const Json& descriptor) {
  const Json* value = descriptor.is_object() ? member(descriptor, "digest") : nullptr;
  if (value == nullptr || !value->is_string()) return false;
  const auto& text = value->get_ref<const std::string&>();
  const auto colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || colon + 1 == text.size()) return false;
  const auto algorithm = std::string_view(text).substr(0, colon);
  if (algorithm == "sha256" || algorithm == "sha512") return false;
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return std::ranges::all_of(algorithm, [&](char c) { return lower(c) || std::string_view("+._-").contains(c); });
}

bool is_foreign_type(std::string_view media_type) {
  return media_type.find(".foreign.") != std::string_view::npos ||
         media_type.find(".nondistributable.") != std::string_view::npos;
}

Result<void> read_platform(const Json& object, const std::string& where, Descriptor& descriptor) {
  const Json* platform = member(object, "platform");
  if (platform == nullptr) return {};
  if (!platform->is_object()) return bad(where + "platform is not an object");
  const std::array<std::pair<const char*, std::string*>, 3> parts{
      {{"os", &descriptor.os}, {"architecture", &descriptor.architecture}, {"variant", &descriptor.variant}}};
  for (const auto& [key, target] : parts) {
    auto text = text_member(*platform, key, where + "platform.");
    if (!text) return std::unexpected(text.error());
    *target = std::move(*text);
  }
  return {};
}

Result<Descriptor> read_descriptor(const Json& value, const std::string& name) {
  if (!value.is_object()) return bad(name + " is not an object");
  const std::string where = name + '.';
  auto digest = digest_member(value, "digest", where);
  if (!digest) return std::unexpected(digest.error());
  Descriptor descriptor{{}, *digest, 0, {}, {}, {}, {}, false};
  auto media_type = text_member(value, "mediaType", where);
  if (!media_type) return std::unexpected(media_type.error());
  if (media_type->empty()) return bad(where + "mediaType is missing");
  auto size = size_member(value, where);
  if (!size) return std::unexpected(size.error());
  auto artifact_type = text_member(value, "artifactType", where);
  if (!artifact_type) return std::unexpected(artifact_type.error());
  const Json* urls = member(value, "urls");
  if (urls != nullptr && !urls->is_array()) return bad(where + "urls is not an array");
  if (auto read = read_platform(value, where, descriptor); !read) return std::unexpected(read.error());
  descriptor.foreign = (urls != nullptr && !urls->empty()) || is_foreign_type(*media_type);
  descriptor.media_type = std::move(*media_type);
  descriptor.artifact_type = std::move(*artifact_type);
  descriptor.size = *size;
  return descriptor;
}

Result<const Json*> array_member(const Json& body, const char* key) {
  const auto found = body.find(key);
  if (found == body.end()) return bad(std::string(key) + " is missing");
  if (found->is_null()) return nullptr;
  if (!found->is_array()) return bad(std::string(key) + " is not an array");
  if (found->size() > descriptor_limit) return bad(std::string(key) + " has more than 10000 entries");
  return &*found;
}

enum class UnknownAlgorithms : bool { refused, skipped };

Result<std::vector<Descriptor>> read_descriptors(const Json& body, const char* key, UnknownAlgorithms unknown) {
  auto array = array_member(body, key);
  if (!array) return std::unexpected(array.error());
  std::vector<Descriptor> descriptors;
  if (*array == nullptr) return descriptors;
  descriptors.reserve((*array)->size());
  for (std::size_t at = 0; const Json& value : **array) {
    const std::string name = std::string(key) + '[' + std::to_string(at++) + ']';
    if (unknown == UnknownAlgorithms::skipped && has_unknown_algorithm(value)) continue;
    auto descriptor = read_descriptor(value, name);
    if (!descriptor) return std::unexpected(descriptor.error());
    descriptors.push_back(std::move(*descriptor));
  }
  return descriptors;
}

// A document that is an image to one reader and an index to another (CVE-2021-41190) is refused.
Result<void> check_unambiguous(const Json& body, std::initializer_list<const char*> foreign_keys, const char* kind) {
  for (const char* key : foreign_keys) {
    const Json* value = member(body, key);
    if (value != nullptr && !value->empty()) return bad(std::string(kind) + " may not have " + key);
  }
  return {};
}

Result<void> check_schema_version(const Json& body, int expected) {
  const Json* version = member(body, "schemaVersion");
  if (version == nullptr || (version->is_number_integer() && *version == expected)) return {};
  return bad("schemaVersion is not " + std::to_string(expected));
}

Result<void> read_image(const Json& body, Manifest& manifest) {
  if (auto ok = check_schema_version(body, 2); !ok) return ok;
  if (auto ok = check_unambiguous(body, {"manifests", "fsLayers"}, "an image manifest"); !ok) return ok;
  const Json* config = member(body, "config");
  if (config == nullptr) return bad("config is missing");
  auto descriptor = read_descriptor(*config, "config");
  if (!descriptor) return std::unexpected(descriptor.error());
  manifest.config = std::move(*descriptor);
  auto layers = read_descriptors(body, "layers", UnknownAlgorithms::refused);
  if (!layers) return std::unexpected(layers.error());
  manifest.layers = std::move(*layers);
  return {};
}

Result<void> read_index(const Json& body, Manifest& manifest) {
  if (auto ok = check_schema_version(body, 2); !ok) return ok;
  if (auto ok = check_unambiguous(body, {"layers", "config", "fsLayers"}, "an index"); !ok) return ok;
  // Other platforms' images must be had all the same.
  auto manifests = read_descriptors(body, "manifests", UnknownAlgorithms::skipped);
  if (!manifests) return std::unexpected(manifests.error());
  manifest.manifests = std::move(*manifests);
  return {};
}

Result<void> read_schema1(const Json& body, Manifest& manifest) {
  if (auto ok = check_schema_version(body, 1); !ok) return ok;
  if (auto ok = check_unambiguous(body, {"layers", "config", "manifests"}, "a schema 1 manifest"); !ok) return ok;
  auto array = array_member(body, "fsLayers");
  if (!array) return std::unexpected(array.error());
  if (*array == nullptr) return {};
  for (const Json& value : **array) {
    const std::string name = "fsLayers[" + std::to_string(manifest.layers.size()) + "]";
    if (!value.is_object()) return bad(name + " is not an object");
    auto digest = digest_member(value, "blobSum", name + '.');
    if (!digest) return std::unexpected(digest.error());
    manifest.layers.push_back(Descriptor{std::string(schema1_layer), *digest, 0, {}, {}, {}, {}, false});
  }
  return {};
}

// The subject and type of an image or an index; other documents are not interpreted.
Result<void> read_relations(const Json& body, Manifest& manifest) {
  auto artifact_type = text_member(body, "artifactType", "");
  if (!artifact_type) return std::unexpected(artifact_type.error());
  manifest.artifact_type = std::move(*artifact_type);
  const Json* subject = member(body, "subject");
  if (subject == nullptr) return {};
  auto descriptor = read_descriptor(*subject, "subject");
  if (!descriptor) return std::unexpected(descriptor.error());
  manifest.subject = descriptor->digest;
  return {};
}

std::string bare_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t first = content_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string type(content_type.substr(first, content_type.find_last_not_of(" \t") - first + 1));
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return type;
}

// Types that servers put on anything.
bool says_nothing(std::string_view type) {
  static constexpr std::array<std::string_view, 4> generic{"", "application/json", "application/octet-stream",
                                                           "text/plain"};
  return std::ranges::find(generic, type) != generic.end();
}

// OCI documents need not carry a mediaType: told by their members.
std::string_view type_by_shape(const Json& body) {
  if (member(body, "manifests") != nullptr) return "application/vnd.oci.image.index.v1+json";
  if (member(body, "layers") != nullptr) return "application/vnd.oci.image.manifest.v1+json";
  if (member(body, "fsLayers") != nullptr) return "application/vnd.docker.distribution.manifest.v1+prettyjws";
  return {};
}

// It is sent on as Content-Type: nothing that could end a header line may pass.
bool is_media_type(std::string_view type) {
  return type.size() <= 255 && type.find('/') != std::string_view::npos &&
         std::ranges::all_of(type, [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<std::string> decide_media_type(const Json& body, std::string_view content_type) {
  std::string header = bare_type(content_type);
  auto own = text_member(body, "mediaType", "");
  if (!own) return own;
  if (says_nothing(header)) {
    std::string type = own->empty() ? std::string(type_by_shape(body)) : *own;
    if (type.empty()) return bad("neither Content-Type nor content says what kind of manifest it is");
    return type;
  }
  if (own->empty()) return header;
  if (manifest_kind(*own) != manifest_kind(header)) {
    return bad("Content-Type is " + quote(header) + " but mediaType is " + quote(*own));
  }
  return own;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view content, std::string_view content_type) {
  if (bare_type(content_type) == "text/html") return bad("an HTML page where a manifest was expected");
  Result<Json> body = parse_strict_json(content);
  if (!body) return std::unexpected(std::move(body.error()).with("manifest"));
  if (!body->is_object()) return bad("manifest: not a JSON object");
  auto media_type = decide_media_type(*body, content_type);
  if (!media_type) return std::unexpected(std::move(media_type.error()).with("manifest"));

  if (!is_media_type(*media_type)) return bad("manifest: malformed media type " + quote(*media_type));

  Manifest manifest;
  manifest.kind = manifest_kind(*media_type);
  manifest.media_type = std::move(*media_type);
  Result<void> read;
  if (manifest.kind == ManifestKind::image) read = read_image(*body, manifest);
  if (manifest.kind == ManifestKind::index) read = read_index(*body, manifest);
  if (manifest.kind == ManifestKind::schema1) read = read_schema1(*body, manifest);
  const bool has_relations = manifest.kind == ManifestKind::image || manifest.kind == ManifestKind::index;
  if (read && has_relations) read = read_relations(*body, manifest);
  if (!read) return std::unexpected(std::move(read.error()).with("manifest"));
  return manifest;
}

std::string served_media_type(std::string_view content, std::string_view recorded) {
  if (manifest_kind(recorded) != ManifestKind::other) return std::string(recorded);
  if (const auto body = parse_strict_json(content); body && body->is_object()) {
    const auto own = text_member(*body, "mediaType", "");
    if (own && is_media_type(*own)) return *own;
    if (const auto shape = type_by_shape(*body); !shape.empty()) return std::string(shape);
  }
  return "application/vnd.oci.image.manifest.v1+json";
}

std::vector<Digest> Manifest::children() const {
  std::vector<Digest> digests;
  std::unordered_set<Digest> seen;
  const auto add = [&](const Descriptor& descriptor) {
    if (!descriptor.foreign && seen.insert(descriptor.digest).second) digests.push_back(descriptor.digest);
  };
  std::ranges::for_each(manifests, add);
  if (config) add(*config);
  std::ranges::for_each(layers, add);
  return digests;
}

std::uint64_t Manifest::total_size() const {
  std::uint64_t total = config ? config->size : 0;
  for (const Descriptor& layer : layers) total += layer.foreign ? 0 : layer.size;
  return total;
}

}  // namespace paddock
