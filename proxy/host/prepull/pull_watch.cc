#include <spdlog/fmt/fmt.h>

#include "proxy/host/prepull/engine.h"

namespace paddock {

Result<void> PullWatch::look() {
  if (options_.stopped()) return fail(ErrorCode::cancelled, Blame::client, "interrupted");
  options_.show(progress_);
  const auto now = std::chrono::steady_clock::now();
  if (progress_.steps() != steps_) {
    steps_ = progress_.steps();
    since_ = now;
  }
  if (now - since_ < options_.patience) return {};
  return fail(ErrorCode::timeout, Blame::upstream,
              fmt::format("it got no further for {} s: look at the engine's log (--patience says how long to wait)",
                          std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count()));
}

}  // namespace paddock
