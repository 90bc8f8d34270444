#include "proxy/net/tls.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <string>
#include <string_view>

#include "proxy/net/tls_contexts.h"

namespace paddock {
namespace {

namespace asio = boost::asio;

constexpr std::size_t pem_limit = std::size_t{4} << 20U;  // the CAs of a whole system are a tenth of it
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

// Without it OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char* /*out*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

std::unexpected<Error> refuse(const std::filesystem::path& file, std::string_view why) {
  ERR_clear_error();
  return fail(ErrorCode::invalid_argument, Blame::us, file.string() + ": " + std::string(why));
}

// Of what OpenSSL has to say the reason alone: "ee key too small".
std::unexpected<Error> refuse(const std::filesystem::path& file, std::string why, boost::system::error_code error) {
  const char* const reason = ERR_reason_error_string(static_cast<unsigned long>(error.value()));
  return refuse(file, reason == nullptr ? why : why.append(" (").append(reason).append(")"));
}

Result<std::string> read_certificates(const std::filesystem::path& file) {
  auto content = read_pem(file);
  if (content && !content->contains(" CERTIFICATE-----")) {
    return refuse(file, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)");
  }
  return content;
}

int check_name(SSL* ssl, int* alert, void* self) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr || static_cast<const TlsServerContext*>(self)->serves(name)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<TlsServerContext> new_server_context() {
  auto made = std::make_shared<TlsServerContext>();
  SSL_CTX* const context = made->native().native_handle();
  harden(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  return made;
}

Result<void> use_key(asio::ssl::context& context, const std::filesystem::path& file,
                     const std::filesystem::path& certificate) {
  const auto content = read_pem(file);
  if (!content) return std::unexpected(content.error());
  if (!content->contains(" PRIVATE KEY-----")) {
    return refuse(file, "holds no PEM private key (-----BEGIN PRIVATE KEY-----)");
  }
  if (content->contains("ENCRYPTED")) {
    return refuse(file, "the private key is encrypted: give one without a passphrase (openssl pkey -in FILE -out NEW)");
  }
  boost::system::error_code error;
  context.use_private_key(asio::buffer(*content), asio::ssl::context::pem, error);
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH) {
    return refuse(file, "the private key does not belong to the certificate " + certificate.string());
  }
  if (error) return refuse(file, "holds no usable private key", error);
  return {};
}

}  // namespace

Result<std::string> read_pem(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return refuse(file, "is a folder, not a PEM file");
  // Opening a pipe would wait for somebody to write to it.
  if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored)) {
    return refuse(file, "is not a regular file");
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return refuse(file, std::strerror(errno));
  std::string content(pem_limit + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad()) return refuse(file, "cannot be read");
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > pem_limit) return refuse(file, "is larger than any PEM file");
  return content;
}

Result<std::shared_ptr<const TlsClientContext>> make_tls_client(const std::optional<std::filesystem::path>& ca_file) {
  ERR_clear_error();
  auto made = std::make_shared<TlsClientContext>();
  SSL_CTX* const context = made->native().native_handle();
  harden(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, as_bytes(http11), http11.size());
  SSL_CTX_set_default_verify_paths(context);
  if (ca_file) {
    const auto content = read_certificates(*ca_file);
    if (!content) return std::unexpected(content.error());
    boost::system::error_code error;
    made->native().add_certificate_authority(asio::buffer(*content), error);
    if (error) return refuse(*ca_file, "holds a certificate that cannot be used", error);
  }
  return made;
}

Result<std::shared_ptr<const TlsServerContext>> make_tls_server(const std::filesystem::path& certificate,
                                                                const std::filesystem::path& key, bool kernel) {
  ERR_clear_error();
  auto made = new_server_context();
  if (kernel) SSL_CTX_set_options(made->native().native_handle(), SSL_OP_ENABLE_KTLS);
  const auto chain = read_certificates(certificate);
  if (!chain) return std::unexpected(chain.error());
  boost::system::error_code error;
  made->native().use_certificate_chain(asio::buffer(*chain), error);
  if (error) return refuse(certificate, "holds no usable certificate", error);
  if (auto used = use_key(made->native(), key, certificate); !used) return std::unexpected(std::move(used).error());
  return made;
}

void TlsServerContext::serve_only(std::string name) {
  only_name_ = std::move(name);
  SSL_CTX* const context = context_.native_handle();
  SSL_CTX_set_tlsext_servername_callback(context, &check_name);
  SSL_CTX_set_tlsext_servername_arg(context, this);
}

bool TlsServerContext::serves(std::string_view name) const {
  return only_name_.empty() || name.empty() || std::ranges::equal(name, only_name_, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
         });
}

Result<std::shared_ptr<const TlsServerContext>> make_tls_server_for(const std::string& host,
                                                                    const CertificateAndKey& pair) {
  ERR_clear_error();
  auto made = new_server_context();
  boost::system::error_code error;
  made->native().use_certificate_chain(asio::buffer(pair.certificate), error);
  if (!error) made->native().use_private_key(asio::buffer(pair.key), asio::ssl::context::pem, error);
  if (error) return refuse("the certificate for " + host, "cannot be used", error);
  made->serve_only(host);
  return made;
}

}  // namespace paddock
