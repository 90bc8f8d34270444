// The part of App that decides who is served, before anything is looked up for them.
#include <string>
#include <utility>

#include "proxy/app.h"
#include "proxy/oci/registry_error.h"

namespace paddock {
namespace {

Response refuse(int status, const char* code, const char* message) {
  auto response = error_response(status, code, message);
  response.route = "unknown";
  response.cache = "bypass";
  response.log_note = message;
  return response;
}

Response to_response(ClientAuth::Verdict verdict) {
  Response response;
  if (verdict == ClientAuth::Verdict::busy) {
    response = refuse(503, "UNAVAILABLE", "too many wait for their passwords to be checked");
    response.headers.set("Retry-After", "1");
  } else {
    response = refuse(401, "UNAUTHORIZED",
                      verdict == ClientAuth::Verdict::missing ? "this cache wants a name and a password: docker login"
                                                              : "wrong name or password");
    response.headers.set("WWW-Authenticate", R"(Basic realm="paddock", charset="UTF-8")");
  }
  RegistryHandler::put_headers(response.headers, response.cache);
  return response;
}

}  // namespace

Task<Response> App::answer_registry(const Request& request) {
  return auth_.asks() ? answer_known(request) : answer_anybody(request);
}

Task<Response> App::answer_anybody(const Request& request) {
  return ready_ ? registry_->handle(request) : answer_not_yet();
}

Task<Response> App::answer_known(const Request& request) {
  const auto given = request.headers.get("Authorization");
  const auto verdict = co_await auth_.check(given ? std::optional<std::string>(*given) : std::nullopt, request.peer);
  if (verdict != ClientAuth::Verdict::allowed) co_return to_response(verdict);
  co_return co_await answer_anybody(request);
}

}  // namespace paddock
