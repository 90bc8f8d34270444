// TLS contexts for both sides. OpenSSL stays in proxy/net; others hold these by pointer only.
// Immutable once made, so safe to share between threads; a reload makes a new one and swaps the pointer.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/error.h"

namespace paddock {

class TlsClientContext;  // what we trust as a client: TLS 1.2+, peer and host name verified
class TlsServerContext;  // our certificate and key

// In the message of a connection that fails for the peer's certificate, before OpenSSL's reason.
inline constexpr std::string_view untrusted_certificate = "its certificate is not trusted: ";

// The system's CAs, plus those of `ca_file` (PEM) when given. invalid_argument names the file and what is wrong with
// it.
Result<std::shared_ptr<const TlsClientContext>> make_tls_client(const std::optional<std::filesystem::path>& ca_file);

// PEM chain and key without a passphrase; invalid_argument when unreadable or not belonging together. `kernel`: let it
// encrypt what is sent, for each connection where it can. Blocking, as above.
Result<std::shared_ptr<const TlsServerContext>> make_tls_server(const std::filesystem::path& certificate,
                                                                const std::filesystem::path& key, bool kernel = false);

// A file of PEM, whatever is in it; invalid_argument says why it cannot be one. Blocking.
Result<std::string> read_pem(const std::filesystem::path& file);

// PEM in memory.
struct CertificateAndKey {
  std::string certificate;  // the chain, our own first
  std::string key;
};

// For clients that mean `host`; whose SNI says another name are refused (unrecognized_name, RFC 6066, 3).
// invalid_argument.
Result<std::shared_ptr<const TlsServerContext>> make_tls_server_for(const std::string& host,
                                                                    const CertificateAndKey& pair);

}  // namespace paddock
