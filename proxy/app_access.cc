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

// RFC 9110, 11.7
Response to_proxy_response(ClientAuth::Verdict verdict) {
  auto response = to_response(verdict);
  if (response.status != 401) return response;
  response.status = 407;
  response.headers.remove("WWW-Authenticate");
  response.headers.set("Proxy-Authenticate", R"(Basic realm="paddock", charset="UTF-8")");
  return response;
}

}  // namespace

// What came through a CONNECT was asked then: its Authorization is for the registry that it believes to speak with.
Task<Response> App::answer_registry(const Request& request) {
  if (auto refused = loop_guard_.refusal(request)) return answer_with(*std::move(refused));
  if (auto refused = connect_proxy_.refusal(request)) return answer_with(*std::move(refused));
  if (auto answer = login_.answer(request)) return answer_with(*std::move(answer));
  return auth_.asks() && request.connect_host.empty() ? answer_known(request) : answer_anybody(request);
}

// With passwords of the cache's own the Authorization is for these.
bool App::lends_its_name(std::string_view upstream) const {
  return !auth_.asks() && upstreams_->get()->selector.knows(upstream);
}

Task<Response> App::answer_with(Response refused) {
  RegistryHandler::put_headers(refused.headers, refused.cache);
  co_return refused;
}

Task<ConnectAnswer> App::answer_connect(const Request& request, const Url& target) {
  if (auth_.asks()) {
    const auto given = request.headers.get("Proxy-Authorization");
    const auto verdict = co_await auth_.check(given ? std::optional<std::string>(*given) : std::nullopt, request.peer);
    if (verdict != ClientAuth::Verdict::allowed) co_return to_proxy_response(verdict);
  }
  auto answer = co_await connect_proxy_.answer(request, target);
  // anonymous_pull is for pulls.
  const bool anonymous = auth_.asks() && !request.headers.get("Proxy-Authorization");
  if (anonymous && std::holds_alternative<OpenTunnel>(answer))
    co_return to_proxy_response(ClientAuth::Verdict::missing);
  co_return answer;
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
