// When is a tag's cached answer good enough? Pure decisions.
#pragma once

#include <chrono>

#include "storage/clock.h"
#include "storage/error.h"

namespace paddock {

struct TagPolicy {
  std::chrono::seconds ttl{600};                    // fresh for so long after the upstream confirmed it
  std::chrono::seconds stale_if_error{30 * 86400};  // may be served for so long while the upstream is away
};

// A clock set back makes nothing fresh for ever: a confirmation in the future is stale.
bool is_fresh(WallTime validated, WallTime now, const TagPolicy& policy);

// May it be served while the upstream is away?
bool is_usable(WallTime validated, WallTime now, const TagPolicy& policy);

enum class OnError {
  serve_stale,  // the upstream is away: what we have is the best there is
  forget,       // the upstream says it does not exist
  pass_on,      // the upstream refuses, or it has been away for too long
};
OnError on_revalidation_error(const Error& error, WallTime validated, WallTime now, const TagPolicy& policy);

// Seconds since the upstream confirmed it, for the Age header; never negative.
std::chrono::seconds age(WallTime validated, WallTime now);

}  // namespace paddock
