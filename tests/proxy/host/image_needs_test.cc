#include "proxy/host/image_needs.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace paddock {
namespace {

std::string config(const std::vector<std::string>& variables) {
  return nlohmann::json{{"architecture", "amd64"}, {"os", "linux"}, {"config", {{"Env", variables}}}}.dump();
}

ImageNeeds needs(const std::vector<std::string>& variables, std::string_view tag = "2.6.2") {
  return read_image_needs(config(variables), parse_tag("paddlepaddle/paddle", tag)).value();
}

TEST_CASE("CUDA_VERSION says it best") {
  const auto found = needs({"CUDA_VERSION=11.8.0", "NVIDIA_REQUIRE_CUDA=cuda>=11.7", "NVIDIA_VISIBLE_DEVICES=all"},
                           "2.6.2-gpu-cuda12.0");
  CHECK(found.cuda->text() == "11.8.0");
  CHECK(found.cuda_source == CudaSource::config);
  CHECK(found.architecture == "amd64");
  CHECK(found.os == "linux");
  CHECK(found.wants_gpu);
  CHECK(found.requirements.all.size() == 1);
}

TEST_CASE("then the requirement's first condition") {
  const auto found = needs({"NVIDIA_REQUIRE_CUDA= cuda>=11.7 brand=tesla,driver>=450,driver<451"}, "x-cuda12.0");
  CHECK(found.cuda->text() == "11.7");
  CHECK(found.cuda_source == CudaSource::requirement);
  CHECK_FALSE(needs({"NVIDIA_REQUIRE_CUDA=driver>=450"}).cuda);
  CHECK_FALSE(needs({"NVIDIA_REQUIRE_CUDA=cuda>=new"}).cuda);
  CHECK(needs({"NVIDIA_REQUIRE_CUDA=cuda>=12.1,arch>=7"}).cuda->text() == "12.1");
}

TEST_CASE("then the tag, and it is said so") {
  const auto found = needs({"PATH=/bin"}, "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6");
  CHECK(found.cuda->text() == "12.0");
  CHECK(found.cuda_source == CudaSource::tag);
  CHECK(needs_by_name(parse_tag("paddlepaddle/paddle", "2.6.2-gpu-cuda11.7")).cuda->text() == "11.7");
}

TEST_CASE("an image that names no CUDA needs none") {
  const auto found = needs({"PATH=/bin"});
  CHECK_FALSE(found.cuda);
  CHECK(found.cuda_source == CudaSource::none);
  CHECK_FALSE(found.wants_gpu);
  CHECK(to_string(found.cuda_source) == "none");
}

TEST_CASE("a CUDA_VERSION that is none does not hide what else there is") {
  CHECK(needs({"CUDA_VERSION=latest"}, "x-cuda12.0").cuda_source == CudaSource::tag);
}

TEST_CASE("GPUs are asked for by NVIDIA_VISIBLE_DEVICES, unless with none of them") {
  CHECK(needs({"NVIDIA_VISIBLE_DEVICES=0,1"}).wants_gpu);
  for (const auto* value : {"", "void", "none"}) {
    CHECK_FALSE(needs({std::string("NVIDIA_VISIBLE_DEVICES=") + value}).wants_gpu);
  }
}

TEST_CASE("the compatibility package says for which CUDA it is") {
  CHECK(needs({"NV_CUDA_COMPAT_PACKAGE=cuda-compat-11-8"}).compatibility->text() == "11.8");
  CHECK(needs({"NV_CUDA_COMPAT_PACKAGE=cuda-compat-11-2=460.32.03-1"}).compatibility->text() == "11.2");
  for (const auto* package : {"", "cuda-compat", "cuda-compat-", "cuda-compat-x", "cuda-compat-11", "libcuda-11-8",
                              "cuda-compat-11-8-2", "cuda-compat--11-8"}) {
    INFO(package);
    CHECK_FALSE(needs({std::string("NV_CUDA_COMPAT_PACKAGE=") + package}).compatibility);
  }
}

TEST_CASE("of a variable that occurs twice the last counts, what is no variable is passed over") {
  const auto found = needs({"CUDA_VERSION=11.0", "nonsense", "=", "CUDA_VERSION=12.1.1"});
  CHECK(found.cuda->text() == "12.1.1");
}

TEST_CASE("a configuration may say nothing at all") {
  for (const auto* content : {"{}", R"({"config": null})", R"({"config": {}})", R"({"config": {"Env": null}})",
                              R"({"architecture": 5, "os": []})"}) {
    INFO(content);
    const auto found = read_image_needs(content, {});
    REQUIRE(found);
    CHECK_FALSE(found->cuda);
    CHECK(found->architecture.empty());
  }
}

TEST_CASE("what is no configuration is an error, not an image without CUDA") {
  for (const auto* content : {"", "[]", "null", "<html>", R"({"config": 5})", R"({"config": {"Env": "A=1"}})",
                              R"({"config": {"Env": [1]}})", R"({"os": "a", "os": "b"})"}) {
    INFO(content);
    const auto found = read_image_needs(content, parse_tag("a/b", "x-cuda12.0"));
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::protocol);
    CHECK_THAT(found.error().context, Catch::Matchers::StartsWith("the image's configuration"));
  }
}

TEST_CASE("a configuration's size and depth are limited") {
  CHECK_FALSE(read_image_needs(std::string(100'000, '['), {}).has_value());
  std::vector<std::string> many(10'001, "A=1");
  CHECK_FALSE(read_image_needs(config(many), {}).has_value());
}

TEST_CASE("names that go on and on are cut off") {
  const std::string tail(100'000, 'x');
  const auto needs =
      read_image_needs(R"({"os": "linux", "architecture": "amd64)" + tail +
                           R"(", "config": {"Env": ["NV_CUDA_COMPAT_PACKAGE=cuda-compat-12-1)" + tail + "\"]}}",
                       {})
          .value();
  CHECK(needs.architecture.size() < 100);
  CHECK(needs.compatibility_package.size() < 100);
  CHECK(needs.compatibility->text() == "12.1");
}

}  // namespace
}  // namespace paddock
