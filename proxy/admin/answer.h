// How the admin side answers: JSON, its errors, and reports that are made on the pool.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/net/http.h"
#include "storage/blocking_pool.h"
#include "storage/error.h"

namespace paddock {

Response answer(int status, std::string_view type, std::string body);
Response json_answer(const nlohmann::ordered_json& body, int status = 200);
Response json_error(int status, std::string_view code, std::string_view message);
Response json_error(const Error& error);

// application/json, with or without parameters: what no form of a web page can send across origins.
bool has_json_body(const Request& request);
// The answer where it has none.
Response wants_json();

// Runs a report on the pool and turns it into an answer there, as that may take its time too.
template <typename Report, typename Show>
Task<Response> reported(BlockingPool& pool, Report report, Show show) {
  auto done = co_await pool.run([report = std::move(report), show = std::move(show)]() -> Result<Response> {
    auto value = report();
    if (!value) return std::unexpected(std::move(value).error());
    return show(*value);
  });
  co_return done ? *std::move(done) : json_error(done.error());
}

}  // namespace paddock
