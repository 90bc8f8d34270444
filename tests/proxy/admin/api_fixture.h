// ApiFixture: an AdminApi over made-up reports, asked without sockets.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "proxy/admin/admin_api.h"
#include "tests/proxy/admin/sample_reports.h"
#include "tests/proxy/admin/sample_warm.h"
#include "tests/support/run_task.h"

namespace paddock::test {

struct ApiFixture {
  explicit ApiFixture(std::string token = "") : api(pool, data(), std::move(token)) {}

  AdminData data() {
    return {.not_ready = [this] { return not_ready; },
            .status = [this] { return broken ? throw std::runtime_error("status is broken") : sample_status(); },
            .images = [this](const ImageQuery& query) -> Result<ImagePage> {
              last_query = query;
              if (error) return std::unexpected(*error);
              return ImagePage{{sample_image()}, true};
            },
            .image = [this](const std::string& reference) -> Result<ImageReport> {
              last_reference = reference;
              if (error) return std::unexpected(*error);
              return sample_image();
            },
            .fills = [] { return std::vector<FillReport>{sample_fill()}; },
            .compat = [this](const CompatQuery& query) -> Result<CompatPage> {
              last_query = query.page;
              if (error) return std::unexpected(*error);
              return sample_compat(query.host);
            },
            .metrics = [] { return std::string("paddock_connections 1\n"); },
            .pins = []() -> Result<std::vector<PinRecord>> { return std::vector{sample_pin()}; },
            .pin = [this](const PinOrder& order) -> Result<PinRecord> {
              if (error) return std::unexpected(*error);
              last_pin = order;
              return sample_pin();
            },
            .unpin = [this](const std::string& reference) -> Result<PinRecord> {
              last_reference = reference;
              if (error) return std::unexpected(*error);
              return sample_pin();
            },
            .warm = warm_data()};
  }
  static PinRecord sample_pin() {
    return {{"registry.baidubce.com", "paddlepaddle/paddle"}, "2.6.2", Digest::of("m"), at_second(60)};
  }

  WarmData warm_data() {
    const auto is_known = [](const std::string& id) { return id == sample_job().id; };
    const auto unknown = [] { return fail(ErrorCode::not_found, Blame::client, "no such job"); };
    WarmData warm;
    warm.plan = [](const WarmRequest&) { return plan(); };
    warm.submit = [this](const WarmRequest& request) -> Result<WarmTicket> {
      if (error) return std::unexpected(*error);
      last_warm = request;
      return WarmTicket{sample_job().id, true};
    };
    warm.jobs = []() -> Result<std::vector<WarmJobReport>> { return std::vector{sample_job()}; };
    warm.job = [=, this](const std::string& id) -> Result<WarmJobReport> {
      if (!is_known(id)) return unknown();
      ++job_looks;
      return job ? job(job_looks) : sample_job();
    };
    warm.cancel = [=, this](const std::string& id) -> Result<void> {
      if (!is_known(id)) return unknown();
      last_cancelled = id;
      return {};
    };
    warm.events = &events;
    return warm;
  }
  static Task<Result<WarmPlanReport>> plan() { co_return sample_plan(); }

  Response ask(const Request& request) { return run_task(api.handle(request)); }

  Response get(std::string path, std::string query = "", std::string authorization = "") {
    Request request;
    request.path = std::move(path);
    request.query = std::move(query);
    if (!authorization.empty()) request.headers.add("Authorization", std::move(authorization));
    return ask(request);
  }

  static std::string text(const Response& response) { return std::get<std::string>(response.body); }
  static nlohmann::json json(const Response& response) { return nlohmann::json::parse(text(response)); }

  BlockingPool pool{2};
  std::vector<std::string> not_ready;
  std::optional<Error> error;
  bool broken = false;
  ImageQuery last_query;
  std::string last_reference;
  WarmRequest last_warm;
  std::string last_cancelled;
  PinOrder last_pin;
  std::function<WarmJobReport(int look)> job;  // what is shown at each look, from 1
  int job_looks = 0;
  EventHub events{{}};
  AdminApi api;
};

}  // namespace paddock::test
