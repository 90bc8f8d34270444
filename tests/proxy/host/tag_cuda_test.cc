#include "proxy/host/tag_cuda.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

std::string found(std::string_view tag) {
  const auto version = cuda_of_tag(tag);
  return version ? version->text() : "";
}

TEST_CASE("a tag's CUDA is read as people write it") {
  CHECK(found("2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6") == "12.0");
  CHECK(found("latest-gpu-cuda10.2-cudnn7") == "10.2");
  CHECK(found("2.4.2-gpu-cuda11.6.2-cudnn8") == "11.6.2");
  CHECK(found("latest-dev-cuda11.2-cudnn8.2-trt8.0-gcc82") == "11.2");
  CHECK(found("cuda118-x") == "11.8");
  CHECK(found("x-cuda126") == "12.6");
  CHECK(found("x-cuda-12.6-y") == "12.6");
  CHECK(found("x_cuda_12.6") == "12.6");
  CHECK(found("1.8.5-gpu-cuda9.0-cudnn7") == "9.0");
  CHECK(found("cuda11") == "11");
  CHECK(found("1.6-cuda92-x") == "9.2");
  CHECK(found("cuda102") == "10.2");
  CHECK(found("x-cuda12.6.") == "12.6");
}

TEST_CASE("a tag without CUDA has none") {
  for (const auto* tag : {"", "2.6.2", "latest", "cuda", "cuda-", "no-cuda-here", "cudnn8", "cuda.", "cuda1",
                          "cuda999999999999", "2.6.2-xpu", "barracuda4", "cuda..1"}) {
    INFO(tag);
    CHECK(found(tag).empty());
  }
}

}  // namespace
}  // namespace paddock
