#include "proxy/ingress/certificate_authority.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace paddock {
namespace {

constexpr std::chrono::days leaf_life{14}, renewal_before{5};
constexpr std::chrono::days clock_skew{1};  // of clients whose clocks are behind
constexpr int serial_bits = 127;
constexpr std::size_t longest_common_name = 64;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Store = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

std::unexpected<Error> refuse(std::string why) {
  const auto reason = ERR_get_error();
  const char* const text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
  ERR_clear_error();
  if (text != nullptr) why.append(" (").append(text).append(")");
  return fail(ErrorCode::invalid_argument, Blame::us, std::move(why));
}

Bio reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

template <typename Write>
std::string written(Write write) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || write(out.get()) != 1) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string pem_of(EVP_PKEY* key) {
  return written([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime::min();
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

bool set_times(X509* certificate, WallTime begin, WallTime end) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), begin.time_since_epoch().count()) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end.time_since_epoch().count()) != nullptr;
}

bool set_serial(X509* certificate) {
  const Number number(BN_new());
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// `value` in the language of x509v3_config(5), which a host of plain characters cannot break out of.
bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool is_plain_host(const std::string& host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
  });
}

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

// Null when there is none, or behind an error.
Key new_key() { return Key(EVP_EC_gen("P-256")); }

// A kind of name that no constraint speaks of would be free.
std::string name_constraints(const std::vector<std::string>& only) {
  std::string text = "critical,excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0";
  for (const auto& host : only) text += ",permitted;DNS:" + host;
  return text;
}

// Of keys that bring their own, as Ed25519, none is to be named.
const EVP_MD* digest_for(EVP_PKEY* key) {
  int id = NID_undef;
  return EVP_PKEY_get_default_digest_nid(key, &id) == 2 && id == NID_undef ? nullptr : EVP_sha256();
}

// As a client that trusts `ca` would judge `leaf`: the reason why not, or nothing.
std::string rejection(X509* ca, X509* leaf, const std::string& host, WallTime now) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), ca) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr) != 1) {
    return "it cannot be checked";
  }
  auto* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(rules, now.time_since_epoch().count());
  const bool set = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1
                                    : X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
  if (!set) return "it cannot be checked";
  if (X509_verify_cert(context.get()) == 1) return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace

struct CertificateAuthority::State {
  Certificate certificate;
  Key key;
  std::string chain;  // PEM, what leaves are sent with; empty where the clients have all of it
  std::string fingerprint;
  WallTime ends;
};

Result<CertificateAndKey> CertificateAuthority::create(const Plan& plan, WallTime now) {
  ERR_clear_error();
  for (const auto& host : plan.only) {
    if (!is_plain_host(host) || is_address(host)) return refuse("'" + host + "' is not a host name in lower case");
  }
  const Key key = new_key();
  const Certificate made(X509_new());
  X509* const ca = made.get();
  auto* const subject = ca == nullptr ? nullptr : X509_get_subject_name(ca);
  const bool done = key && subject != nullptr && X509_set_version(ca, X509_VERSION_3) == 1 && set_serial(ca) &&
                    set_times(ca, now - clock_skew, now + plan.life) && add_name(subject, "O", "Paddock") &&
                    add_name(subject, "CN", plan.name.substr(0, longest_common_name)) &&
                    X509_set_issuer_name(ca, subject) == 1 && X509_set_pubkey(ca, key.get()) == 1 &&
                    add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
                    (plan.only.empty() || add_extension(ca, ca, NID_name_constraints, name_constraints(plan.only))) &&
                    X509_sign(ca, key.get(), EVP_sha256()) > 0;
  if (!done) return refuse("a CA cannot be made");
  return CertificateAndKey{pem_of(ca), pem_of(key.get())};
}

Result<CertificateAuthority> CertificateAuthority::from_pem(const CertificateAndKey& pair, WallTime now) {
  ERR_clear_error();
  auto state = std::make_shared<State>();
  state->certificate.reset(PEM_read_bio_X509(reader(pair.certificate).get(), nullptr, nullptr, nullptr));
  if (!state->certificate) return refuse("the CA's certificate is not PEM (-----BEGIN CERTIFICATE-----)");
  const auto no_passphrase = [](char* /*out*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; };
  state->key.reset(PEM_read_bio_PrivateKey(reader(pair.key).get(), nullptr, no_passphrase, nullptr));
  if (!state->key) return refuse("the CA's key is not PEM without a passphrase (-----BEGIN PRIVATE KEY-----)");
  X509* const ca = state->certificate.get();
  if (X509_check_private_key(ca, state->key.get()) != 1)
    return refuse("the key does not belong to the CA's certificate");
  const bool may_sign = X509_check_ca(ca) == 1 && (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) != 0;
  if (!may_sign) return refuse("the certificate is not a CA's: make one with `paddock ca init`");
  state->ends = time_of(X509_get0_notAfter(ca));
  if (state->ends <= now) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(state->ends));
    return refuse(fmt::format(
        "the CA's time ended on {}-{:02}-{:02}: make another one with `paddock ca init`, and give its "
        "certificate to all clients",
        static_cast<int>(day.year()), static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day())));
  }
  if (time_of(X509_get0_notBefore(ca)) > now)
    return refuse("the CA's time has not begun: is this machine's clock right?");
  if (X509_check_issued(ca, ca) != X509_V_OK) state->chain = pair.certificate;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  X509_digest(ca, EVP_sha256(), hash.data(), &size);
  for (unsigned int i = 0; i < size; ++i) state->fingerprint += fmt::format("{}{:02X}", i == 0 ? "" : ":", hash.at(i));
  ERR_clear_error();
  return CertificateAuthority(std::move(state));
}

Result<CertificateAuthority::Leaf> CertificateAuthority::sign(const std::string& host, WallTime now) const {
  ERR_clear_error();
  if (!is_plain_host(host)) return refuse("'" + host + "' is no host that a certificate can be made for");
  if (state_->ends <= now) return refuse("the CA's time is over: make another one with `paddock ca init`");
  const auto ends = std::min<WallTime>(now + leaf_life, state_->ends);
  const Key key = new_key();
  const Certificate made(X509_new());
  X509* const leaf = made.get();
  X509* const ca = state_->certificate.get();
  auto* const subject = leaf == nullptr ? nullptr : X509_get_subject_name(leaf);
  const bool done =
      key && subject != nullptr && X509_set_version(leaf, X509_VERSION_3) == 1 && set_serial(leaf) &&
      set_times(leaf, std::max<WallTime>(now - clock_skew, time_of(X509_get0_notBefore(ca))), ends) &&
      add_name(subject, "CN", host.size() > longest_common_name ? "paddock" : host) &&
      X509_set_issuer_name(leaf, X509_get_subject_name(ca)) == 1 && X509_set_pubkey(leaf, key.get()) == 1 &&
      add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature") &&
      add_extension(leaf, ca, NID_ext_key_usage, "serverAuth") &&
      add_extension(leaf, ca, NID_subject_alt_name, (is_address(host) ? "IP:" : "DNS:") + host) &&
      (X509_get0_subject_key_id(ca) == nullptr || add_extension(leaf, ca, NID_authority_key_identifier, "keyid")) &&
      X509_sign(leaf, state_->key.get(), digest_for(state_->key.get())) > 0;
  if (!done) return refuse("no certificate for " + host + " can be made");
  if (const auto why = rejection(ca, leaf, host, now); !why.empty()) {
    return refuse("clients would not take this CA's certificate for " + host + ": " + why);
  }
  return Leaf{{pem_of(leaf) + state_->chain, pem_of(key.get())},
              std::min<WallTime>(now + leaf_life - renewal_before, ends)};
}

WallTime CertificateAuthority::ends() const { return state_->ends; }
const std::string& CertificateAuthority::fingerprint() const { return state_->fingerprint; }

}  // namespace paddock
