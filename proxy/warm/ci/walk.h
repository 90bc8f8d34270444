// Finds the files below a folder. Skips version control's and package managers' folders; follows links, but no folder
// twice. Folders that cannot be read, and loops of links, are problems in the report and stop nothing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <vector>

#include "proxy/warm/ci/collector.h"

namespace paddock::ci {

// How a folder is listed; replaced in tests, where permissions cannot be taken away from root.
using ListFolder =
    std::function<std::vector<std::filesystem::path>(const std::filesystem::path&, std::error_code& error)>;
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder, std::error_code& error);

// In the order of names; at most `limit` entries are looked at.
std::vector<std::filesystem::path> walk(const std::filesystem::path& folder, std::size_t limit, const ListFolder& list,
                                        Collector& collector);

}  // namespace paddock::ci
