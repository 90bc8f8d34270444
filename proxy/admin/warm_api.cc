#include "proxy/admin/warm_api.h"

#include <nlohmann/json.hpp>

#include "proxy/admin/answer.h"
#include "proxy/admin/warm_json.h"

namespace paddock {
namespace {

constexpr std::string_view warm_path = "/api/v1/warm", jobs_path = "/api/v1/jobs", events_path = "/api/v1/events";
constexpr std::string_view job_prefix = "/api/v1/jobs/";

const auto as_json = [](const auto& value) { return json_answer(to_json_report(value)); };

Task<Result<BodyPiece>> next_event(std::shared_ptr<EventHub::Subscription> subscription) {
  auto event = co_await subscription->next();
  if (!event) co_return std::make_shared<const std::string>();
  co_return *std::move(event);
}

}  // namespace

std::vector<std::string> WarmApi::paths() {
  return {std::string(warm_path), std::string(jobs_path), std::string(job_prefix) + "{id}", std::string(events_path)};
}

std::string_view WarmApi::methods(std::string_view path) {
  if (path == warm_path) return "POST";
  if (path == jobs_path || path == events_path) return "GET, HEAD";
  if (path.starts_with(job_prefix)) return "GET, HEAD, DELETE";
  return {};
}

Task<Response> WarmApi::handle(const Request& request) const {
  if (request.path == warm_path) co_return co_await warm(request);
  if (request.path == jobs_path) co_return co_await reported(pool_, data_.jobs, as_json);
  if (request.path == events_path) co_return events();
  co_return co_await job(request);
}

Task<Response> WarmApi::warm(const Request& request) const {
  if (!has_json_body(request)) co_return wants_json();
  auto order = parse_warm_order(request.body);
  if (!order) co_return json_error(order.error());
  if (order->dry_run) {
    const auto plan = co_await data_.plan(std::move(order->request));
    co_return plan ? json_answer(to_json_report(*plan)) : json_error(plan.error());
  }
  co_return co_await reported(
      pool_, [this, wanted = std::move(order->request)] { return data_.submit(wanted); },
      [](const WarmTicket& ticket) {
        auto response = json_answer(to_json_report(ticket), 202);
        response.headers.add("Location", std::string(job_prefix) + ticket.id);
        return response;
      });
}

Task<Response> WarmApi::job(const Request& request) const {
  const std::string id = request.path.substr(job_prefix.size());
  if (request.method != Method::del) {
    co_return co_await reported(pool_, [this, id] { return data_.job(id); }, as_json);
  }
  co_return co_await reported(
      pool_,
      [this, id]() -> Result<WarmJobReport> {
        if (auto done = data_.cancel(id); !done) return std::unexpected(std::move(done).error());
        return data_.job(id);
      },
      as_json);
}

Response WarmApi::events() const {
  auto subscription = data_.events->subscribe();
  if (!subscription) return json_error(503, "unavailable", "as many as may be listen already");
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"}};
  response.body =
      BodyStream{BodyStream::endless, [subscription = std::move(subscription)] { return next_event(subscription); }};
  return response;
}

}  // namespace paddock
