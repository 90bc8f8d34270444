#include "proxy/host/gpu.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "proxy/host/cuda_table.h"

namespace paddock {
namespace {

constexpr std::array<std::string_view, 3> makers{"NVIDIA ", "Tesla ", "GRID "};

// The models' first words; what follows says which board ("A100-SXM4-80GB", "H200 NVL").
constexpr std::array<std::string_view, 32> models{"A2",    "A10",   "A10G", "A16",   "A30",   "A40",  "A100", "A800",
                                                  "H20",   "H100",  "H200", "H800",  "GH200", "B100", "B200", "B300",
                                                  "GB200", "GB300", "L2",   "L4",    "L20",   "L40",  "L40S", "L40G",
                                                  "T4",    "T4G",   "V100", "V100S", "P4",    "P40",  "P100", "M60"};

bool named_as_one(std::string_view name) {
  bool tesla = false;
  for (const auto maker : makers) {
    if (!name.starts_with(maker)) continue;
    name.remove_prefix(maker.size());
    tesla = tesla || maker == "Tesla ";
  }
  const auto model = name.substr(0, name.find_first_of(" -"));
  return tesla || std::ranges::find(models, model) != models.end();
}

}  // namespace

DataCentre is_data_centre(const Gpu& gpu) {
  if (gpu.brand == "tesla" || named_as_one(gpu.name)) return DataCentre::yes;
  return gpu.name.empty() ? DataCentre::unknown : DataCentre::no;
}

RequirementFacts requirement_facts(const GpuHost& host, const Gpu* gpu) {
  RequirementFacts facts;
  facts.driver = host.driver.text();
  auto cuda = host.cuda;
  if (!cuda) cuda = highest_cuda(host.driver);
  if (cuda) facts.cuda = cuda->text();
  if (gpu == nullptr) return facts;
  facts.brand = gpu->brand;
  if (gpu->compute_capability) facts.arch = gpu->compute_capability->text();
  return facts;
}

}  // namespace paddock
