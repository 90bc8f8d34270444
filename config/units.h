// Sizes and durations as people write them. Pure; thread-safe.
// Errors: invalid_argument, a sentence that shows how to write it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "config/options.h"
#include "storage/error.h"

namespace paddock::config {

// "5GiB" (1024), "5GB" (1000), "1.5TiB", "512B"; a bare number is bytes.
Result<std::uint64_t> parse_size(std::string_view text);
// A size with its unit, or a share such as "80%" (above 0, up to 100).
Result<SizeLimit> parse_size_limit(std::string_view text);
// "500ms", "30s", "10m", "1h30m", "30d", "2w": units from large to small, each once. A bare number only when 0.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace paddock::config
