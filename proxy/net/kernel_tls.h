// Whether the kernel encrypts what server connections send, and if not, why not. Then files go out by sendfile(2) over
// TLS too.
//
// Needs OpenSSL with kernel TLS, and Linux with CONFIG_TLS; its module, `tls`, is loaded when a process asks that may
// (CAP_NET_ADMIN), by `modprobe tls` otherwise. Each connection still has to agree on a cipher that the kernel knows:
// Connection::encrypts() says what became of it.
#pragma once

#include <string_view>

namespace paddock {

enum class KernelTls { used, switched_off, not_built, not_offered };

// Asks the kernel, with a connection of its own; for the start, it costs some system calls. Any thread.
KernelTls probe_kernel_tls();
// "the kernel offers none ..."; empty when it is used.
std::string_view why_not(KernelTls state);

}  // namespace paddock
