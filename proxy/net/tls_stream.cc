#include "proxy/net/tls_stream.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <openssl/err.h>
#include <sys/socket.h>

namespace paddock {

TlsStream::TlsStream(Socket& socket, const TlsServerContext& context)
    : socket_(socket), ssl_(SSL_new(context.native().native_handle())) {
  SystemError ignored;
  socket_.native_non_blocking(true, ignored);
  const int number = socket_.native_handle();
  // What is read comes through a kind of BIO that knows nothing of the kernel's TLS: see the header.
  BIO* const in = BIO_new_fd(number, BIO_NOCLOSE);
  BIO* const out = BIO_new_socket(number, BIO_NOCLOSE);
  if (!ssl_ || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    throw std::bad_alloc();
  }
  BIO_set_callback_ex(in, &TlsStream::may_read);
  BIO_set_callback_arg(in, reinterpret_cast<char*>(this));
  SSL* const ssl = ssl_.get();
  SSL_set0_rbio(ssl, in);
  SSL_set0_wbio(ssl, out);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_read_ahead(ssl, 1);  // otherwise each record costs two reads
  SSL_set_accept_state(ssl);
  if ((SSL_get_options(ssl) & SSL_OP_ENABLE_KTLS) == 0) return;
  // Where it fails, as on a Unix socket, OpenSSL goes on by itself.
  ::setsockopt(number, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls"));
  SSL_set_msg_callback(ssl, &TlsStream::look_at);
  SSL_set_msg_callback_arg(ssl, this);
}

bool TlsStream::kernel_sends() const { return BIO_get_ktls_send(SSL_get_wbio(ssl_.get())); }

TlsStream::Progress TlsStream::attempt(Step step, asio::mutable_buffer buffer) {
  if (!socket_.is_open()) return {.error = asio::error::operation_aborted};
  const bool transfers = step == Step::read || step == Step::write;
  if (transfers && buffer.size() == 0) return {};
  ERR_clear_error();
  errno = 0;
  has_read_ = false;
  std::size_t size = 0;
  const int result = call(step, buffer, size);
  if (new_keys_wanted_ && kernel_sends()) return {.error = asio::error::connection_aborted};
  if (result > 0) return {.size = size};
  return step == Step::shutdown && result == 0 ? Progress{} : outcome(result);
}

int TlsStream::call(Step step, asio::mutable_buffer buffer, std::size_t& size) {
  switch (step) {
    case Step::handshake:
      return SSL_do_handshake(ssl_.get());
    case Step::read:
      return SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    case Step::write:
      return SSL_write_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    case Step::shutdown:
      return SSL_shutdown(ssl_.get());
  }
  return -1;
}

// The same errors as of Asio's own streams.
TlsStream::Progress TlsStream::outcome(int result) {
  const int system = errno;
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ) return {.wait = Socket::wait_read};
  if (kind == SSL_ERROR_WANT_WRITE) return {.wait = Socket::wait_write};
  if (kind == SSL_ERROR_ZERO_RETURN) return {.error = asio::error::eof};
  const auto reason = ERR_peek_error();
  ERR_clear_error();
  if (kind == SSL_ERROR_SYSCALL && system != 0) return {.error = {system, boost::system::system_category()}};
  const bool cut_off = reason == 0 || ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (cut_off) return {.error = asio::ssl::error::stream_truncated};
  return {.error = {static_cast<int>(reason), asio::error::get_ssl_category()}};
}

// One read an attempt. OpenSSL reads on until there is something for us; a peer that sends records of other kinds
// without end, such as new keys of its own, would keep the loop from everybody else.
long TlsStream::may_read(BIO* in, int operation, const char* /*data*/, std::size_t /*size*/, int /*number*/,
                         long /*more*/, int result, std::size_t* /*processed*/) {
  if (operation != BIO_CB_READ) return result;
  auto* const self = reinterpret_cast<TlsStream*>(BIO_get_callback_arg(in));
  if (!std::exchange(self->has_read_, true)) return result;
  BIO_set_retry_read(in);
  return -1;
}

// A peer may ask for new keys in mid connection (RFC 8446, 4.6.3). OpenSSL 3.0 does not give the kernel any, older
// kernels would not take them: going on with the old ones would be answered with an alert.
void TlsStream::look_at(int written, int /*version*/, int type, const void* data, std::size_t size, SSL* /*ssl*/,
                        void* self) {
  constexpr std::size_t header = 4;  // of a handshake message
  const auto* const bytes = static_cast<const unsigned char*>(data);
  if (written != 0 || type != SSL3_RT_HANDSHAKE || size != header + 1 || bytes[0] != SSL3_MT_KEY_UPDATE) return;
  if (bytes[header] == SSL_KEY_UPDATE_REQUESTED) static_cast<TlsStream*>(self)->new_keys_wanted_ = true;
}

}  // namespace paddock
