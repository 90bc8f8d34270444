// Session: one client's connection, from accept to close: requests one after the other, each to the handler, each
// answered before the next is read (RFC 9112, 9.3). Private to proxy/net.
//
// Lives on its connection's loop, kept alive by run(). drain() and abort() are called on that loop.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "proxy/net/connection.h"
#include "proxy/net/request_intake.h"
#include "proxy/net/request_parser.h"
#include "proxy/net/server.h"
#include "storage/blocking_pool.h"

namespace paddock {

class Relay;

// What all sessions of a server share.
struct SessionEnvironment {
  SessionEnvironment(Server::Options given, BlockingPool& blocking, Handler handle,
                     std::function<void(const Exchange&)> see);
  [[nodiscard]] std::string next_id();  // 16 hex digits
  // What is answered without the handler.
  [[nodiscard]] Response refuse(const Refusal& refusal) const;
  // For the request that has just been counted.
  [[nodiscard]] bool has_descriptors() const { return connections + 2 * busy <= options.descriptors; }

  const Server::Options options;
  BlockingPool& pool;
  const Handler handler;
  const std::function<void(const Exchange&)> observe;
  std::atomic<bool> draining{false};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> busy{0}, tunnels{0};
  // Names that strangers give for tunnels are looked up apart from those of upstreams, which theirs would hold up.
  asio::thread_pool tunnel_lookups{1};
  std::atomic<std::uint64_t> tls_by_kernel{0}, tls_by_openssl{0};

 private:
  const std::uint32_t id_prefix_;
  std::atomic<std::uint32_t> id_counter_{0};
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<SessionEnvironment> environment, Connection::Socket socket,
          std::shared_ptr<const TlsServerContext> tls, std::string listener = {});
  Task<void> run();
  void drain();
  void abort();
  Connection::executor_type executor() { return connection_.get_executor(); }
  // A server that has too many connections says so and hangs up.
  Task<void> turn_away();

 private:
  struct Received {
    Request request;
    std::optional<Refusal> refusal;
    bool keep_alive = false;  // nothing of this request is left in the connection, and the client means to go on
    std::chrono::steady_clock::time_point at;

    [[nodiscard]] std::chrono::microseconds age() const {
      return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - at);
    }
  };

  Task<bool> exchange();  // false when it was the last one
  Task<bool> wait_for_bytes();
  Task<bool> receive(Received& received);  // false when the client is gone
  void take(RequestParser& parser, boost::system::error_code error, Received& received) const;
  Task<bool> receive_body(RequestParser& parser, Received& received);  // false when the client is gone
  Task<Response> respond(const Received& received);
  Response internal_error(const Received& received, std::string what);
  Task<bool> send(const Received& received, Response response);

  // Each false when the connection has served its purpose.
  Task<bool> connect(Received& received);
  Task<bool> end_here(const Received& received, EndHere end);
  Task<bool> tunnel(const Received& received, OpenTunnel open, Url target);
  Task<std::string> say_open();  // why not, or nothing
  void observe_connect(const Received& received, std::chrono::microseconds opened, std::uint64_t bytes,
                       const std::string& failure);

  std::shared_ptr<SessionEnvironment> environment_;
  Connection connection_;
  std::shared_ptr<const TlsServerContext> tls_;
  const std::string listener_;
  const std::string peer_;
  std::string tls_name_, connect_host_;
  boost::beast::flat_buffer buffer_;
  bool first_ = true;
  bool busy_ = false;       // from a complete header to the end of its answer
  Relay* relay_ = nullptr;  // while this is a tunnel
};

}  // namespace paddock
