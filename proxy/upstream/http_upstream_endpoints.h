// The loop over the endpoints of HttpUpstream. Private to http_upstream*.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "proxy/upstream/http_upstream.h"

namespace paddock {

// Another endpoint may do better.
inline bool worth_another_endpoint(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
         error.code == ErrorCode::protocol || error.code == ErrorCode::digest_mismatch;
}

template <typename T>
Task<Result<T>> HttpUpstream::over_endpoints(About about, Ask<T> ask) {
  const bool whole = about != About::bytes;
  const auto budget = whole ? options_->metadata_budget : options_->blob_budget;
  const auto deadline = std::min(std::chrono::steady_clock::now() + budget, latest_);
  const auto order = whole ? health_->order() : health_->order_for_transfer();
  std::optional<Error> kept;
  for (std::size_t i = 0; i < order.size(); ++i) {
    // That one has not got it is an answer, for which nobody waits until another comes back.
    if (kept && kept->code == ErrorCode::not_found && health_->resting(order[i])) continue;
    const auto question = EndpointHealth::ask(health_, order[i], !whole);
    auto result = co_await ask(effort_for(order[i], order.size() - i, deadline, whole));
    note(order[i], result ? nullptr : &result.error());
    if (result) co_return result;
    Error error = std::move(result).error();
    const bool missing = error.code == ErrorCode::not_found;
    const bool more = worth_another_endpoint(error) || (missing && about != About::name);
    if (!kept || kept->code != ErrorCode::not_found) kept = std::move(error);
    if (!more) break;
  }
  if (!kept) kept = Error{ErrorCode::unavailable, Blame::us, "no endpoint is configured"};
  co_return std::unexpected(kept->with(options_->name));
}

}  // namespace paddock
