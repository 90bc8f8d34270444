// The forward proxy on the way to an upstream: CONNECT (RFC 9110, 9.3.6) and its credentials (RFC 7617).
// The decisions are pure; open_tunnel() does the talking.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/connection.h"
#include "proxy/net/url.h"
#include "storage/error.h"

namespace paddock {

// The value of Proxy-Authorization from the proxy URL's userinfo; empty without one.
std::string proxy_authorization(const Url& proxy);
std::string connect_request(const Url& url, const Url& proxy);
// `answer` is the header of the proxy's response, with its final empty line.
Result<void> judge_connect_answer(std::string_view answer);

// After this the connection's bytes are the other side's. The connection's deadline holds.
Task<Result<void>> open_tunnel(Connection& connection, Url url, Url proxy);

}  // namespace paddock
