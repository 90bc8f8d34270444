#include "proxy/admin/answer.h"

#include <nlohmann/json.hpp>

#include "proxy/admin/report_json.h"
#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable:  // still recovering
      return 503;
    default:
      return 500;
  }
}

}  // namespace

Response answer(int status, std::string_view type, std::string body) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", type}};
  response.body = std::move(body);
  return response;
}

Response json_answer(const nlohmann::ordered_json& body, int status) {
  return answer(status, "application/json", to_text(body));
}

Response json_error(int status, std::string_view code, std::string_view message) {
  return json_answer({{"error", {{"code", code}, {"message", message}}}}, status);
}

bool has_json_body(const Request& request) {
  auto type = request.headers.get("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return same_without_case(type, "application/json");
}

Response wants_json() { return json_error(415, "unsupported", "want a body of type application/json"); }

Response json_error(const Error& error) {
  auto response = json_error(status_of(error), to_string(error.code), public_message(error.context));
  response.log_note = error.context;
  return response;
}

}  // namespace paddock
