#include "benchmarks/load/socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace paddock::load {
namespace {

constexpr std::size_t scratch_size = std::size_t{1} << 20U;

std::span<char> scratch() {
  static std::array<char, scratch_size> bytes;
  return bytes;
}

std::unexpected<std::string> system_error(const char* call) {
  return std::unexpected(std::string(call) + ": " + std::strerror(errno));
}

Moved moved(ssize_t count, const char* call) {
  if (count > 0) return static_cast<std::size_t>(count);
  if (count == 0) return std::unexpected("closed by the server");
  if (errno == EAGAIN || errno == EINTR) return 0;
  return system_error(call);
}

std::string tls_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return std::string("TLS: ") + text.data();
}

}  // namespace

std::shared_ptr<SSL_CTX> make_tls_context(const std::string& ca_file) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!context) throw std::runtime_error(tls_error());
  if (!ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1)
      throw std::runtime_error(ca_file + ": " + tls_error());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  // One read of the kernel for many records.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), std::size_t{256} << 10U);
  return context;
}

Socket::Socket(const Target& target, SSL_CTX* tls) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Its outcome is what establish() asks for.
  (void)::connect(descriptor_, reinterpret_cast<const sockaddr*>(&target.address), sizeof target.address);
  if (tls == nullptr) return;
  tls_.reset(SSL_new(tls));
  SSL_set_fd(tls_.get(), descriptor_);
  SSL_set_connect_state(tls_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), target.host.c_str()) != 1)
    SSL_set1_host(tls_.get(), target.host.c_str());
}

Socket::~Socket() {
  tls_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

Moved Socket::establish() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::unexpected(std::string("connect: ") + std::strerror(error));
    if (state() == TCP_SYN_SENT) return 0;
    connected_ = true;
  }
  return tls_ ? tls_result(SSL_do_handshake(tls_.get())) : Moved(1);
}

Moved Socket::send(std::string_view bytes) {
  if (tls_) return tls_result(SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())));
  return moved(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), "send");
}

Moved Socket::receive(std::span<char> out) {
  if (tls_) return tls_result(SSL_read(tls_.get(), out.data(), static_cast<int>(out.size())));
  return moved(::recv(descriptor_, out.data(), out.size(), 0), "recv");
}

Moved Socket::discard(std::uint64_t limit) {
  const auto out = scratch().first(static_cast<std::size_t>(std::min<std::uint64_t>(limit, scratch_size)));
  if (tls_) return receive(out);
  return moved(::recv(descriptor_, out.data(), out.size(), MSG_TRUNC), "recv");
}

Moved Socket::tls_result(int result) {
  wants_write_ = false;
  if (result > 0) return static_cast<std::size_t>(result);
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return 0;
    case SSL_ERROR_WANT_READ:
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      return std::unexpected("closed by the server");
    default:
      return std::unexpected(tls_error());
  }
}

bool Socket::open() const { return state() == TCP_ESTABLISHED; }

int Socket::state() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_state : TCP_CLOSE;
}

}  // namespace paddock::load
