// Listener: one address that a server accepts on, from one event loop. Private to proxy/net; on that loop's thread once
// it accepts.
//
// share() makes another one for another loop: the kernel deals new connections out to them, and wakes one loop for each
// (SO_REUSEPORT, socket(7)).
//
// Errors: invalid_argument (malformed, not an address of this machine), conflict (in use), denied. A Unix socket's file
// that nobody answers on is replaced; the file goes with the listener.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/tls.h"
#include "storage/error.h"

namespace paddock {

class Listener {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  static Result<std::shared_ptr<Listener>> open(boost::asio::io_context& loop, std::string_view address);
  // Null for a Unix socket, of which there can be one only.
  Result<std::shared_ptr<Listener>> share(boost::asio::io_context& loop);
  explicit Listener(boost::asio::io_context& loop) : acceptor_(loop) {}
  ~Listener() { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Acceptor& acceptor() { return acceptor_; }
  [[nodiscard]] const std::string& address() const { return address_; }  // with the real port
  void close();

 private:
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;

  Result<void> bind_tcp(std::string_view address);
  Result<void> bind_unix(const std::string& path);
  boost::system::error_code bind(const Endpoint& endpoint, bool shared);

  Acceptor acceptor_;
  std::string address_;
  std::filesystem::path socket_file_;
};

}  // namespace paddock
