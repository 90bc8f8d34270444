#include "proxy/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/tls_contexts.h"

namespace paddock {
namespace {

// ALPN's wire form: length, name.
constexpr std::string_view http11{"\x08http/1.1"};
const auto* as_bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void* /*context*/) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, as_bytes(http11), http11.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections keep no record buffers
}

std::unexpected<Error> refuse(const std::string& what, const std::filesystem::path& file) {
  std::string text(256, '\0');
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  text.resize(text.find('\0'));
  return fail(ErrorCode::invalid_argument, Blame::us, what + " " + file.string() + ": " + text);
}

}  // namespace

Result<std::shared_ptr<const TlsClientContext>> make_tls_client(const std::optional<std::filesystem::path>& ca_file) {
  ERR_clear_error();
  auto made = std::make_shared<TlsClientContext>();
  SSL_CTX* const context = made->native().native_handle();
  harden(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, as_bytes(http11), http11.size());
  SSL_CTX_set_default_verify_paths(context);
  if (ca_file && SSL_CTX_load_verify_file(context, ca_file->c_str()) != 1) {
    return refuse("cannot read CA certificates from", *ca_file);
  }
  return made;
}

Result<std::shared_ptr<const TlsServerContext>> make_tls_server(const std::filesystem::path& certificate,
                                                                const std::filesystem::path& key) {
  ERR_clear_error();
  auto made = std::make_shared<TlsServerContext>();
  SSL_CTX* const context = made->native().native_handle();
  harden(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return refuse("cannot read a certificate from", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refuse("cannot use the private key", key);
  }
  if (SSL_CTX_check_private_key(context) != 1) return refuse("the key does not belong to", certificate);
  return made;
}

}  // namespace paddock
