// Shows a warm-up until it is over: bars on a terminal, a line now and then elsewhere, nothing when `quiet`.
//
// Blocking. Ctrl-C (SIGINT, SIGTERM) ends the looking, not the job, and says so. A server that is away for a moment is
// waited for, as jobs outlive it.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/command.h"

namespace paddock {

struct FollowOptions {
  bool quiet = false;
  std::chrono::milliseconds look{400};    // between two looks
  std::chrono::milliseconds line{5'000};  // between two lines, where there is no terminal
  std::chrono::seconds patience{120};     // with a server that is away
};

// The job as it ended. cancelled: the looking was ended.
Result<nlohmann::ordered_json> follow_job(const AdminClient& client, const std::string& id, Console& console,
                                          FollowOptions options);
// Says how it ended, and sets the console's status.
void report_end(const nlohmann::ordered_json& job, Console& console, bool as_json);

}  // namespace paddock
