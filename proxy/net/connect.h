// From a URL to a connection that is ready for a request: name look-up, address policy, TCP, CONNECT through a forward
// proxy, TLS. Everything within one deadline.
//
// Errors: unavailable (name, connect, certificate), timeout, denied (address policy), protocol (the proxy),
// unsupported (a proxy spoken to in TLS), invalid_argument (https without a TLS context). See client.h.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "proxy/net/client.h"
#include "proxy/net/connection.h"
#include "proxy/net/url.h"
#include "storage/error.h"

namespace paddock {

struct ConnectPlan {
  Url url;
  std::optional<Url> proxy{};
  std::shared_ptr<const TlsClientContext> tls{};
  std::shared_ptr<const HostAddresses> addresses{};
  bool public_addresses_only = false;  // of what the name service says; who is in `addresses` is meant to be there
  bool tunnel = false;                 // for somebody else's bytes, TLS or not: none of ours
  // Where names are looked up; absent: beside all others of the loop, one after the other.
  std::optional<asio::any_io_executor> lookups{};
};

// The plan's TLS context must outlive the connection. The connection's deadline is off when it comes back.
Task<Result<std::unique_ptr<Connection>>> open_connection(ConnectPlan plan,
                                                          std::chrono::steady_clock::time_point deadline);

}  // namespace paddock
