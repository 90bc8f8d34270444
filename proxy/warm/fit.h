// Is there room for what a warm-up is about to fetch? Decided before a byte comes, from what is stored and what of it
// may be evicted. assess_fit() reads the whole index: blocking. Errors: the catalog's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_set>
#include <vector>

#include "proxy/warm/job.h"
#include "proxy/warm/planner.h"
#include "storage/catalog.h"
#include "storage/space.h"

namespace paddock {

// Pure. `kept`: what is stored and may not be evicted; `missing`: what has to be fetched and is not promised room yet.
WarmFit decide_fit(const Space::Usage& usage, std::uint64_t kept, std::uint64_t missing);

// `promised` says of a blob that it is on its way, with its room reserved. `without` are pins that are about to go.
Result<WarmFit> assess_fit(Catalog& catalog, const Space::Usage& usage, const std::vector<PlannedBlob>& blobs,
                           const std::function<bool(const Digest&)>& promised, WallTime now,
                           std::span<const PinRecord> without = {});

}  // namespace paddock
