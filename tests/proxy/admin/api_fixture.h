// ApiFixture: an AdminApi over made-up reports, asked without sockets.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "proxy/admin/admin_api.h"
#include "tests/proxy/admin/sample_reports.h"
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
            .metrics = [] { return std::string("paddock_connections 1\n"); }};
  }

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
  AdminApi api;
};

}  // namespace paddock::test
