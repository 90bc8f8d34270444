#include "proxy/admin/image_list.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "proxy/oci/manifest.h"
#include "proxy/oci/reference.h"

namespace paddock {
namespace {

// Sizes are what strangers wrote into manifests.
std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

std::string platform_name(const Descriptor& descriptor) {
  auto name = descriptor.os + "/" + descriptor.architecture;
  if (!descriptor.variant.empty()) name += "/" + descriptor.variant;
  return name;
}

// Collects one image; blobs that several platforms share are counted once in the image's sums.
class Measure {
 public:
  Measure(Catalog& catalog, const OnItsWay& on_its_way, ImageReport& report)
      : catalog_(catalog), on_its_way_(on_its_way), report_(report) {}

  Result<void> run() {
    auto manifest = load(report_.digest);
    if (!manifest) return std::unexpected(manifest.error());
    report_.complete = manifest->has_value();
    if (!manifest->has_value()) return {};
    report_.media_type = (*manifest)->media_type;
    if ((*manifest)->kind == ManifestKind::index) return index((*manifest)->manifests);
    PlatformReport whole{.digest = report_.digest};
    if (auto done = image(**manifest, whole); !done) return done;
    add(std::move(whole));
    return {};
  }

 private:
  struct Seen {
    bool stored = false;
  };

  // Nothing when it is not stored, or is not a manifest we can read.
  Result<std::optional<Manifest>> load(const Digest& digest) {
    auto record = catalog_.manifest(digest);
    if (!record) return std::unexpected(record.error());
    if (!*record) return std::nullopt;
    if (auto used = note_use(digest); !used) return std::unexpected(used.error());
    auto manifest = parse_manifest((*record)->content, (*record)->media_type);
    if (!manifest) return std::nullopt;
    return std::optional(*std::move(manifest));
  }

  Result<bool> note_use(const Digest& digest) {
    const auto blob = catalog_.blob(digest);
    if (!blob) return std::unexpected(blob.error());
    if (!*blob) return false;
    report_.last_used = std::max(report_.last_used.value_or((*blob)->last_used), (*blob)->last_used);
    return true;
  }

  Result<void> index(const std::vector<Descriptor>& entries) {
    for (const auto& entry : entries) {
      PlatformReport platform{.name = platform_name(entry), .digest = entry.digest};
      const auto manifest = load(entry.digest);
      if (!manifest) return std::unexpected(manifest.error());
      if (manifest->has_value()) {
        if (auto done = image(**manifest, platform); !done) return done;
      }
      add(std::move(platform));
    }
    return {};
  }

  Result<void> image(const Manifest& manifest, PlatformReport& out) {
    out.present = true;
    out.complete = manifest.kind != ManifestKind::index;  // an index within an index is not looked into
    std::map<Digest, Seen> in_platform;
    if (manifest.config) {
      if (auto done = blob(*manifest.config, in_platform, out); !done) return done;
    }
    for (const auto& layer : manifest.layers) {
      if (auto done = blob(layer, in_platform, out); !done) return done;
    }
    return {};
  }

  Result<void> blob(const Descriptor& descriptor, std::map<Digest, Seen>& in_platform, PlatformReport& out) {
    if (descriptor.foreign || in_platform.contains(descriptor.digest)) return {};
    const auto stored = note_use(descriptor.digest);
    if (!stored) return std::unexpected(stored.error());
    in_platform[descriptor.digest] = {*stored};
    out.total = add_saturating(out.total, descriptor.size);
    if (*stored) out.stored = add_saturating(out.stored, descriptor.size);
    out.complete = out.complete && *stored;
    const auto progress = *stored || !on_its_way_ ? std::nullopt : on_its_way_(descriptor.digest);
    const auto received = progress ? std::min(progress->received, descriptor.size) : 0;
    out.coming = add_saturating(out.coming, received);
    if (!in_image_.emplace(descriptor.digest, Seen{*stored}).second) return {};
    report_.total = add_saturating(report_.total, descriptor.size);
    if (*stored) report_.stored = add_saturating(report_.stored, descriptor.size);
    report_.coming = add_saturating(report_.coming, received);
    if (progress) report_.rate = add_saturating(report_.rate, progress->rate);
    return {};
  }

  void add(PlatformReport platform) {
    report_.complete = report_.complete && platform.complete;
    report_.platforms.push_back(std::move(platform));
  }

  Catalog& catalog_;
  const OnItsWay& on_its_way_;
  ImageReport& report_;
  std::map<Digest, Seen> in_image_;
};

Result<void> complete_report(Catalog& catalog, const std::vector<PinRecord>& pins, const OnItsWay& on_its_way,
                             ImageReport& report) {
  for (const auto& pin : pins) {
    if (pin.repository == report.repository && pin.manifest == report.digest) report.pins.push_back(pin);
  }
  return Measure(catalog, on_its_way, report).run();
}

// A repository that the reference may mean: "UPSTREAM/REPOSITORY" or "REPOSITORY" alone.
bool means(const std::string& written, const RepositoryKey& key) {
  return written == key.repository || written == key.upstream + "/" + key.repository;
}

Result<std::vector<RepositoryKey>> candidates(Catalog& catalog, const std::string& written) {
  constexpr std::size_t page = 1000;
  std::vector<RepositoryKey> found;
  std::optional<RepositoryKey> last;
  for (;;) {
    auto keys = catalog.repositories(last, page);
    if (!keys) return std::unexpected(keys.error());
    std::ranges::copy_if(*keys, std::back_inserter(found), [&](const auto& key) { return means(written, key); });
    if (keys->size() < page) return found;
    last = keys->back();
  }
}

// What the reference names in this repository, if it is there.
Result<std::optional<ImageReport>> look_up(Catalog& catalog, const RepositoryKey& key, const ImageReference& wanted) {
  if (wanted.digest) {
    const auto linked = catalog.linked(key, *wanted.digest);
    if (!linked) return std::unexpected(linked.error());
    const auto manifest = catalog.manifest(*wanted.digest);
    if (!manifest) return std::unexpected(manifest.error());
    if (!*linked || !*manifest) return std::nullopt;
    return ImageReport{.repository = key, .digest = *wanted.digest};
  }
  const auto name = wanted.tag.value_or("latest");
  const auto tag = catalog.tag(key, name);
  if (!tag) return std::unexpected(tag.error());
  if (!*tag) return std::nullopt;
  return ImageReport{.repository = key,
                     .tag = name,
                     .digest = (*tag)->digest,
                     .changed = (*tag)->changed,
                     .validated = (*tag)->validated};
}

}  // namespace

std::string ImageReport::name() const {
  const auto suffix = tag.empty() ? "@" + digest.to_string() : ":" + tag;
  return repository.upstream + "/" + repository.repository + suffix;
}

Result<ImagePage> list_images(Catalog& catalog, const ImageQuery& query) {
  const auto pins = catalog.pins();
  if (!pins) return std::unexpected(pins.error());
  ImagePage page;
  const auto visited = catalog.for_each_tag([&](const auto& key, const std::string& tag, const TagRecord& record) {
    if (query.after && ImageCursor{key, tag} <= *query.after) return true;
    page.more = page.images.size() >= query.limit;
    if (page.more) return false;
    page.images.push_back({.repository = key,
                           .tag = tag,
                           .digest = record.digest,
                           .changed = record.changed,
                           .validated = record.validated});
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  for (auto& image : page.images) {
    if (auto done = complete_report(catalog, *pins, nullptr, image); !done) return std::unexpected(done.error());
  }
  return page;
}

Result<ImageReport> find_image(Catalog& catalog, std::string_view reference, std::string_view preferred,
                               const OnItsWay& on_its_way) {
  const auto wanted = parse_image_reference(reference);
  if (!wanted) return std::unexpected(wanted.error());
  auto keys = candidates(catalog, wanted->registry ? *wanted->registry + "/" + wanted->repository : wanted->repository);
  if (!keys) return std::unexpected(keys.error());
  std::ranges::sort(*keys, {}, [&](const auto& key) { return std::tuple(key.upstream != preferred, key); });
  for (const auto& key : *keys) {
    auto found = look_up(catalog, key, *wanted);
    if (!found) return std::unexpected(found.error());
    if (!*found) continue;
    const auto pins = catalog.pins();
    if (!pins) return std::unexpected(pins.error());
    if (auto done = complete_report(catalog, *pins, on_its_way, **found); !done) return std::unexpected(done.error());
    return **std::move(found);
  }
  return fail(ErrorCode::not_found, Blame::client, wanted->to_string() + " is not cached");
}

}  // namespace paddock
