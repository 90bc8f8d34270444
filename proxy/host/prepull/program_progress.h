// What ctr and podman print while they pull, a line at a time, taken into a PullProgress. Lines that make no sense are
// passed over. Pure.
#pragma once

#include <string_view>

#include "proxy/host/prepull/pull_progress.h"

namespace paddock {

// "layer-sha256:<hex>: downloading |+++---| 1.0 MiB/3.0 MiB", among others of its table.
void take_ctr_line(std::string_view line, PullProgress& progress);
// "Copying blob sha256:<hex>", or what newer ones say of a blob: "Copying blob <hex> done", "... skipped: already
// exists". That one is done is not always said.
void take_podman_line(std::string_view line, PullProgress& progress);

}  // namespace paddock
