// What every request's path and every image name go through.
#include <benchmark/benchmark.h>
#include <string>

#include "proxy/oci/reference.h"
#include "proxy/oci/route.h"

namespace paddock {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

void image_reference(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    auto parsed = parse_image_reference(text);
    if (!parsed) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK_CAPTURE(image_reference, short, "debian:12");
BENCHMARK_CAPTURE(image_reference, tagged,
                  "registry.baidubce.com/paddlepaddle/paddle:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6");
BENCHMARK_CAPTURE(image_reference, with_digest, "registry.baidubce.com/paddlepaddle/paddle:2.6.2@" + digest);

void tag_or_digest(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    auto parsed = parse_tag_or_digest(text);
    if (!parsed) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK_CAPTURE(tag_or_digest, tag, "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6");
BENCHMARK_CAPTURE(tag_or_digest, digest, digest);

void repository(benchmark::State& state) {
  const std::string name = "registry.baidubce.com/paddlepaddle/paddle";
  for (auto _ : state) benchmark::DoNotOptimize(is_repository(name));
}
BENCHMARK(repository);

void route(benchmark::State& state, const std::string& path, Route::Kind kind) {
  for (auto _ : state) {
    auto parsed = parse_route(path);
    if (!parsed || parsed->kind != kind) state.SkipWithError("routed elsewhere");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK_CAPTURE(route, base, "/v2/", Route::Kind::base);
BENCHMARK_CAPTURE(route, manifest, "/v2/paddlepaddle/paddle/manifests/2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6",
                  Route::Kind::manifest);
BENCHMARK_CAPTURE(route, blob, "/v2/paddlepaddle/paddle/blobs/" + digest, Route::Kind::blob);
BENCHMARK_CAPTURE(route, encoded, "/v2/paddlepaddle%2Fpaddle/manifests/2%2e6%2e2", Route::Kind::manifest);

}  // namespace
}  // namespace paddock
