// BodyWriter: sends a BodyStream over a connection. The one place where file content meets a socket.
//
//   in memory, plain connection or TLS of the kernel ──▶ sendfile(2), on the loop
//   in memory, TLS of OpenSSL                        ──▶ read into the buffer on the loop, encrypted (TlsRecords), sent
//   not in memory                                    ──▶ read into the buffer on the pool, sent from it: no other
//                                                        connection waits for a disk
//
// Private to proxy/net; on the connection's loop. Costs one buffer, over OpenSSL's TLS two of half its size, made when
// first needed. It never sends more than the stream's length; a stream that yields less, more or an error is reported,
// not patched.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/connection.h"
#include "proxy/net/http.h"
#include "storage/blocking_pool.h"

namespace paddock {

class BodyWriter {
 public:
  BodyWriter(Connection& connection, BlockingPool& pool, std::size_t buffer_size,
             std::chrono::steady_clock::duration stall)
      : connection_(connection), pool_(pool), buffer_size_(buffer_size), stall_(stall) {}

  using Failure = std::optional<std::string>;  // why the connection has to be aborted

  // Header and, where that is text, body: sends what the socket takes at once. While has_text(), finish_text() has to
  // follow; both must live until it has ended.
  Failure begin_text(std::string_view header, std::string_view body);
  [[nodiscard]] bool has_text() const { return asio::buffer_size(text_) != 0; }
  Task<Failure> finish_text();
  Task<Failure> send(const BodyStream& body);
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // bytes of the body; over TLS of what went out whole

 private:
  Task<Failure> send_region(FileRegion region);
  // Both send some of the region's begin and cut it off.
  Task<Failure> send_by_kernel(FileRegion& region, std::uint64_t bytes);
  Task<Failure> send_through_buffer(FileRegion& region);
  Task<Failure> send_bytes(asio::const_buffer bytes);
  [[nodiscard]] Failure failure(const Connection::SystemError& error) const;

  Connection& connection_;
  BlockingPool& pool_;
  const std::size_t buffer_size_;
  const std::chrono::steady_clock::duration stall_;
  std::array<asio::const_buffer, 2> text_{};  // of begin_text(), what is left
  std::uint64_t sent_ = 0;
  bool kernel_ = true;  // until it turns out that a file cannot be sent so
  TlsRecords records_;
  std::shared_ptr<std::vector<std::byte>> buffer_;  // shared with the pool's thread while it reads
};

}  // namespace paddock
