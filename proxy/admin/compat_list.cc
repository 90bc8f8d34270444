#include "proxy/admin/compat_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/admin/image_list.h"
#include "proxy/oci/manifest.h"

namespace paddock {
namespace {

// Nothing where the configuration cannot be had.
Result<std::optional<ImageNeeds>> stored_needs(Catalog& catalog, const ReadContent& read, const Digest& digest,
                                               const TagFields& name) {
  const auto record = catalog.manifest(digest);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::nullopt;
  const auto manifest = parse_manifest((*record)->content, (*record)->media_type);
  if (!manifest || !manifest->config) return std::nullopt;
  const auto content = read(manifest->config->digest);
  if (!content) return std::nullopt;
  auto needs = read_image_needs(*content, name);
  return needs ? std::optional(*std::move(needs)) : std::nullopt;
}

Result<CompatReport> report_of(Catalog& catalog, const ReadContent& read, const GpuHost& host, const ImageReport& image,
                               const PlatformReport& platform) {
  CompatReport report{.name = image.name(), .platform = platform.name, .digest = platform.digest};
  const auto name = parse_tag(image.repository.repository, image.tag);
  auto needs = stored_needs(catalog, read, platform.digest, name);
  if (!needs) return std::unexpected(std::move(needs).error());
  const bool read_them = needs->has_value();
  report.needs = read_them ? **std::move(needs) : needs_by_name(name);
  if (report.platform.empty() && !report.needs.os.empty()) {
    report.platform = report.needs.os + "/" + report.needs.architecture;
  }
  if (read_them || report.needs.cuda) report.verdict = judge(report.needs, host, nullptr);
  return report;
}

// Those that were fetched; where none was, the image as a whole, by its tag.
std::vector<PlatformReport> judged_platforms(const ImageReport& image) {
  std::vector<PlatformReport> platforms;
  std::ranges::copy_if(image.platforms, std::back_inserter(platforms), &PlatformReport::present);
  if (platforms.empty()) platforms.push_back({.digest = image.digest});
  return platforms;
}

}  // namespace

Result<CompatPage> list_compat(Catalog& catalog, const ReadContent& read, const CompatQuery& query) {
  const auto images = list_images(catalog, query.page);
  if (!images) return std::unexpected(images.error());
  CompatPage page{.host = query.host};
  for (const auto& image : images->images) {
    for (const auto& platform : judged_platforms(image)) {
      auto report = report_of(catalog, read, query.host, image, platform);
      if (!report) return std::unexpected(std::move(report).error());
      page.images.push_back(*std::move(report));
    }
  }
  if (images->more && !images->images.empty()) page.next = images->images.back().name();
  return page;
}

}  // namespace paddock
