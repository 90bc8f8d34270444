#include "proxy/net/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <tuple>

namespace paddock {
namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t one_record = std::size_t{16} * 1024;  // the most that TLS puts into one (RFC 8446, 5.1)
constexpr std::size_t many_records = 8 * one_record;        // more gain little, and each stream holds them
constexpr std::chrono::milliseconds gather_patience{20};
// What a peer must take before its deadline is moved on: one that takes a byte now and then would stay for ever.
constexpr std::size_t least_progress = std::size_t{64} * 1024;
constexpr std::size_t farewell_bytes = std::size_t{64} * 1024 * 1024;

// The name goes into SNI and both kinds into the check of the certificate; false when nothing would be checked.
bool expect_host(SSL* ssl, const std::string& host) {
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return !host.empty() && SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

// Of a client that we answer.
std::string describe_handshake(const Connection::SystemError& error) {
  const int reason = error.category() == asio::error::get_ssl_category() ? ERR_GET_REASON(error.value()) : 0;
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return "the client does not trust our certificate: it needs that of the CA";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the client takes our certificate for expired: is its clock right?";
    case SSL_R_HTTP_REQUEST:
      return "the client speaks plain HTTP where TLS is due";
    default:
      return "TLS handshake: " + error.message();
  }
}

}  // namespace

Connection::Connection(Socket socket)
    : socket_(std::move(socket)), watchdog_(socket_.get_executor(), [this] {
        if (farewell_ ? is_still_taking() : peer_took_enough()) return;
        timed_out_ = true;
        abort();
      }) {}

void Connection::rest() {
  watchdog_.stop();
  if (patience_) patience_->stop();
}

Task<std::string> Connection::start_tls_client(const TlsClientContext& context, std::string host) {
  tls_client_.emplace(socket_, context.native());
  SSL* const ssl = tls_client_->native_handle();
  if (!expect_host(ssl, host)) co_return "its certificate cannot be checked against '" + host + "'";
  const auto [error] = co_await tls_client_->async_handshake(asio::ssl::stream_base::client, as_tuple);
  if (!error) co_return std::string();
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK && !timed_out_) {
    co_return std::string(untrusted_certificate) + X509_verify_cert_error_string(verdict);
  }
  co_return "TLS handshake: " + cause(error).message();
}

Task<std::string> Connection::start_tls_server(const TlsServerContext& context) {
  tls_server_.emplace(socket_, context);
  const auto [error, none] = co_await tls_server_->async_handshake(as_tuple);
  kernel_sends_ = !error && tls_server_->kernel_sends();
  if (!error) co_return std::string();
  const auto asked = tls_name();
  if (!context.serves(asked)) co_return "its TLS asks for another name: " + asked;
  co_return describe_handshake(cause(error));
}

std::string Connection::tls_name() {
  const char* const name = tls() ? SSL_get_servername(ssl(), TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

void Connection::deadline_at(std::chrono::steady_clock::time_point when) {
  stall_ = {};
  watchdog_.expires_at(when);
}

void Connection::begin_sending(std::chrono::steady_clock::duration stall) {
  deadline(stall);
  stall_ = stall;
  until_renewal_ = least_progress;
}

// A socket takes no more until a third of its buffer is free, megabytes on a fast link: meanwhile its peer may well
// have taken what it should.
bool Connection::peer_took_enough() {
  const int waiting = unsent();
  if (stall_.count() == 0 || waiting < 0) return false;
  const auto before = std::exchange(acknowledged_, given_ - waiting);
  const bool enough = acknowledged_ - before >= static_cast<std::int64_t>(least_progress);
  if (enough) begin_sending(stall_);
  return enough;
}

int Connection::unsent() {
  int waiting = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &waiting) < 0 ? -1 : waiting;
}

bool Connection::is_still_taking() {
  const auto now = std::chrono::steady_clock::now();
  const int left = unsent();
  if (left < 0 || farewell_->left <= 0) return false;
  if (farewell_->left - left >= std::min(farewell_->left, static_cast<int>(least_progress))) {
    farewell_->left = left;
    farewell_->progress = now;
  }
  if (now - farewell_->progress >= farewell_->stall) return false;
  watchdog_.expires_after(farewell_->patience);
  return true;
}

void Connection::took(std::size_t bytes) {
  given_ += static_cast<std::int64_t>(bytes);
  if (bytes < until_renewal_) {
    until_renewal_ -= bytes;
  } else {
    begin_sending(stall_);
  }
}

Connection::SystemError Connection::write_at_once(std::array<asio::const_buffer, 2>& buffers) {
  SystemError error;
  if (encrypts()) return error;
  if (!socket_.non_blocking()) socket_.non_blocking(true, error);
  const auto size = error ? 0 : socket_.write_some(buffers, error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return {};
  given_ += static_cast<std::int64_t>(size);
  const auto first = std::min(size, buffers[0].size());
  buffers[0] += first;
  buffers[1] += size - first;
  return cause(error);
}

Task<Connection::SystemError> Connection::write(std::array<asio::const_buffer, 2> buffers,
                                                std::chrono::steady_clock::duration stall, std::uint64_t* written) {
  begin_sending(stall);
  for (auto& buffer : buffers) {
    while (buffer.size() != 0) {
      // Both at once where that is possible: a small answer is one segment.
      const bool both = !encrypts() && &buffer == buffers.data() && buffers[1].size() != 0;
      SystemError error;
      std::size_t size = 0;
      if (both) {
        std::tie(error, size) = co_await socket_.async_write_some(buffers, as_tuple);
      } else {
        std::tie(error, size) = co_await async_write_some(asio::const_buffer(buffer), as_tuple);
      }
      if (written != nullptr) *written += size;
      if (error) co_return cause(error);
      took(size);
      const auto here = std::min(size, buffer.size());
      buffer += here;
      if (both) buffers[1] += size - here;
    }
  }
  co_return SystemError();
}

Task<Connection::SystemError> Connection::write_body(std::array<asio::const_buffer, 2> buffers,
                                                     std::chrono::steady_clock::duration stall, std::uint64_t* written,
                                                     TlsRecords& records) {
  const bool big = encrypts() && buffers[0].size() + buffers[1].size() > one_record;
  if (!big) co_return co_await write(buffers, stall, written);
  for (const auto& buffer : buffers) {
    if (const auto error = co_await write_records(buffer, stall, written, records)) co_return error;
  }
  co_return SystemError();
}

Task<Connection::SystemError> Connection::write_records(asio::const_buffer buffer,
                                                        std::chrono::steady_clock::duration stall,
                                                        std::uint64_t* written, TlsRecords& records) {
  begin_sending(stall);
  while (buffer.size() != 0) {
    const auto some = asio::buffer(buffer, many_records);
    if (!records.encrypt(ssl(), some)) co_return asio::error::connection_aborted;
    for (auto rest = records.bytes(); rest.size() != 0;) {
      const auto [error, size] = co_await socket_.async_write_some(rest, as_tuple);
      if (error) co_return cause(error);
      took(size);
      rest += size;
    }
    if (written != nullptr) *written += some.size();
    buffer += some.size();
  }
  co_return SystemError();
}

Task<std::pair<Connection::SystemError, std::size_t>> Connection::read(asio::mutable_buffer buffer) {
  const auto [error, size] = co_await async_read_some(buffer, as_tuple);
  co_return std::pair(cause(error), size);
}

Task<void> Connection::gather(std::size_t bytes) {
  const auto wake_at = [this](std::size_t least) {
    SystemError ignored;
    socket_.set_option(asio::socket_base::receive_low_watermark(static_cast<int>(least)), ignored);
  };
  if (!patience_) {
    patience_.emplace(socket_.get_executor(), [this] {
      SystemError ignored;
      socket_.cancel(ignored);
    });
  }
  // Lowered again before anybody reads: Linux then says once more that there is something to read, which Asio, waiting
  // for edges, would otherwise not hear of what has come meanwhile.
  wake_at(bytes);
  patience_->expires_after(gather_patience);
  co_await socket_.async_wait(asio::socket_base::wait_read, as_tuple);
  patience_->disarm();
  wake_at(1);
}

Task<std::pair<Connection::SystemError, std::size_t>> Connection::write_some(asio::const_buffer buffer) {
  const auto [error, size] = co_await async_write_some(buffer, as_tuple);
  co_return std::pair(cause(error), size);
}

Task<std::pair<Connection::SystemError, std::size_t>> Connection::send_file(int descriptor, std::uint64_t offset,
                                                                            std::size_t length) {
  SystemError error;
  if (!socket_.native_non_blocking()) socket_.native_non_blocking(true, error);
  while (!error) {
    auto at = static_cast<off_t>(offset);
    const auto sent = ::sendfile(socket_.native_handle(), descriptor, &at, length);
    if (sent >= 0) co_return std::pair(error, static_cast<std::size_t>(sent));
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      std::tie(error) = co_await socket_.async_wait(asio::socket_base::wait_write, as_tuple);
      if (!error) error = asio::error::try_again;
    } else {
      error.assign(errno, boost::system::system_category());
    }
  }
  co_return std::pair(cause(error), std::size_t{0});
}

Connection::SystemError Connection::cause(SystemError code) const {
  return code && timed_out_ ? SystemError(asio::error::timed_out) : code;
}

bool Connection::reusable() {
  char byte = 0;
  if (!socket_.is_open()) return false;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

Task<void> Connection::finish(std::chrono::seconds patience, std::chrono::steady_clock::duration stall) {
  deadline(patience);
  farewell_ = Farewell{patience, stall, unsent(), std::chrono::steady_clock::now()};
  if (tls_server_) co_await tls_server_->async_shutdown(as_tuple);
  SystemError error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  std::array<char, 16384> ignored;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  for (std::size_t total = 0; !error && total < farewell_bytes;) {
    const auto [failed, size] = co_await socket_.async_read_some(asio::buffer(ignored), as_tuple);
    error = failed;
    total += size;
  }
  watchdog_.disarm();
  close();
}

void Connection::end_sending() {
  SystemError ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void Connection::close() {
  SystemError ignored;
  socket_.close(ignored);
}

void Connection::abort() {
  SystemError ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace paddock
