// Server: accepts HTTP/1.1 connections and hands requests to a Handler. TCP, TLS or a Unix socket.
//
// Every loop accepts. A connection stays where it was accepted, or goes to the loop that has fewest where there are
// clearly more, so that a few big transfers are spread evenly.
// Lifecycle: listen() for each address (errors at once: conflict when in use, denied, invalid_argument) -> start() ->
// drain(): stop accepting, let requests in progress end, close idle connections -> abort(): close what is left.
// listen/start/drain/abort from one thread; the handler runs on the connection's loop and may be called concurrently.
// What a stranger sends is limited: header size and count, body size, time to send a header, time without progress.
// Malformed requests are answered 400 and closed without reaching the handler. (RFC 9112)
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/connect_answer.h"
#include "proxy/net/event_loops.h"
#include "proxy/net/http.h"
#include "proxy/net/tls.h"
#include "storage/blocking_pool.h"
#include "storage/error.h"

namespace paddock {

// One finished (or aborted) exchange, for the access log and metrics. Not kept beyond the call.
struct Exchange {
  const Request& request;
  const Response& response;
  std::uint64_t body_bytes = 0;  // sent
  std::chrono::microseconds to_first_byte{};
  std::chrono::microseconds total{};
  bool aborted = false;
  std::string_view abort_reason;
};

class Server {
 public:
  struct Options {
    std::size_t header_limit = std::size_t{16} * 1024;  // bytes
    std::size_t body_limit = std::size_t{64} * 1024;    // bytes of a request's body
    std::size_t connection_limit = 20'000;              // further ones get 503, TLS ones no word, and are closed
    // One for each connection and two more for each request at work; what would take more is answered 503.
    std::size_t descriptors = std::numeric_limits<std::size_t>::max();
    std::chrono::seconds header_timeout{20};
    std::chrono::seconds idle_timeout{120};             // between requests
    std::chrono::seconds send_timeout{60};              // for each 64 KiB that a client takes
    std::chrono::seconds farewell{2};                   // for a client that still sends what nobody wants
    std::chrono::seconds abort_timeout{1};              // for loops that are held up, when all is closed
    std::size_t buffer_size = std::size_t{256} * 1024;  // bytes, one for each connection that streams
    // False: the handler answers from the header alone; a body is neither asked for nor kept, and the connection ends.
    bool request_bodies = true;
    Headers refusal_headers{};                 // on what is answered without the handler, besides the session's own
    ConnectHandler connect{};                  // absent: CONNECT is refused
    std::chrono::seconds tunnel_connect{10};   // to reach the far side of a tunnel
    std::chrono::seconds tunnel_silence{600};  // of both sides; a registry may think for minutes about a push
  };
  struct Stats {
    std::uint64_t connections = 0;                        // open now
    std::uint64_t streaming = 0;                          // in a request now
    std::uint64_t tls_by_kernel = 0, tls_by_openssl = 0;  // handshakes done, by who encrypts what is sent
  };

  Server(EventLoops& loops, BlockingPool& pool, Options options, Handler handler,
         std::function<void(const Exchange&)> observe);
  ~Server();

  // "127.0.0.1:5000", "[::]:5000", "unix:/run/paddock.sock"; port 0 picks a free one. `name`: what comes there is to be
  // told from the rest by, as Request::listener.
  Result<void> listen(std::string_view address, std::shared_ptr<const TlsServerContext> tls = nullptr,
                      std::string name = {});
  // The bound addresses, in the order of listen(), with the real port.
  [[nodiscard]] std::vector<std::string> addresses() const;
  struct Door {
    std::string address, name;
  };
  [[nodiscard]] std::vector<Door> doors() const;
  // New connections on TLS listeners use this from now on.
  void set_tls(const std::shared_ptr<const TlsServerContext>& tls);
  void start();
  // Returns when everything in progress has ended or `timeout` has passed: true when it ended by itself.
  bool drain(std::chrono::milliseconds timeout);
  void abort();
  [[nodiscard]] Stats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace paddock
