// How a pre-pull looks: progress and outcomes as text for people and as JSON. Pure; thread-safe; hostile text is made
// harmless.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proxy/cli/progress_bar.h"
#include "proxy/host/prepull/prepull.h"

namespace paddock {

// Of all layers together; `rate` in bytes a second.
Amount amount_of(const PullProgress& progress, std::uint64_t rate);
// "42%, 3.1 GiB of 7.4 GiB, 85.0 MiB/s, 48s left; 5 of 19 layers ready"
std::string progress_line(const PullProgress& progress, std::uint64_t rate);
// A bar for each layer that is on its way and one for the whole, none wider than `width`; at most `most` lines.
std::vector<std::string> progress_bars(const std::string& image, const PullProgress& progress, std::uint64_t rate,
                                       std::size_t width, std::size_t most);

// "registry.example/a/b:1: already there (sha256:...)"
std::string describe(const PrepullOutcome& outcome);
nlohmann::ordered_json outcome_json(const PrepullOutcome& outcome);
// "2 of 3 images are ready: 1 already there, 1 pulled"; those of other registries do not count.
std::string summary(const std::vector<PrepullOutcome>& outcomes);

}  // namespace paddock
