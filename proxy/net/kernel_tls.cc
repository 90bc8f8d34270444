#include "proxy/net/kernel_tls.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/opensslconf.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "storage/file_descriptor.h"

namespace paddock {
namespace {

FileDescriptor tcp_socket() { return FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// To ourselves: only an established connection takes a protocol on top. The backlog accepts it, at once, unless a
// packet filter drops what goes to ourselves.
bool connect_both(int listener, int client) {
  if (listener < 0 || client < 0) return false;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof(at);
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  return ::bind(listener, address, size) == 0 && ::listen(listener, 1) == 0 &&
         ::getsockname(listener, address, &size) == 0 && ::connect(client, address, size) == 0;
}

// With the cipher that nearly everybody agrees on, in the newest version: a kernel that has TLS may lack these.
bool encrypts(int connected) {
  tls12_crypto_info_aes_gcm_256 keys{};
  keys.info.version = TLS_1_3_VERSION;
  keys.info.cipher_type = TLS_CIPHER_AES_GCM_256;
  return ::setsockopt(connected, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 &&
         ::setsockopt(connected, SOL_TLS, TLS_TX, &keys, sizeof(keys)) == 0;
}

}  // namespace

KernelTls probe_kernel_tls() {
#ifdef OPENSSL_NO_KTLS
  return KernelTls::not_built;
#else
  const auto listener = tcp_socket();
  const auto client = tcp_socket();
  return connect_both(listener.get(), client.get()) && encrypts(client.get()) ? KernelTls::used
                                                                              : KernelTls::not_offered;
#endif
}

std::string_view why_not(KernelTls state) {
  switch (state) {
    case KernelTls::used:
      return {};
    case KernelTls::switched_off:
      return "server.tls.kernel is off";
    case KernelTls::not_built:
      return "this OpenSSL is built without kernel TLS";
    case KernelTls::not_offered:
      return "the kernel offers none; `modprobe tls` where it is a module";
  }
  return {};
}

}  // namespace paddock
