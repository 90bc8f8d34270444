// The cached images, read from the catalog: what is tagged, and how much of it is stored.
//
// A manifest that cannot be read counts as one without children, not complete; it does not hide the others.
// Blocking: call on the BlockingPool. Thread-safe. Errors: those of the catalog; invalid_argument and not_found for a
// reference, blaming the client.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/reports.h"
#include "storage/catalog.h"
#include "storage/error.h"

namespace paddock {

struct BlobProgress {
  std::uint64_t received = 0, rate = 0;  // bytes, and bytes a second
};
using OnItsWay = std::function<std::optional<BlobProgress>(const Digest&)>;

// Tagged images ordered by upstream, repository and tag.
Result<ImagePage> list_images(Catalog& catalog, const ImageQuery& query);

// `reference` as people write it: with or without the upstream's name, a tag or a digest; neither means "latest". Where
// several upstreams have it and none is named, `preferred` wins, then the first by name.
// `on_its_way` says of a blob that is not stored how far it is.
Result<ImageReport> find_image(Catalog& catalog, std::string_view reference, std::string_view preferred,
                               const OnItsWay& on_its_way = nullptr);

}  // namespace paddock
