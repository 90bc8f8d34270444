// AdminApi: what answers on `admin.listen`: health, metrics, the JSON API and a status page. Described in
// deploy/docs/api.md and openapi.yaml.
//
// What changes something are pins here and the jobs of WarmApi. With a token configured everything but /healthz and
// /readyz wants `Authorization: Bearer TOKEN` (RFC 6750). Errors are {"error": {"code", "message"}}. Thread-safe. The
// functions of AdminData are called concurrently, on the BlockingPool; everything referred to must outlive the server.
// An exception that escapes one of them is a 500.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/compat_list.h"
#include "proxy/admin/pin_json.h"
#include "proxy/admin/reports.h"
#include "proxy/admin/warm_api.h"
#include "proxy/net/http.h"
#include "storage/blocking_pool.h"
#include "storage/error.h"
#include "storage/mutex.h"

namespace paddock {

struct AdminData {
  // --- all on the pool ---
  // Reasons why requests cannot be served now (recovering, draining, no data folder); empty when ready.
  std::function<std::vector<std::string>()> not_ready;
  std::function<StatusReport()> status;
  std::function<Result<ImagePage>(const ImageQuery&)> images;
  std::function<Result<ImageReport>(const std::string& reference)> image;
  std::function<std::vector<FillReport>()> fills;
  std::function<Result<CompatPage>(const CompatQuery&)> compat{};
  std::function<std::string()> metrics;  // text exposition
  std::function<Result<std::vector<PinRecord>>()> pins{};
  std::function<Result<PinRecord>(const PinOrder&)> pin{};
  std::function<Result<PinRecord>(const std::string& reference)> unpin{};  // what was pinned
  WarmData warm{};
};

class AdminApi {
 public:
  // An empty token: none is asked for.
  AdminApi(BlockingPool& pool, AdminData data, std::string token);

  // For what is asked from now on. False when it is the one there was.
  bool set_token(const std::string& token);

  // `request` must live until the task has ended.
  Task<Response> handle(const Request& request) const;

  // The paths that are answered, as openapi.yaml writes them.
  static std::vector<std::string> paths();

 private:
  Task<Response> dispatch(const Request& request) const;
  Task<Response> images(const Request& request) const;
  Task<Response> image(std::string escaped) const;
  Task<Response> compat(const Request& request) const;
  Task<Response> pin(const Request& request) const;
  Task<Response> unpin(std::string escaped) const;
  [[nodiscard]] bool authorized(const Request& request) const;

  BlockingPool& pool_;
  const AdminData data_;
  const WarmApi warm_;
  mutable Mutex mutex_;
  std::string token_ PADDOCK_GUARDED_BY(mutex_);
};

// Whether an Authorization header carries this token; takes the same time wherever they differ.
bool bearer_matches(std::string_view authorization, std::string_view token);
// `limit` (1 to 1000) and `after` (an image's name, as `next` gave it); invalid_argument otherwise.
Result<ImageQuery> parse_image_query(const Request& request);

}  // namespace paddock
