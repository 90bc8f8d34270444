#include "proxy/cli/doctor_image.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/cli/format.h"
#include "proxy/host/compat_json.h"
#include "proxy/host/cuda_table.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

// Of an image that needs no GPU, or on a host without one.
Verdict judge_once(const ImageNeeds& needs, const Result<GpuHost>& host) {
  if (!host) return judge_without_driver(needs, host.error().context);
  const bool needs_none = !needs.cuda && !needs.wants_gpu;
  if (needs_none || host->source == by_hand_source) return judge(needs, *host, nullptr);
  return judge_without_driver(needs, "there is a driver, but no GPU");
}

void judge_all(ImageDiagnosis& diagnosis) {
  const auto& host = diagnosis.host;
  diagnosis.by_gpu = host && !host->gpus.empty() && (diagnosis.needs.cuda || diagnosis.needs.wants_gpu);
  if (!diagnosis.by_gpu) return diagnosis.verdicts.push_back(judge_once(diagnosis.needs, host));
  for (const auto& gpu : host->gpus) diagnosis.verdicts.push_back(judge(diagnosis.needs, *host, &gpu));
}

std::string needs_text(const ImageNeeds& needs) {
  if (!needs.cuda) return needs.wants_gpu ? "a GPU; nothing says which CUDA" : "no GPU";
  std::string text = "CUDA " + needs.cuda->text();
  if (needs.cuda_source == CudaSource::tag) text += ", by its tag alone: its configuration says nothing of CUDA";
  if (needs.cuda_source == CudaSource::config) text += ", by CUDA_VERSION in its configuration";
  if (needs.cuda_source == CudaSource::requirement) text += ", by NVIDIA_REQUIRE_CUDA in its configuration";
  if (needs.compatibility) text += "; brings " + needs.compatibility_package;
  return text;
}

std::string driver_text(const GpuHost& host) {
  auto text = host.driver.text();
  const auto highest = host.cuda ? host.cuda : highest_cuda(host.driver);
  if (highest) text += ", CUDA up to " + highest->text();
  return text + " (" + host.source + ")";
}

std::string gpu_text(const Gpu& gpu) {
  auto text = gpu.name.empty() ? "name not known" : gpu.name;
  if (gpu.compute_capability) text += ", compute capability " + gpu.compute_capability->text();
  if (gpu.brand) text += ", brand " + *gpu.brand;
  if (gpu.mig.value_or(false)) text += ", MIG";
  return text;
}

std::string requirement_text(const RequirementOutcome& requirement) {
  if (requirement.state == RequirementOutcome::State::disabled) return "switched off by NVIDIA_DISABLE_REQUIRE";
  if (!requirement.refused()) return "met";
  return requirement.message +
         "; a container toolkit that checks it does not start the image (NVIDIA_DISABLE_REQUIRE=1 in the container's "
         "environment switches that off)";
}

std::string least_text(const Verdict& verdict) {
  if (!verdict.least_driver) return "";
  auto text = verdict.least_driver->text();
  if (verdict.whole_driver && *verdict.whole_driver > *verdict.least_driver) {
    text += "; without limits " + verdict.whole_driver->text();
  }
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

void append(Rows& rows, const std::string& subject, const Verdict& verdict) {
  rows.push_back({subject, std::string(to_words(verdict.answer))});
  for (const auto& reason : verdict.reasons) rows.push_back({"", reason});
  if (const auto least = least_text(verdict); !least.empty()) rows.push_back({"", "least driver " + least});
  if (verdict.requirement.state != RequirementOutcome::State::none) {
    rows.push_back({"", "the image's requirement: " + requirement_text(verdict.requirement)});
  }
}

// Whether an image that says what it is for is for that; variants apart.
bool fits(const ImageNeeds& needs, std::string_view platform) {
  if (needs.os.empty() || needs.architecture.empty()) return true;
  const auto own = needs.os + "/" + needs.architecture;
  return platform == own || platform.starts_with(own + "/");
}

Json error_json(const Error& error) { return {{"code", to_string(error.code)}, {"message", error.context}}; }

}  // namespace

bool ImageDiagnosis::runs() const { return std::ranges::any_of(verdicts, &Verdict::runs); }

Result<ImageDiagnosis> diagnose(const ImageQuestion& question, const CacheClient& cache) {
  auto reference = parse_image_reference(question.image);
  if (!reference) return std::unexpected(std::move(reference).error().with("--image"));
  auto host = question.driver.empty() ? probe_gpus(question.probe) : host_with_driver(question.driver);
  if (!host && !question.driver.empty()) return std::unexpected(std::move(host).error().with("--driver"));
  auto found = cache.configuration(*reference, question.platform);
  if (!found) return std::unexpected(std::move(found).error().with(reference->to_string()));
  auto needs = read_image_needs(found->content, parse_tag(reference->repository, reference->tag.value_or("")));
  if (!needs) return std::unexpected(std::move(needs).error().with(reference->to_string()));
  if (found->platform.empty() && !fits(*needs, question.platform)) {
    return fail(ErrorCode::not_found, Blame::client,
                fmt::format("{} is for {} alone, not for {}: give --platform", reference->to_string(),
                            quote(needs->os + "/" + needs->architecture), question.platform));
  }
  ImageDiagnosis diagnosis{reference->to_string(), std::move(found->platform), found->manifest.to_string(),
                           *std::move(needs), std::move(host)};
  if (diagnosis.platform.empty()) diagnosis.platform = diagnosis.needs.os + "/" + diagnosis.needs.architecture;
  judge_all(diagnosis);
  return diagnosis;
}

std::string describe(const ImageDiagnosis& diagnosis) {
  Rows rows{{"image", diagnosis.image + " (" + diagnosis.platform + ")"}, {"needs", needs_text(diagnosis.needs)}};
  const auto& host = diagnosis.host;
  rows.push_back({"driver", host ? driver_text(*host) : "none that works"});
  for (std::size_t at = 0; at < diagnosis.verdicts.size(); ++at) {
    std::string subject = "answer";
    if (diagnosis.by_gpu) {
      subject = fmt::format("GPU {}", host->gpus[at].index);
      rows.push_back({subject, gpu_text(host->gpus[at])});
      subject.clear();
    }
    append(rows, subject, diagnosis.verdicts[at]);
  }
  return format_table(rows);
}

Json gpus_json(const Result<GpuHost>& host) {
  return host ? host_json(*host) : Json{{"driver", nullptr}, {"error", error_json(host.error())}};
}

Json diagnosis_json(const ImageDiagnosis& diagnosis) {
  auto verdicts = Json::array();
  for (std::size_t at = 0; at < diagnosis.verdicts.size(); ++at) {
    auto verdict = Json{{"gpu", diagnosis.by_gpu ? Json(diagnosis.host->gpus[at].index) : Json(nullptr)}};
    verdict.update(verdict_json(diagnosis.verdicts[at]));
    verdicts.push_back(std::move(verdict));
  }
  return {{"image", diagnosis.image},          {"platform", diagnosis.platform},
          {"digest", diagnosis.digest},        {"needs", needs_json(diagnosis.needs)},
          {"host", gpus_json(diagnosis.host)}, {"runs", diagnosis.runs()},
          {"verdicts", std::move(verdicts)}};
}

std::string describe_gpus(const Result<GpuHost>& host) {
  if (!host) return format_table({{"driver", "none that works: " + host.error().context}});
  Rows rows{{"driver", driver_text(*host)}};
  for (const auto& gpu : host->gpus) rows.push_back({fmt::format("GPU {}", gpu.index), gpu_text(gpu)});
  if (host->gpus.empty()) rows.push_back({"GPU", "none"});
  return format_table(rows);
}

}  // namespace paddock
