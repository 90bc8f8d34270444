// What becomes of a CONNECT (RFC 9110, 9.3.6): it is refused, the TLS in it ends here, or it is a tunnel.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "proxy/net/client.h"
#include "proxy/net/http.h"
#include "proxy/net/tls.h"
#include "proxy/net/url.h"
#include "storage/task.h"

namespace paddock {

// The client's TLS is answered with `tls`; what it then asks for comes to the server's Handler, with
// Request::connect_host.
struct EndHere {
  std::shared_ptr<const TlsServerContext> tls;
};

// Bytes go to the target and back as they are.
struct OpenTunnel {
  std::optional<Url> proxy{};  // on the way to it
  std::shared_ptr<const HostAddresses> addresses{};
  bool public_addresses_only = true;
};

using ConnectAnswer = std::variant<Response, EndHere, OpenTunnel>;
// `target` has host and port alone. On the connection's loop; may be called concurrently.
using ConnectHandler = std::function<Task<ConnectAnswer>(const Request& request, const Url& target)>;

}  // namespace paddock
