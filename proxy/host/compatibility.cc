#include "proxy/host/compatibility.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/cuda_table.h"

namespace paddock {
namespace {

using Floor = std::optional<DottedVersion>;

// The image's own package of a CUDA that is new enough, for drivers from `from` on.
Floor forward_floor(const ImageNeeds& needs) {
  if (!needs.compatibility || *needs.compatibility < needs.cuda->major_minor()) return std::nullopt;
  return forward_compatibility_floor(*needs.compatibility);
}

// What a driver has to be. CUDA 11.0 came with one that is older than the floor of its major version.
void put_drivers(Verdict& verdict, const CudaVersion& cuda) {
  if (const auto release = release_for(cuda)) verdict.whole_driver = release->driver;
  const auto minor = minor_version_floor(cuda.major());
  const bool by_minor = minor && (!verdict.whole_driver || *minor < *verdict.whole_driver);
  verdict.least_driver = by_minor ? minor : verdict.whole_driver;
}

class Judgement {
 public:
  Judgement(const ImageNeeds& needs, const GpuHost& host, const Gpu* gpu)
      : needs_(needs), host_(host), gpu_(gpu), cuda_(*needs.cuda) {}

  Verdict decide() {
    put_drivers(verdict_, cuda_);
    decide_by_driver(minor_version_floor(cuda_.major()));
    decide_by_architecture();
    return std::move(verdict_);
  }

 private:
  void decide_by_driver(const Floor& minor) {
    if (verdict_.whole_driver && host_.driver.at_least(*verdict_.whole_driver)) return whole();
    // CUDA that is newer than our table: the driver's own word counts.
    if (!verdict_.whole_driver && host_.cuda && *host_.cuda >= cuda_.major_minor()) return whole();
    if (minor && host_.driver.at_least(*minor)) return by_minor_version(*minor);
    if (const auto forward = forward_floor(needs_)) {
      const auto centre = gpu_ == nullptr ? DataCentre::unknown : is_data_centre(*gpu_);
      if (centre != DataCentre::no && host_.driver.at_least(*forward)) return by_package(*forward, centre);
      verdict_.reasons.push_back(fmt::format("its {} is for data-centre GPUs with driver {} or newer",
                                             needs_.compatibility_package, forward->text()));
    }
    too_old();
  }

  void answer(Answer answer, std::string reason) {
    verdict_.answer = answer;
    verdict_.reasons.insert(verdict_.reasons.begin(), std::move(reason));
  }

  void whole() {
    answer(Answer::runs, verdict_.whole_driver ? fmt::format("CUDA {} came with driver {}, this is {}", cuda_.text(),
                                                             verdict_.whole_driver->text(), host_.driver.text())
                                               : fmt::format("driver {} says that it supports CUDA {}",
                                                             host_.driver.text(), host_.cuda->text()));
    if (verdict_.whole_driver) mind_branch(*verdict_.whole_driver);
  }

  void by_minor_version(const DottedVersion& floor) {
    answer(Answer::runs_with_limits,
           fmt::format("drivers from {} on run all of CUDA {}.x (minor-version compatibility), this is {}: without the "
                       "driver features that came later, and PTX code may fail to compile",
                       floor.text(), cuda_.major(), host_.driver.text()));
    if (!verdict_.whole_driver)
      verdict_.reasons.push_back("CUDA " + cuda_.text() + " is newer than this program knows");
    mind_branch(floor);
  }

  void by_package(const DottedVersion& floor, DataCentre centre) {
    answer(Answer::runs_with_limits,
           fmt::format("CUDA {} is too new for driver {}, but the image brings {} (forward compatibility){}",
                       cuda_.text(), host_.driver.text(), needs_.compatibility_package,
                       centre == DataCentre::unknown ? ", which works on data-centre GPUs only" : ""));
    if (centre == DataCentre::yes) verdict_.least_driver = floor;
    mind_branch(floor);
  }

  void too_old() {
    if (verdict_.least_driver) {
      answer(Answer::does_not_run, fmt::format("CUDA {} needs driver {} or newer, this is {}", cuda_.text(),
                                               verdict_.least_driver->text(), host_.driver.text()));
    } else if (newer_than_known(host_.driver)) {
      answer(Answer::runs_with_limits, fmt::format("neither CUDA {} nor driver {} is known to this program: it may run",
                                                   cuda_.text(), host_.driver.text()));
    } else {
      answer(Answer::does_not_run,
             fmt::format("CUDA {} is newer than this program knows: it needs a driver newer than {}, this is {}",
                         cuda_.text(), cuda_releases().back().driver.text(), host_.driver.text()));
    }
  }

  void mind_branch(const DottedVersion& floor) {
    if (host_.driver.surely_at_least(floor)) return;
    verdict_.reasons.push_back(
        fmt::format("of the branch {} that holds from {} on", host_.driver.text(), floor.text()));
  }

  void decide_by_architecture() {
    if (gpu_ == nullptr || !gpu_->compute_capability) return;
    const auto& capability = *gpu_->compute_capability;
    const auto support = architecture_support(cuda_, capability);
    if (support == ArchitectureSupport::supported) return;
    if (support == ArchitectureSupport::no_longer) return no_longer(capability);
    const auto first = first_cuda_for(capability);
    auto reason =
        fmt::format("CUDA {} is older than this GPU (compute capability {}{})", cuda_.text(), capability.text(),
                    first ? ", from CUDA " + first->text() + " on" : ", which is newer than this program knows");
    if (support == ArchitectureSupport::by_generation) {
      verdict_.reasons.push_back(reason + ": its code for older GPUs of the same generation runs");
      return;
    }
    reason += ": only what brings PTX code runs";
    if (verdict_.answer == Answer::runs) return answer(Answer::runs_with_limits, std::move(reason));
    verdict_.reasons.push_back(std::move(reason));
  }

  void no_longer(const DottedVersion& capability) {
    answer(
        Answer::does_not_run,
        fmt::format("CUDA {} has no code for this GPU any more (compute capability {}): take an image of an older CUDA",
                    cuda_.text(), capability.text()));
    verdict_.least_driver.reset();
    verdict_.whole_driver.reset();
  }

  const ImageNeeds& needs_;
  const GpuHost& host_;
  const Gpu* gpu_;
  const CudaVersion& cuda_;
  Verdict verdict_;
};

Verdict judge_without_cuda(const ImageNeeds& needs) {
  if (!needs.wants_gpu) return {Answer::needs_no_gpu, {"neither its configuration nor its tag names CUDA"}};
  return {Answer::runs_with_limits,
          {"it asks for NVIDIA GPUs, but neither its configuration nor its tag says which CUDA: it may run"}};
}

}  // namespace

std::string_view to_words(Answer answer) {
  static constexpr std::array<std::string_view, 4> words{"runs", "runs with limits", "does not run", "needs no GPU"};
  return words.at(static_cast<std::size_t>(answer));
}

std::string_view to_string(Answer answer) {
  static constexpr std::array<std::string_view, 4> names{"runs", "runs_with_limits", "does_not_run", "needs_no_gpu"};
  return names.at(static_cast<std::size_t>(answer));
}

Verdict judge(const ImageNeeds& needs, const GpuHost& host, const Gpu* gpu) {
  auto verdict = needs.cuda ? Judgement(needs, host, gpu).decide() : judge_without_cuda(needs);
  verdict.requirement = evaluate(needs.requirements, requirement_facts(host, gpu));
  return verdict;
}

Verdict judge_without_driver(const ImageNeeds& needs, const std::string& why) {
  if (!needs.cuda && !needs.wants_gpu) return judge_without_cuda(needs);
  Verdict verdict{Answer::does_not_run, {why}};
  if (!needs.cuda) return verdict;
  put_drivers(verdict, *needs.cuda);
  return verdict;
}

}  // namespace paddock
