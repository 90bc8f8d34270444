// The loop over the endpoints of HttpUpstream. Private to http_upstream*.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/upstream/http_upstream.h"

namespace paddock {

// Another endpoint may do better.
inline bool worth_another_endpoint(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
         error.code == ErrorCode::protocol || error.code == ErrorCode::digest_mismatch;
}

template <typename T>
Task<Result<T>> HttpUpstream::over_endpoints(bool whole, Ask<T> ask) {
  const auto budget = whole ? options_->metadata_budget : options_->blob_budget;
  const auto deadline = std::min(std::chrono::steady_clock::now() + budget, latest_);
  const auto order = whole ? health_->order() : health_->order_for_transfer();
  Result<T> result = fail(ErrorCode::unavailable, Blame::us, "no endpoint is configured");
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto question = EndpointHealth::ask(health_, order[i], !whole);
    result = co_await ask(effort_for(order[i], order.size() - i, deadline, whole));
    note(order[i], result ? nullptr : &result.error());
    if (result || !worth_another_endpoint(result.error())) break;
  }
  if (!result) result = std::unexpected(std::move(result).error().with(options_->name));
  co_return result;
}

}  // namespace paddock
