// HttpClient: HTTP/1.1 requests to upstreams, over TCP or TLS, directly or through a forward proxy, on kept-alive
// connections.
//
// send() returns when the response's header is there; the body is then read piece by piece. It never follows a
// redirect, retries or authenticates: those are decisions of proxy/upstream. One exception: a kept-alive connection
// found dead before any byte of the answer came is replaced once, silently.
//
// Thread-safe; each response belongs to the coroutine that asked for it, on that coroutine's executor (a loop of one
// thread). Idle connections are kept for each loop and origin. A response destroyed before its end closes its
// connection; one read to its end gives it back.
// Errors: unavailable (name, connect, reset), timeout, protocol (not HTTP, oversized header, body cut short), denied
// (address not allowed); all blame the upstream.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/http.h"
#include "proxy/net/url.h"
#include "storage/error.h"
#include "storage/task.h"

namespace paddock {

// What a TLS client trusts. Built once for each upstream; made in tls.h.
class TlsClientContext;

struct Deadlines {
  std::chrono::milliseconds connect{10'000};  // name look-up, TCP and TLS, together
  std::chrono::milliseconds headers{30'000};  // request sent to response header received
  std::chrono::milliseconds stall{30'000};    // no byte of the body
};

// Where hosts are, whatever the name service says: lower-case names, IP addresses.
using HostAddresses = std::map<std::string, std::vector<std::string>>;

struct ClientRequest {
  Method method = Method::get;
  Url url{};
  Headers headers{};                                 // Host and User-Agent are added
  std::string body{};                                // a small one, of a POST, PUT or PATCH
  std::optional<Url> proxy{};                        // CONNECT for https, absolute form for http
  std::shared_ptr<const TlsClientContext> tls{};     // required for https
  std::shared_ptr<const HostAddresses> addresses{};  // absent: the name service is asked for all
  bool public_addresses_only = false;  // refuse loopback, private, link-local addresses after name look-up
  Deadlines deadlines{};
};

class ClientResponse {
 public:
  virtual ~ClientResponse() = default;
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual const Headers& headers() const = 0;
  [[nodiscard]] virtual std::optional<std::uint64_t> content_length() const = 0;
  // At least one byte, or 0 at the end of the body. A body shorter than announced is `unavailable`.
  virtual Task<Result<std::size_t>> read(std::span<std::byte> out) = 0;
  // Closes the connection; a read that waits ends with an error. On the response's own thread.
  virtual void abort() = 0;
};

// The rest of the body; too_large above `limit` bytes.
Task<Result<std::string>> read_all(ClientResponse& response, std::size_t limit);

class HttpClient {
 public:
  struct Options {
    std::size_t idle_per_origin = 16;  // for each loop
    std::chrono::seconds idle_timeout{60};
    std::size_t header_limit = std::size_t{64} * 1024;
    std::string user_agent = "paddock";
    std::string via{};  // RFC 9110, 7.6.3: "1.1 NAME", sent with every request; empty: not
  };

  explicit HttpClient(Options options);
  ~HttpClient();
  Task<Result<std::unique_ptr<ClientResponse>>> send(ClientRequest request);
  void close_idle();  // at shutdown

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace paddock
