// TlsStream: the server's side of TLS on a connection, with OpenSSL at the socket itself, so that it can hand the keys
// to the kernel (kernel_tls.h). Private to proxy/net; on the connection's loop.
//
// One operation at a time. Satisfies Asio's AsyncReadStream and AsyncWriteStream. Closing the socket ends what is
// awaited with `operation_aborted`; OpenSSL knows the socket by its number only and is never let at a closed one.
// After the handshake kernel_sends() says who makes the records. When it is the kernel, application data may be written
// to the socket as it is, by send or sendfile(2), and only then. Received records are OpenSSL's in any case: requests
// are small, and what comes is not always application data.
// RFC 8446; Documentation/networking/tls.rst of the kernel; SSL_OP_ENABLE_KTLS in SSL_CTX_set_options(3).
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <openssl/ssl.h>
#include <optional>
#include <utility>

#include "proxy/net/tls_contexts.h"
#include "storage/task.h"

namespace paddock {

class TlsStream {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using SystemError = boost::system::error_code;

  // Both must outlive it.
  TlsStream(Socket& socket, const TlsServerContext& context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  [[nodiscard]] SSL* native() const { return ssl_.get(); }
  [[nodiscard]] bool kernel_sends() const;

  // Completions are (SystemError, std::size_t).
  template <typename Token>
  auto async_handshake(Token&& token) {
    return perform(Step::handshake, {}, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return perform(Step::read, first_of<asio::mutable_buffer>(buffers), std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto buffer = first_of<asio::const_buffer>(buffers);
    return perform(Step::write, {const_cast<void*>(buffer.data()), buffer.size()}, std::forward<Token>(token));
  }
  // Says that nothing follows; does not wait for the peer to say the same.
  template <typename Token>
  auto async_shutdown(Token&& token) {
    return perform(Step::shutdown, {}, std::forward<Token>(token));
  }

 private:
  enum class Step { handshake, read, write, shutdown };
  struct Progress {
    std::optional<Socket::wait_type> wait{};  // for this, then once more; otherwise it is over
    SystemError error{};
    std::size_t size = 0;
  };
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  template <typename Buffer, typename Buffers>
  static Buffer first_of(const Buffers& buffers) {
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto at = asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (const Buffer buffer(*at); buffer.size() != 0) return buffer;
    }
    return {};
  }

  template <typename Token>
  auto perform(Step step, asio::mutable_buffer buffer, Token&& token) {
    return asio::async_compose<Token, void(SystemError, std::size_t)>(
        [this, step, buffer, progress = Progress{}, begun = false, done = false](auto& self,
                                                                                 SystemError error = {}) mutable {
          if (done) return self.complete(progress.error, progress.size);
          progress = error ? Progress{.error = error} : attempt(step, buffer);
          const bool first = !std::exchange(begun, true);
          if (progress.wait) return socket_.async_wait(*progress.wait, std::move(self));
          if (!first) return self.complete(progress.error, progress.size);
          done = true;  // nobody's completion runs before what began it has returned
          asio::post(socket_.get_executor(), std::move(self));
        },
        token, socket_);
  }

  Progress attempt(Step step, asio::mutable_buffer buffer);
  int call(Step step, asio::mutable_buffer buffer, std::size_t& size);
  Progress outcome(int result);
  static long may_read(BIO* in, int operation, const char* data, std::size_t size, int number, long more, int result,
                       std::size_t* processed);
  static void look_at(int written, int version, int type, const void* data, std::size_t size, SSL* ssl, void* self);

  Socket& socket_;
  std::unique_ptr<SSL, Free> ssl_;
  bool has_read_ = false;         // from the socket, in this attempt
  bool new_keys_wanted_ = false;  // by the peer, for what we send
};

}  // namespace paddock
