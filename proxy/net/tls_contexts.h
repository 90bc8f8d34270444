// What the opaque types of tls.h hold. Private to proxy/net.
// Making a session from a context only counts references, so a const context may be shared between threads.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <string>
#include <string_view>

#include "proxy/net/tls.h"

namespace paddock {

class TlsClientContext {
 public:
  TlsClientContext() : context_(boost::asio::ssl::context::tls_client) {}
  [[nodiscard]] boost::asio::ssl::context& native() const { return context_; }

 private:
  mutable boost::asio::ssl::context context_;
};

class TlsServerContext {
 public:
  TlsServerContext() : context_(boost::asio::ssl::context::tls_server) {}
  [[nodiscard]] boost::asio::ssl::context& native() const { return context_; }
  // From now on for clients alone that mean `name`, or say no name.
  void serve_only(std::string name);
  [[nodiscard]] bool serves(std::string_view name) const;

 private:
  mutable boost::asio::ssl::context context_;
  std::string only_name_;
};

}  // namespace paddock
