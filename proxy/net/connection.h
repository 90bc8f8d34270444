// Connection: one byte stream, TCP or Unix, plain or TLS, with a deadline. Both sides of HTTP are built on it; private
// to proxy/net.
//
// Lives on one loop and is used from its thread only; one at rest (nothing awaited, rest() called) may be destroyed
// elsewhere. When the deadline passes the connection is reset; whatever was awaited ends with `timed_out`.
// Satisfies Asio's AsyncReadStream and AsyncWriteStream, so that Beast can parse from it.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/net/tls_contexts.h"
#include "proxy/net/tls_records.h"
#include "proxy/net/tls_stream.h"
#include "proxy/net/watchdog.h"
#include "storage/error.h"
#include "storage/task.h"

namespace paddock {

class Connection {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;
  using SystemError = boost::system::error_code;

  explicit Connection(Socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }

  // From now on bytes are TLS. The client checks that the certificate belongs to `host`, a name or an address.
  // The contexts must outlive the connection. The text is empty when it worked.
  Task<std::string> start_tls_client(const TlsClientContext& context, std::string host);
  Task<std::string> start_tls_server(const TlsServerContext& context);
  [[nodiscard]] bool tls() const { return tls_client_ || tls_server_; }
  // What is sent is made into TLS records here: it is neither plain nor left to the kernel.
  [[nodiscard]] bool encrypts() const { return tls() && !kernel_sends_; }
  [[nodiscard]] std::string tls_name();  // SNI, on the server's side

  void deadline(std::chrono::steady_clock::duration delay) { deadline_at(std::chrono::steady_clock::now() + delay); }
  void deadline_at(std::chrono::steady_clock::time_point when);
  void no_deadline() { watchdog_.disarm(); }
  void rest();  // before it waits for its next use
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  // From now on the peer has `stall` for each 64 KiB, or less at the end, that it takes; took() says what its socket
  // did.
  void begin_sending(std::chrono::steady_clock::duration stall);
  void took(std::size_t bytes);
  // Cuts off what the socket takes without waiting: nothing where encrypts(). No deadline begins.
  SystemError write_at_once(std::array<asio::const_buffer, 2>& buffers);
  // All of it, begin_sending() included. `written`, when given, counts along.
  Task<SystemError> write(std::array<asio::const_buffer, 2> buffers, std::chrono::steady_clock::duration stall,
                          std::uint64_t* written = nullptr);
  // The same for bodies: many TLS records at a time, which `records` holds, where they are made here.
  Task<SystemError> write_body(std::array<asio::const_buffer, 2> buffers, std::chrono::steady_clock::duration stall,
                               std::uint64_t* written, TlsRecords& records);
  // At least one byte, or an error.
  Task<std::pair<SystemError, std::size_t>> read(asio::mutable_buffer buffer);
  // Before a read in the middle of a long body: waits until `bytes` have come, or for a moment, so that a fast peer
  // does not wake us for every packet. Whatever happened shows in the read.
  Task<void> gather(std::size_t bytes);
  Task<std::pair<SystemError, std::size_t>> write_some(asio::const_buffer buffer);
  // By the kernel, without a copy through us; not where encrypts(). try_again after it had to wait for the peer; 0
  // bytes without an error: the file ends. The process ignores SIGPIPE (see main.cc), which sendfile(2) cannot be told
  // not to raise.
  Task<std::pair<SystemError, std::size_t>> send_file(int descriptor, std::uint64_t offset, std::size_t length);
  // What a failed operation really died of.
  [[nodiscard]] SystemError cause(SystemError code) const;

  // Nothing has come in and the peer has not closed it: fit for another request.
  [[nodiscard]] bool reusable();
  // Ends it so that the peer has a fair chance to read the last answer: no reset while it is still sending.
  // What has been written goes out before that: the peer has `patience` to close once it has all, and until then
  // `stall` for each 64 KiB, or less at the end.
  Task<void> finish(std::chrono::seconds patience, std::chrono::steady_clock::duration stall);
  // The peer hears that nothing follows; what it says is still read. Plain connections only.
  void end_sending();
  // What has been written still goes out.
  void close();
  // The peer sees a reset, never a clean end.
  void abort();

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_server_) return tls_server_->async_read_some(buffers, std::forward<Token>(token));
    if (tls_client_) return tls_client_->async_read_some(buffers, std::forward<Token>(token));
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (!encrypts()) return socket_.async_write_some(buffers, std::forward<Token>(token));
    if (tls_server_) return tls_server_->async_write_some(buffers, std::forward<Token>(token));
    return tls_client_->async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  Task<SystemError> write_records(asio::const_buffer buffer, std::chrono::steady_clock::duration stall,
                                  std::uint64_t* written, TlsRecords& records);
  // Since the last look, as far as its acknowledgements say.
  [[nodiscard]] bool peer_took_enough();
  [[nodiscard]] int unsent();  // bytes that the peer has not acknowledged
  // In finish(): whether the peer still takes what was written.
  bool is_still_taking();
  [[nodiscard]] SSL* ssl() { return tls_client_ ? tls_client_->native_handle() : tls_server_->native(); }

  Socket socket_;
  std::optional<asio::ssl::stream<Socket&>> tls_client_;
  std::optional<TlsStream> tls_server_;
  bool kernel_sends_ = false;
  bool timed_out_ = false;
  std::chrono::steady_clock::duration stall_{};  // of begin_sending(); 0 under another deadline
  std::size_t until_renewal_ = 0;
  struct Farewell {
    std::chrono::steady_clock::duration patience, stall;
    int left = 0;  // bytes, when the peer had last taken enough
    std::chrono::steady_clock::time_point progress;
  };
  std::optional<Farewell> farewell_{};
  std::int64_t given_ = 0, acknowledged_ = 0;  // bytes: to the socket, and by the peer at the last look
  Watchdog watchdog_;
  std::optional<Watchdog> patience_;  // of gather()
};

}  // namespace paddock
