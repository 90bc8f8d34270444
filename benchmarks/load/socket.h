// Socket: one TCP connection that never blocks, plain or TLS, and can throw bytes away cheaply.
//
// Results: bytes moved; 0 when the kernel has nothing (or no room) now; an error text for the end of the connection.
// One thread. Closed by the destructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <string_view>

#include "benchmarks/load/target.h"

namespace paddock::load {

using Moved = std::expected<std::size_t, std::string>;

// A context that trusts `ca_file` alone, or nobody in particular when it is empty. Throws std::runtime_error.
std::shared_ptr<SSL_CTX> make_tls_context(const std::string& ca_file);

class Socket {
 public:
  // Begins to connect. Throws std::runtime_error when there is no descriptor left.
  Socket(const Target& target, SSL_CTX* tls);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // 1 once connected and, with TLS, once hands are shaken.
  Moved establish();
  Moved send(std::string_view bytes);
  Moved receive(std::span<char> out);
  // At most `limit` bytes are received and forgotten; plain TCP does not even copy them.
  Moved discard(std::uint64_t limit);
  // TLS has taken bytes from the kernel that nobody has received yet: the kernel will not tell of them.
  [[nodiscard]] bool holds_bytes() const { return tls_ && SSL_has_pending(tls_.get()) == 1; }
  // Whether TLS waits for room to write.
  [[nodiscard]] bool wants_write() const { return wants_write_; }
  // Neither side has closed it.
  [[nodiscard]] bool open() const;

 private:
  [[nodiscard]] int state() const;  // as tcp(7) counts them
  Moved tls_result(int result);

  int descriptor_ = -1;
  bool connected_ = false;
  bool wants_write_ = false;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
};

}  // namespace paddock::load
