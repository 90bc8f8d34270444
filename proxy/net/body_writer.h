// BodyWriter: sends a BodyStream over a connection. The one place where file content meets a socket, and so the place
// for a way that keeps it in the kernel.
//
// Private to proxy/net; on the connection's loop. Costs one buffer, made when a region of a file is first sent.
// It never sends more than the stream's length; a stream that yields less, more or an error is reported, not patched.
#pragma once

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

  // Nothing when all of it went out; else why the connection has to be aborted.
  Task<std::optional<std::string>> send(const BodyStream& body);
  Task<std::optional<std::string>> send_text(std::string_view header, std::string_view body);
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // bytes of the body

 private:
  Task<std::optional<std::string>> send_region(FileRegion region);
  Task<std::optional<std::string>> send_bytes(asio::const_buffer first, asio::const_buffer second);

  Connection& connection_;
  BlockingPool& pool_;
  const std::size_t buffer_size_;
  const std::chrono::steady_clock::duration stall_;
  std::uint64_t sent_ = 0;
  std::shared_ptr<std::vector<std::byte>> buffer_;  // shared with the pool's thread while it reads
};

}  // namespace paddock
