// A warm-up with a value in every field, for tests of what shows it.
#pragma once

#include "proxy/warm/job.h"

namespace paddock::test {

inline WarmImage sample_warm_image() {
  return {.reference = "paddlepaddle/paddle:2.6.2",
          .name = "registry.baidubce.com/paddlepaddle/paddle:2.6.2",
          .digest = "sha256:abc",
          .platforms = {"linux/amd64"},
          .missing_platforms = {"linux/arm64"},
          .state = WarmState::filling,
          .progress = {.total = 4000, .stored = 1000, .rate = 100, .eta = std::chrono::seconds(30)}};
}

inline WarmImage sample_missing_image() {
  return {.reference = "paddlepaddle/paddle:2.6.9",
          .state = WarmState::failed,
          .error = "no such tag",
          .nearest = {"2.6.1", "2.6.0"}};
}

inline WarmJobReport sample_job() {
  return {
      .id = "6748a1f0",
      .request = {.images = {"paddlepaddle/paddle:2.6.2", "paddlepaddle/paddle:2.6.9"}, .pin = std::chrono::hours(1)},
      .state = WarmState::filling,
      .created = WallTime(std::chrono::seconds(1'700'000'000)),
      .images = {sample_warm_image(), sample_missing_image()},
      .progress = {.total = 4000, .stored = 1000, .rate = 100, .eta = std::chrono::seconds(30)}};
}

inline WarmPlanReport sample_plan() {
  return {.images = {sample_warm_image()},
          .progress = {.total = 4000, .stored = 1000},
          .fit = {.fits = false, .missing = 3000, .room = 2000, .remedy = "raise storage.max_size"}};
}

}  // namespace paddock::test
