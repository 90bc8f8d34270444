// What a warm-up is asked for and what is known of it, as plain values: made by WarmJobs, kept in job_files.h, shown by
// the admin side. Sizes are bytes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/clock.h"

namespace paddock {

struct WarmRequest {
  std::vector<std::string> images{};                  // as people write them
  std::vector<std::string> platforms{"linux/amd64"};  // what is fetched of an index; none: the rule's, or these
  std::chrono::seconds pin{0};                        // how long to keep them from eviction; 0: not pinned
  std::string rule{};                                 // whose images these are; without images, all that it means
  bool ours_only = false;                             // images that no upstream here has are left out
  bool displaces = false;                             // pins of the rule that it does not mean any more go
  friend bool operator==(const WarmRequest&, const WarmRequest&) = default;
};

enum class WarmState : std::uint8_t { queued, resolving, filling, complete, failed, cancelled };
inline constexpr std::array<std::string_view, 6> warm_states{"queued",   "resolving", "filling",
                                                             "complete", "failed",    "cancelled"};
inline constexpr std::string_view to_string(WarmState state) { return warm_states.at(static_cast<std::size_t>(state)); }
// It is over.
inline constexpr bool is_final(WarmState state) { return state >= WarmState::complete; }

// How far something is.
struct WarmProgress {
  std::uint64_t total = 0, stored = 0;  // stored: what has come of a blob on its way counts
  std::uint64_t rate = 0;               // a second
  std::optional<std::chrono::seconds> eta{};
  friend bool operator==(const WarmProgress&, const WarmProgress&) = default;
};

struct WarmImage {
  std::string reference{};  // as asked for
  std::string name{};       // in full, once it is known
  std::string digest{};     // of what the reference names, once it is known
  std::vector<std::string> platforms{}, missing_platforms{};
  WarmState state = WarmState::queued;
  WarmProgress progress{};
  std::string error{};
  std::vector<std::string> nearest{};  // tags, where the one asked for does not exist
  friend bool operator==(const WarmImage&, const WarmImage&) = default;
};

// Whether there is room for what is missing, judged before anything is fetched.
struct WarmFit {
  bool fits = true;
  std::uint64_t missing = 0;
  std::uint64_t room = 0;  // with everything evicted that may be
  std::string remedy{};    // where it does not fit
  friend bool operator==(const WarmFit&, const WarmFit&) = default;
};

struct WarmPlanReport {
  std::vector<WarmImage> images;
  WarmProgress progress;  // what several images share counts once
  WarmFit fit;
};

struct WarmJobReport {
  std::string id{};
  WarmRequest request{};
  WarmState state = WarmState::queued;
  WallTime created{};
  std::optional<WallTime> finished{};
  std::vector<WarmImage> images{};
  WarmProgress progress{};  // what several images share counts once
  std::string error{};      // of the job as a whole
  friend bool operator==(const WarmJobReport&, const WarmJobReport&) = default;
};

struct WarmTicket {
  std::string id;
  bool joined = false;  // such a job was there already
};

}  // namespace paddock
