#include "proxy/host/cuda_table.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace paddock {
namespace {

struct Row {
  std::string_view toolkit, driver;
};

// Oldest first; Linux x86_64.
constexpr std::array<Row, 50> rows{
    {{"9.0", "384.81"},        {"9.1", "390.46"},       {"9.2", "396.26"},       {"9.2.148", "396.37"},
     {"10.0", "410.48"},       {"10.1", "418.39"},      {"10.2", "440.33"},      {"11.0.2", "450.51.05"},
     {"11.0.3", "450.51.06"},  {"11.1", "455.23"},      {"11.1.1", "455.32"},    {"11.2.0", "460.27.03"},
     {"11.2.1", "460.32.03"},  {"11.3", "465.19.01"},   {"11.4.0", "470.42.01"}, {"11.4.1", "470.57.02"},
     {"11.4.3", "470.82.01"},  {"11.5", "495.29.05"},   {"11.6", "510.39.01"},   {"11.6.1", "510.47.03"},
     {"11.7", "515.43.04"},    {"11.7.1", "515.48.07"}, {"11.8", "520.61.05"},   {"12.0", "525.60.13"},
     {"12.0.1", "525.85.12"},  {"12.1", "530.30.02"},   {"12.2", "535.54.03"},   {"12.2.1", "535.86.09"},
     {"12.2.2", "535.104.05"}, {"12.3", "545.23.06"},   {"12.3.1", "545.23.08"}, {"12.4", "550.54.14"},
     {"12.4.1", "550.54.15"},  {"12.5", "555.42.02"},   {"12.5.1", "555.42.06"}, {"12.6", "560.28.03"},
     {"12.6.1", "560.35.03"},  {"12.6.3", "560.35.05"}, {"12.8", "570.26"},      {"12.8.1", "570.124.06"},
     {"12.9", "575.51.03"},    {"12.9.1", "575.57.08"}, {"13.0", "580.65.06"},   {"13.0.1", "580.82.07"},
     {"13.0.2", "580.95.05"},  {"13.1", "590.44.01"},   {"13.1.1", "590.48.01"}, {"13.2", "595.45.04"},
     {"13.2.1", "595.58.03"},  {"13.2.2", "595.71.05"}}};

struct Floor {
  std::uint32_t major, minor;  // CUDA, from here on
  std::string_view driver;
};

constexpr std::array<Floor, 3> minor_floors{{{11, 0, "450.80.02"}, {12, 0, "525.60.13"}, {13, 0, "580.65.06"}}};

// As the requirements of nvidia/cuda images have them: the oldest driver branch that their compatibility package is
// for.
constexpr std::array<Floor, 8> forward_floors{{{10, 0, "384"},
                                               {10, 2, "396"},
                                               {11, 0, "418"},
                                               {11, 7, "450"},
                                               {12, 0, "450"},
                                               {12, 2, "470"},
                                               {12, 9, "535"},
                                               {13, 0, "535"}}};

struct Architecture {
  std::uint32_t major, minor;              // compute capability
  std::uint32_t first_major, first_minor;  // CUDA
  std::uint32_t removed_major = 0;         // the CUDA major version without it; 0: none yet
};

constexpr std::array<Architecture, 24> architectures{{
    {3, 0, 4, 2, 11}, {3, 2, 6, 0, 11}, {3, 5, 5, 0, 12}, {3, 7, 6, 5, 12}, {5, 0, 6, 0, 13}, {5, 2, 6, 5, 13},
    {5, 3, 7, 0, 13}, {6, 0, 8, 0, 13}, {6, 1, 8, 0, 13}, {6, 2, 8, 0, 13}, {7, 0, 9, 0, 13}, {7, 2, 9, 2, 13},
    {7, 5, 10, 0},    {8, 0, 11, 0},    {8, 6, 11, 1},    {8, 7, 11, 4},    {8, 9, 11, 8},    {9, 0, 11, 8},
    {10, 0, 12, 8},   {10, 1, 12, 8},   {10, 3, 12, 9},   {11, 0, 13, 0},   {12, 0, 12, 8},   {12, 1, 12, 9},
}};

std::optional<Architecture> architecture_of(const DottedVersion& capability) {
  const auto found = std::ranges::find_if(architectures, [&](const Architecture& one) {
    return one.major == capability.major() && one.minor == capability.minor();
  });
  return found == architectures.end() ? std::nullopt : std::optional(*found);
}

// Of this program's own data.
DottedVersion known(std::string_view text) { return DottedVersion::parse(text).value(); }

}  // namespace

std::span<const CudaRelease> cuda_releases() {
  static const auto releases = [] {
    std::vector<CudaRelease> made;
    made.reserve(rows.size());
    for (const auto& row : rows) made.push_back({known(row.toolkit), known(row.driver)});
    return made;
  }();
  return releases;
}

std::optional<CudaRelease> release_for(const CudaVersion& cuda) {
  const auto releases = cuda_releases();
  const auto after = std::ranges::find_if(releases, [&](const auto& one) { return one.toolkit > cuda; });
  if (after != releases.begin() && std::prev(after)->toolkit.major_minor() == cuda.major_minor()) {
    return *std::prev(after);
  }
  return after == releases.end() ? std::nullopt : std::optional(*after);
}

std::optional<DottedVersion> minor_version_floor(std::uint32_t cuda_major) {
  const auto found = std::ranges::find(minor_floors, cuda_major, &Floor::major);
  return found == minor_floors.end() ? std::nullopt : std::optional(known(found->driver));
}

std::optional<DottedVersion> forward_compatibility_floor(const CudaVersion& cuda) {
  std::optional<DottedVersion> floor;
  for (const auto& one : forward_floors) {
    if (one.major == cuda.major() && one.minor <= cuda.minor()) floor = known(one.driver);
  }
  return floor;
}

bool newer_than_known(const DriverVersion& driver) {
  return driver.version().major() > cuda_releases().back().driver.major();
}

std::optional<CudaVersion> highest_cuda(const DriverVersion& driver) {
  if (newer_than_known(driver)) return std::nullopt;
  std::optional<CudaVersion> highest;
  for (const auto& release : cuda_releases()) {
    if (driver.at_least(release.driver)) highest = release.toolkit.major_minor();
  }
  return highest;
}

ArchitectureSupport architecture_support(const CudaVersion& cuda, const DottedVersion& capability) {
  const auto architecture = architecture_of(capability);
  if (!architecture) {
    // A GPU newer than our table is newer than the CUDA in it too.
    const auto& newest = architectures.back();
    const bool newer = capability > DottedVersion(newest.major, newest.minor);
    return newer && release_for(cuda) ? ArchitectureSupport::not_yet : ArchitectureSupport::supported;
  }
  if (cuda.major_minor() < DottedVersion(architecture->first_major, architecture->first_minor)) {
    const bool older_code = std::ranges::any_of(architectures, [&](const Architecture& one) {
      return one.major == architecture->major && one.minor < architecture->minor &&
             cuda.major_minor() >= DottedVersion(one.first_major, one.first_minor);
    });
    return older_code ? ArchitectureSupport::by_generation : ArchitectureSupport::not_yet;
  }
  const bool removed = architecture->removed_major != 0 && cuda.major() >= architecture->removed_major;
  return removed ? ArchitectureSupport::no_longer : ArchitectureSupport::supported;
}

std::optional<CudaVersion> first_cuda_for(const DottedVersion& capability) {
  const auto architecture = architecture_of(capability);
  if (!architecture) return std::nullopt;
  return CudaVersion(architecture->first_major, architecture->first_minor);
}

}  // namespace paddock
