#include "proxy/warm/planner.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <unordered_set>
#include <utility>

#include "proxy/oci/reference.h"
#include "proxy/tags/or_unknown.h"
#include "proxy/warm/grammar/nearest_tags.h"

namespace paddock {
namespace {

constexpr std::string_view all_platforms = "all";

std::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

// Attestations are entries too, of a platform that nobody has.
bool is_runnable(const Descriptor& entry) {
  return !entry.os.empty() && entry.os != "unknown" && manifest_kind(entry.media_type) != ManifestKind::index;
}

// What a client may still be served is of no use later.
Result<Manifest> read_kept(const ServedManifest& served) {
  if (served.cache == CacheState::bypass) {
    return fail(ErrorCode::no_space, Blame::us, "its manifest cannot be kept; the log says why (is the disk full?)");
  }
  return parse_manifest(*served.content, served.media_type);
}

}  // namespace

std::string PlannedImage::name() const {
  if (repository.upstream.empty()) return {};
  return repository.upstream + '/' + repository.repository + (target.contains(':') ? '@' : ':') + target;
}

std::vector<PlannedBlob> distinct_blobs(const std::vector<PlannedImage>& images) {
  std::unordered_set<Digest> seen;
  std::vector<PlannedBlob> blobs;
  for (const auto& image : images) {
    for (const auto& blob : image.blobs) {
      if (seen.insert(blob.digest).second) blobs.push_back(blob);
    }
  }
  return blobs;
}

std::string platform_of(const Descriptor& entry) {
  auto name = entry.os + '/' + entry.architecture;
  if (!entry.variant.empty()) name += '/' + entry.variant;
  return name;
}

bool is_for_platform(const Descriptor& entry, std::string_view platform) {
  const auto plain = entry.os + '/' + entry.architecture;
  if (platform == plain || platform == platform_of(entry)) return true;
  // An arm64 without a word is a v8.
  return entry.architecture == "arm64" && entry.variant.empty() && platform == plain + "/v8";
}

Result<Target> locate_repository(const UpstreamSelector& selector, const std::optional<std::string>& registry,
                                 const std::string& repository) {
  std::optional<std::string_view> ns;
  if (registry) ns = *registry;
  return selector.select({ns, "", ""}, repository);
}

Task<PlannedImage> Planner::image(std::string reference, std::vector<std::string> platforms, bool revalidate) {
  PlannedImage image{.reference = std::move(reference)};
  auto done = locate(image, revalidate);
  if (done) done = co_await complete(image, platforms);
  if (!done) {
    image.error = std::move(done).error();
    image.blobs.clear();
  }
  if (image.error && image.error->code == ErrorCode::not_found && !image.digest) co_await look_for_nearest(image);
  co_return image;
}

Result<void> Planner::locate(PlannedImage& image, bool revalidate) const {
  const auto wanted = parse_image_reference(image.reference);
  if (!wanted) return std::unexpected(wanted.error());
  const auto set = upstreams_.get();
  auto target = locate_repository(set->selector, wanted->registry, wanted->repository);
  image.ours = target.has_value();
  image.by_default = !wanted->registry;
  if (!target) return std::unexpected(std::move(target).error());
  image.upstream = set->entries.at(target->upstream);
  if (revalidate) image.upstream.tags.ttl = std::chrono::seconds(0);
  image.repository = {std::move(target->upstream), std::move(target->repository)};
  image.target = wanted->digest ? wanted->digest->to_string() : wanted->tag.value_or("latest");
  return {};
}

Task<Result<ServedManifest>> Planner::resolve(PlannedImage& image) {
  const auto& upstream = image.upstream;
  if (const auto digest = Digest::parse(image.target)) {
    co_return co_await manifests_.by_digest(upstream.upstream, image.repository, *digest);
  }
  co_return co_await tags_.resolve(upstream.upstream, upstream.tags, image.repository, image.target);
}

Task<Result<void>> Planner::complete(PlannedImage& image, const std::vector<std::string>& platforms) {
  auto served = co_await resolve(image);
  if (!served) co_return std::unexpected(std::move(served).error());
  image.digest = served->digest;
  auto manifest = read_kept(*served);
  if (!manifest) co_return std::unexpected(std::move(manifest).error());
  if (manifest->kind == ManifestKind::index) co_return co_await add_index(image, *manifest, platforms);
  co_return co_await add_manifest(image, *std::move(manifest));
}

Task<Result<void>> Planner::add_index(PlannedImage& image, const Manifest& index,
                                      const std::vector<std::string>& platforms) {
  std::vector<std::string> offered;
  std::vector<std::string> missing = platforms;
  for (const auto& entry : index.manifests) {
    if (!is_runnable(entry)) continue;
    offered.push_back(platform_of(entry));
    const auto is_this = [&](const std::string& platform) {
      return platform == all_platforms || is_for_platform(entry, platform);
    };
    if (std::ranges::none_of(platforms, is_this)) continue;
    std::erase_if(missing, is_this);
    auto served = co_await manifests_.by_digest(image.upstream.upstream, image.repository, entry.digest);
    if (!served) co_return std::unexpected(std::move(served).error().with(platform_of(entry)));
    auto manifest = read_kept(*served);
    if (!manifest) co_return std::unexpected(std::move(manifest).error().with(platform_of(entry)));
    if (auto added = co_await add_manifest(image, *std::move(manifest)); !added) co_return added;
    image.platforms.push_back(platform_of(entry));
  }
  if (image.platforms.empty()) {
    co_return fail(
        ErrorCode::not_found, Blame::client,
        fmt::format(
            "it is not made for {}{}", fmt::join(missing, ", "),
            offered.empty() ? "" : fmt::format("; there are {}: give one with --platform", fmt::join(offered, ", "))));
  }
  image.missing_platforms = std::move(missing);
  co_return Result<void>{};
}

Task<Result<void>> Planner::add_manifest(PlannedImage& image, Manifest manifest) {
  if (manifest.kind == ManifestKind::index) co_return refuse("an index within an index is not looked into");
  std::vector<Descriptor> parts = std::move(manifest.layers);
  if (manifest.config) parts.insert(parts.begin(), *std::move(manifest.config));
  auto known = co_await pool_.run([this, &parts, &image]() -> Result<std::vector<PlannedBlob>> {
    std::unordered_set<Digest> seen;
    for (const auto& blob : image.blobs) seen.insert(blob.digest);
    std::vector<PlannedBlob> blobs;
    for (const auto& part : parts) {
      if (part.foreign || !seen.insert(part.digest).second) continue;
      auto record = or_unknown(catalog_.blob(part.digest));
      if (!record) return std::unexpected(std::move(record).error());
      blobs.push_back({part.digest, part.size, record->has_value()});
    }
    return blobs;
  });
  if (!known) co_return std::unexpected(std::move(known).error());
  image.blobs.insert(image.blobs.end(), known->begin(), known->end());
  co_return Result<void>{};
}

Task<void> Planner::look_for_nearest(PlannedImage& image) {
  if (image.target.contains(':') || image.repository.upstream.empty()) co_return;
  const auto tags = co_await lists_.get(image.upstream.upstream, image.repository);
  if (!tags) {
    // Names without a registry are Docker Hub's too: one that the default upstream has never heard of is.
    if (image.by_default && tags.error().code == ErrorCode::not_found) image.ours = false;
    co_return;
  }
  image.error->context = "no such tag";
  // Thousands of tags take tenths of a second.
  auto nearest = co_await pool_.run([&image, &tags]() -> Result<std::vector<std::string>> {
    return nearest_tags(image.repository.repository, image.target, **tags);
  });
  if (nearest) image.nearest = *std::move(nearest);
}

}  // namespace paddock
