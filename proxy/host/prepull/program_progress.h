// What ctr and podman print while they pull, a line at a time, taken into a PullProgress. Lines that make no sense are
// passed over. Pure.
#pragma once

#include <string_view>

#include "proxy/host/prepull/pull_progress.h"

namespace paddock {

// "layer-sha256:<hex>: downloading |+++---| 1.0 MiB/3.0 MiB", among others of its table.
void take_ctr_line(std::string_view line, PullProgress& progress);
// "Copying blob <hex> [=>---] 5.0MiB / 190.0MiB" on a terminal, "Copying blob sha256:<hex>" elsewhere; at its end
// "Copying blob <hex> done", or "... skipped: already exists".
void take_podman_line(std::string_view line, PullProgress& progress);

}  // namespace paddock
