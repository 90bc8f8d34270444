// Beat: one client that asks for a manifest at a steady beat, over one keep-alive connection.
//
// How long somebody waits who does not add to the load. Times count from when a request was due, so that one slow
// answer also counts for those that had to wait behind it; those whose turn has not come at the end have waited until
// then. One thread; ends with the first error.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "benchmarks/load/crowd.h"

namespace paddock::load {

struct BeatOutcome {
  std::vector<double> waits;  // milliseconds, in order of size
  std::string error;
};

BeatOutcome beat(const Target& target, SSL_CTX* tls, const Plan& plan, std::chrono::milliseconds every,
                 std::chrono::seconds duration);

}  // namespace paddock::load
