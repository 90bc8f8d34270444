// Does an image run on a GPU with this driver? Three answers, and the reasons for them, as CUDA itself would have it;
// beside them what the image's own requirement says, by which the container toolkit may refuse what would run.
//
//   runs              the driver supports the image's CUDA
//   runs with limits  by minor-version compatibility (the same CUDA major version: no new driver features, PTX may not
//                     compile), or through the image's cuda-compat package on a data-centre GPU
//   does not run      it needs a newer driver, or another GPU
//
// NVIDIA's CUDA Compatibility guide. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/gpu.h"
#include "proxy/host/image_needs.h"

namespace paddock {

enum class Answer : std::uint8_t { runs, runs_with_limits, does_not_run, needs_no_gpu };

struct Verdict {
  Answer answer = Answer::needs_no_gpu;
  std::vector<std::string> reasons{};           // sentences without a full stop; the first decided
  std::optional<DottedVersion> least_driver{};  // from here on it runs, with limits perhaps; absent: not known, or none
  std::optional<DottedVersion> whole_driver{};  // from here on without
  RequirementOutcome requirement{};

  [[nodiscard]] bool runs() const { return answer != Answer::does_not_run; }
};

// "runs", "runs with limits", "does not run", "needs no GPU".
std::string_view to_words(Answer answer);
// "runs", "runs_with_limits", "does_not_run", "needs_no_gpu".
std::string_view to_string(Answer answer);

// `gpu` is one of the host's; null: only the driver is known.
Verdict judge(const ImageNeeds& needs, const GpuHost& host, const Gpu* gpu);
// On a host without a driver that works, for the reason given.
Verdict judge_without_driver(const ImageNeeds& needs, const std::string& why);

}  // namespace paddock
