#include "proxy/host/compatibility.h"

#include <catch2/catch.hpp>

#include "proxy/host/cuda_table.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

CudaVersion version(std::string_view text) { return CudaVersion::parse(text).value(); }

ImageNeeds image(std::string_view cuda, const std::string& package = "") {
  ImageNeeds needs{.cuda = version(cuda), .cuda_source = CudaSource::config, .compatibility_package = package};
  if (!package.empty()) needs.compatibility = version(cuda).major_minor();
  return needs;
}

GpuHost host(std::string_view driver) { return {.driver = DriverVersion::parse(driver).value()}; }

Verdict judged(std::string_view cuda, std::string_view driver) { return judge(image(cuda), host(driver), nullptr); }

Answer answer(std::string_view cuda, std::string_view driver) { return judged(cuda, driver).answer; }

Gpu a100() { return {.name = "NVIDIA A100-SXM4-80GB", .compute_capability = DottedVersion(8, 0)}; }
Gpu v100() { return {.name = "Tesla V100-SXM2-32GB", .brand = "tesla", .compute_capability = DottedVersion(7, 0)}; }
Gpu rtx() { return {.name = "NVIDIA GeForce RTX 3090", .compute_capability = DottedVersion(8, 6)}; }
Gpu h200() { return {.name = "NVIDIA H200", .compute_capability = DottedVersion(9, 0)}; }

TEST_CASE("CUDA 11.8 on drivers old and new") {
  CHECK(answer("11.8.0", "440.33.01") == Answer::does_not_run);
  CHECK(answer("11.8.0", "450.51.06") == Answer::does_not_run);
  CHECK(answer("11.8.0", "450.80.02") == Answer::runs_with_limits);
  CHECK(answer("11.8.0", "470.82.01") == Answer::runs_with_limits);
  CHECK(answer("11.8.0", "520.56.06") == Answer::runs_with_limits);
  CHECK(answer("11.8.0", "520.61.05") == Answer::runs);
  CHECK(answer("11.8.0", "525.60.13") == Answer::runs);
}

TEST_CASE("a branch stands for its releases, and from which on is said") {
  CHECK(answer("11.8", "440") == Answer::does_not_run);
  CHECK(answer("11.8", "470") == Answer::runs_with_limits);
  CHECK(answer("11.8", "525") == Answer::runs);
  const auto oldest = judged("11.8", "450");
  CHECK(oldest.answer == Answer::runs_with_limits);
  CHECK_THAT(oldest.reasons.back(), Contains("of the branch 450 that holds from 450.80.02 on"));
  const auto own = judged("11.8", "520");
  CHECK(own.answer == Answer::runs);
  CHECK_THAT(own.reasons.back(), Contains("from 520.61.05 on"));
  CHECK(judged("11.8", "470").reasons.size() == 1);
}

TEST_CASE("every toolkit runs on the driver that it came with, and on every newer one") {
  for (const auto& release : cuda_releases()) {
    INFO(release.toolkit.text());
    CHECK(answer(release.toolkit.text(), release.driver.text()) == Answer::runs);
    CHECK(answer(release.toolkit.text(), cuda_releases().back().driver.text()) == Answer::runs);
    CHECK(answer(release.toolkit.text(), "999.1") == Answer::runs);
  }
}

TEST_CASE("one step below its driver a toolkit runs with limits where its major version promises it, else not") {
  for (const auto& release : cuda_releases()) {
    INFO(release.toolkit.text());
    const auto below = std::to_string(release.driver.major() - 1) + ".999.99";
    const auto floor = minor_version_floor(release.toolkit.major());
    const bool promised = floor && version(below) >= *floor;
    CHECK(answer(release.toolkit.text(), below) == (promised ? Answer::runs_with_limits : Answer::does_not_run));
  }
}

TEST_CASE("the floors of the major versions hold to the last number") {
  CHECK(answer("12.9", "525.60.13") == Answer::runs_with_limits);
  CHECK(answer("12.9", "525.60.12") == Answer::does_not_run);
  CHECK(answer("13.2", "580.65.06") == Answer::runs_with_limits);
  CHECK(answer("13.2", "580.65.05") == Answer::does_not_run);
}

TEST_CASE("CUDA 9 and 10 need their toolkit's driver") {
  CHECK(answer("10.2.89", "440.33") == Answer::runs);
  CHECK(answer("10.2.89", "418.39") == Answer::does_not_run);
  CHECK(judged("10.2.89", "418.39").least_driver->text() == "440.33");
  CHECK(answer("9.0", "384.81") == Answer::runs);
  CHECK(answer("9.2.148", "396.26") == Answer::does_not_run);
}

TEST_CASE("the least driver is said, and the one without limits") {
  const auto verdict = judged("12.6.3", "470.82.01");
  CHECK(verdict.answer == Answer::does_not_run);
  CHECK(verdict.least_driver->text() == "525.60.13");
  CHECK(verdict.whole_driver->text() == "560.35.05");
  CHECK_THAT(verdict.reasons.front(), Contains("CUDA 12.6.3 needs driver 525.60.13 or newer, this is 470.82.01"));
  CHECK_FALSE(verdict.runs());
}

TEST_CASE("limits are explained") {
  CHECK_THAT(judged("11.8", "470.82.01").reasons.front(), Contains("drivers from 450.80.02 on run all of CUDA 11.x") &&
                                                              Contains("this is 470.82.01") && Contains("PTX"));
}

TEST_CASE("the image's compatibility package serves data-centre GPUs") {
  const auto needs = image("12.0", "cuda-compat-12-0");
  const auto gpu = a100();
  const auto verdict = judge(needs, host("470.82.01"), &gpu);
  CHECK(verdict.answer == Answer::runs_with_limits);
  CHECK(verdict.least_driver->text() == "450");
  CHECK_THAT(verdict.reasons.front(),
             Contains("cuda-compat-12-0") && Contains("forward compatibility") && !Contains("only"));
  CHECK(judge(needs, host("440.33.01"), &gpu).answer == Answer::does_not_run);
}

TEST_CASE("on other GPUs the package does not help, and the reasons say so") {
  const auto gpu = rtx();
  const auto verdict = judge(image("12.0", "cuda-compat-12-0"), host("470.82.01"), &gpu);
  CHECK(verdict.answer == Answer::does_not_run);
  CHECK(verdict.least_driver->text() == "525.60.13");
  CHECK_THAT(verdict.reasons.back(), Contains("cuda-compat-12-0 is for data-centre GPUs"));
}

TEST_CASE("where the GPU is not known the condition is said") {
  const auto verdict = judge(image("12.0", "cuda-compat-12-0"), host("470.82.01"), nullptr);
  CHECK(verdict.answer == Answer::runs_with_limits);
  CHECK_THAT(verdict.reasons.front(), Contains("on data-centre GPUs only"));
  CHECK(verdict.least_driver->text() == "525.60.13");
}

TEST_CASE("a package of an older CUDA than the image's is of no use") {
  auto needs = image("12.4", "cuda-compat-12-0");
  needs.compatibility = CudaVersion(12, 0);
  const auto gpu = a100();
  CHECK(judge(needs, host("470.82.01"), &gpu).answer == Answer::does_not_run);
}

TEST_CASE("a CUDA newer than the GPU's end has no code for it, whatever the driver") {
  const auto gpu = v100();
  const auto verdict = judge(image("13.0"), host("580.95.05"), &gpu);
  CHECK(verdict.answer == Answer::does_not_run);
  CHECK_FALSE(verdict.least_driver);
  CHECK_FALSE(verdict.whole_driver);
  CHECK_THAT(verdict.reasons.front(), Contains("no code for this GPU any more") && Contains("7.0"));
}

TEST_CASE("a CUDA older than the GPU runs what brings PTX") {
  const auto gpu = h200();
  const auto verdict = judge(image("11.7"), host("580.159.04"), &gpu);
  CHECK(verdict.answer == Answer::runs_with_limits);
  CHECK_THAT(verdict.reasons.front(), Contains("9.0") && Contains("from CUDA 11.8 on") && Contains("PTX"));
  CHECK(judge(image("11.8"), host("580.159.04"), &gpu).answer == Answer::runs);
  CHECK(judge(image("10.2"), host("384.81"), &gpu).answer == Answer::does_not_run);
}

TEST_CASE("a CUDA that knows older GPUs of the generation runs, and it is said") {
  const auto gpu = rtx();
  const auto verdict = judge(image("11.0"), host("525.60.13"), &gpu);
  CHECK(verdict.answer == Answer::runs);
  CHECK_THAT(verdict.reasons.back(), Contains("8.6, from CUDA 11.1 on") && Contains("same generation runs"));
}

TEST_CASE("a GPU that is newer than the table has no code of a CUDA that is in it") {
  const Gpu gpu{.name = "NVIDIA X1", .compute_capability = DottedVersion(99, 0)};
  const auto verdict = judge(image("13.2"), host("700.1"), &gpu);
  CHECK(verdict.answer == Answer::runs_with_limits);
  CHECK_THAT(verdict.reasons.front(), Contains("99.0, which is newer than this program knows") && Contains("PTX"));
}

TEST_CASE("CUDA 11.0 came with a driver below the floor of CUDA 11") {
  const auto verdict = judged("11.0.3", "450.51.06");
  CHECK(verdict.answer == Answer::runs);
  CHECK(verdict.least_driver->text() == "450.51.06");
  CHECK(judge_without_driver(image("11.0.3"), "none").least_driver->text() == "450.51.06");
}

TEST_CASE("a CUDA newer than the table goes by its major version and the driver's own word") {
  CHECK(answer("13.9", "595.71.05") == Answer::runs_with_limits);
  CHECK(answer("13.9", "570.26") == Answer::does_not_run);
  CHECK(judged("13.9", "570.26").least_driver->text() == "580.65.06");
  auto saying = host("620.10.01");
  saying.cuda = CudaVersion(14, 1);
  CHECK(judge(image("14.1"), saying, nullptr).answer == Answer::runs);
  CHECK(judge(image("14.2"), saying, nullptr).answer == Answer::runs_with_limits);
}

TEST_CASE("a major version that nobody knows needs a driver that nobody knows") {
  const auto verdict = judged("15.0", "595.71.05");
  CHECK(verdict.answer == Answer::does_not_run);
  CHECK_FALSE(verdict.least_driver);
  CHECK_THAT(verdict.reasons.front(), Contains("newer than 595.71.05"));
  CHECK_THAT(judged("15.0", "700.1").reasons.front(), Contains("it may run"));
}

TEST_CASE("the requirement stands beside the verdict") {
  auto needs = image("11.8");
  needs.requirements = requirements_of({{"NVIDIA_REQUIRE_CUDA", "cuda>=11.8 brand=tesla,driver>=470,driver<471"}});
  const auto other = rtx();
  auto verdict = judge(needs, host("470.82.01"), &other);
  CHECK(verdict.answer == Answer::runs_with_limits);
  CHECK(verdict.requirement.state == RequirementOutcome::State::satisfied);  // brand not known
  auto branded = rtx();
  branded.brand = "geforce";
  verdict = judge(needs, host("470.82.01"), &branded);
  CHECK(verdict.runs());
  CHECK(verdict.requirement.refused());
}

TEST_CASE("an image without CUDA needs no GPU") {
  const auto verdict = judge({}, host("470.82.01"), nullptr);
  CHECK(verdict.answer == Answer::needs_no_gpu);
  CHECK(verdict.runs());
  CHECK(judge_without_driver({}, "no driver").answer == Answer::needs_no_gpu);
}

TEST_CASE("an image that asks for GPUs and does not say which CUDA may run") {
  const ImageNeeds needs{.wants_gpu = true};
  CHECK(judge(needs, host("470.82.01"), nullptr).answer == Answer::runs_with_limits);
  CHECK(judge_without_driver(needs, "no driver").answer == Answer::does_not_run);
}

TEST_CASE("without a driver nothing with CUDA runs, and which driver it takes is said") {
  const auto verdict = judge_without_driver(image("12.1.1"), "no NVIDIA driver here");
  CHECK(verdict.answer == Answer::does_not_run);
  CHECK(verdict.reasons == std::vector<std::string>{"no NVIDIA driver here"});
  CHECK(verdict.least_driver->text() == "525.60.13");
  CHECK(verdict.whole_driver->text() == "530.30.02");
}

TEST_CASE("answers have words for people and names for programs") {
  CHECK(to_words(Answer::runs_with_limits) == "runs with limits");
  CHECK(to_string(Answer::runs_with_limits) == "runs_with_limits");
  CHECK(to_words(Answer::needs_no_gpu) == "needs no GPU");
  CHECK(to_string(Answer::does_not_run) == "does_not_run");
}

}  // namespace
}  // namespace paddock
