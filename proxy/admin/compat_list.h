// Which cached images run with a driver: judged by the configurations in the store, no upstream is asked.
//
// Blocking: call on the BlockingPool. Thread-safe. Errors: those of the catalog. A configuration that is not stored, or
// cannot be read, leaves the tag's word, if it has one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proxy/admin/reports.h"
#include "proxy/host/compatibility.h"
#include "storage/catalog.h"
#include "storage/error.h"

namespace paddock {

struct CompatQuery {
  GpuHost host;
  ImageQuery page{};
};

struct CompatReport {  // one platform of an image
  std::string name{};
  std::string platform{};
  Digest digest;  // of the platform's manifest
  ImageNeeds needs{};
  std::optional<Verdict> verdict{};  // absent: nothing is known of what it needs
};

struct CompatPage {
  GpuHost host;
  std::vector<CompatReport> images{};
  std::string next{};  // the last image's name, when there are more
};

// Small content by its digest, without counting as a use of it.
using ReadContent = std::function<Result<std::string>(const Digest&)>;

Result<CompatPage> list_compat(Catalog& catalog, const ReadContent& read, const CompatQuery& query);

}  // namespace paddock
