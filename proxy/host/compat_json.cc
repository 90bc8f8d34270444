#include "proxy/host/compat_json.h"

#include <nlohmann/json.hpp>

#include "proxy/host/cuda_table.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

Json version_json(const std::optional<DottedVersion>& version) {
  return version ? Json(version->text()) : Json(nullptr);
}

Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json data_centre_json(const Gpu& gpu) {
  const auto found = is_data_centre(gpu);
  return found == DataCentre::unknown ? Json(nullptr) : Json(found == DataCentre::yes);
}

}  // namespace

Json verdict_json(const Verdict& verdict) {
  return {{"answer", to_string(verdict.answer)},
          {"reasons", verdict.reasons},
          {"least_driver", version_json(verdict.least_driver)},
          {"whole_driver", version_json(verdict.whole_driver)},
          {"requirement",
           {{"state", to_string(verdict.requirement.state)}, {"message", text_json(verdict.requirement.message)}}}};
}

Json needs_json(const ImageNeeds& needs) {
  return {{"cuda", version_json(needs.cuda)},
          {"cuda_from", needs.cuda ? Json(to_string(needs.cuda_source)) : Json(nullptr)},
          {"compatibility_package", text_json(needs.compatibility_package)},
          {"architecture", text_json(needs.architecture)}};
}

Json gpu_json(const Gpu& gpu) {
  return {{"index", gpu.index},
          {"name", text_json(gpu.name)},
          {"uuid", text_json(gpu.uuid)},
          {"brand", optional_json(gpu.brand)},
          {"compute_capability", version_json(gpu.compute_capability)},
          {"mig", optional_json(gpu.mig)},
          {"data_centre", data_centre_json(gpu)}};
}

Json host_json(const GpuHost& host) {
  auto gpus = Json::array();
  for (const auto& gpu : host.gpus) gpus.push_back(gpu_json(gpu));
  return {{"driver", host.driver.text()},
          {"cuda", version_json(host.cuda ? host.cuda : highest_cuda(host.driver))},
          {"source", host.source},
          {"gpus", std::move(gpus)}};
}

}  // namespace paddock
