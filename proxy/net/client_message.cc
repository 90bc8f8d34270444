#include "proxy/net/client_message.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/net/header_rules.h"
#include "proxy/net/proxy_tunnel.h"

namespace paddock {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> names{{{Method::get, "GET"},
                                                                    {Method::head, "HEAD"},
                                                                    {Method::post, "POST"},
                                                                    {Method::put, "PUT"},
                                                                    {Method::patch, "PATCH"},
                                                                    {Method::del, "DELETE"},
                                                                    {Method::connect, "CONNECT"}}};

bool sendable_target(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7F; });
}

std::unexpected<Error> unsendable(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::us, "cannot send " + std::move(what));
}

}  // namespace

std::string_view method_name(Method method) {
  const auto found = std::ranges::find(names, method, [](const auto& entry) { return entry.first; });
  return found == names.end() ? "" : found->second;
}

Method method_from(std::string_view name) {
  const auto found = std::ranges::find(names, name, [](const auto& entry) { return entry.second; });
  return found == names.end() ? Method::other : found->first;
}

Result<std::string> render_request(const ClientRequest& request, std::string_view user_agent) {
  const auto method = method_name(request.method);
  if (method.empty() || request.method == Method::connect) return unsendable("a request of this method");
  if (!sendable_target(request.url.target)) return unsendable("the target of a request to " + request.url.authority());
  const bool absolute = request.proxy && !request.url.tls;
  std::string out(method);
  out.append(" ").append(absolute ? request.url.origin() : "").append(request.url.target).append(" HTTP/1.1\r\n");
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  add("Host", request.url.authority());
  if (!request.headers.get("User-Agent")) add("User-Agent", user_agent);
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value)) return unsendable("a header with control characters");
    add(name, value);
  }
  if (absolute) {
    if (const auto credentials = proxy_authorization(*request.proxy); !credentials.empty()) {
      add("Proxy-Authorization", credentials);
    }
  }
  if (request.method == Method::post || request.method == Method::put || request.method == Method::patch) {
    add("Content-Length", std::to_string(request.body.size()));
    return out.append("\r\n").append(request.body);
  }
  return out.append("\r\n");
}

bool repeatable(Method method) { return method == Method::get || method == Method::head; }

}  // namespace paddock
