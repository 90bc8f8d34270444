// WarmApi: the admin side's paths that start, follow and cancel warm-ups. Part of AdminApi, which has checked the
// token.
//
// What changes something wants a body of type application/json, which no form of a web page can send across origins.
// Thread-safe. The functions of WarmData are called concurrently, all but `plan` on the BlockingPool.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/event_hub.h"
#include "proxy/net/http.h"
#include "proxy/warm/job.h"
#include "storage/blocking_pool.h"
#include "storage/error.h"

namespace paddock {

struct WarmData {
  std::function<Task<Result<WarmPlanReport>>(WarmRequest)> plan;
  std::function<Result<WarmTicket>(const WarmRequest&)> submit;
  std::function<Result<std::vector<WarmJobReport>>()> jobs;
  std::function<Result<WarmJobReport>(const std::string& id)> job;
  std::function<Result<void>(const std::string& id)> cancel;
  EventHub* events = nullptr;
};

class WarmApi {
 public:
  WarmApi(BlockingPool& pool, WarmData data) : pool_(pool), data_(std::move(data)) {}

  static std::vector<std::string> paths();
  // What is allowed on a path of this API, for an Allow header; empty: it is none of them.
  static std::string_view methods(std::string_view path);
  // Of a path and method that methods() names.
  Task<Response> handle(const Request& request) const;

 private:
  Task<Response> warm(const Request& request) const;
  Task<Response> job(const Request& request) const;
  [[nodiscard]] Response events() const;

  BlockingPool& pool_;
  const WarmData data_;
};

}  // namespace paddock
