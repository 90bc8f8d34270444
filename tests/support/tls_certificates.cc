#include "tests/support/tls_certificates.h"

#include <cstdio>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <random>
#include <stdexcept>

namespace paddock {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void must(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("test certificates: ") + what);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  must(key != nullptr, "cannot make a key");
  return key;
}

OpenFile create(const std::filesystem::path& path) {
  OpenFile file(std::fopen(path.c_str(), "w"), std::fclose);
  must(file != nullptr, "cannot create a file");
  return file;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  must(extension != nullptr, "a bad extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(const std::string& subject, EVP_PKEY* key, long serial, long starts_in, long ends_in) {
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), starts_in);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends_in);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  return certificate;
}

std::string subject_alternatives(const CertificateWish& wish) {
  std::string out;
  for (const auto& name : wish.names) out += (out.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& address : wish.addresses) out += (out.empty() ? "IP:" : ",IP:") + address;
  return out;
}

}  // namespace

struct TestCa::Keys {
  Key key = make_key();
  // A name of its own: two CAs of one name differ by signature only, and fail in another way than a stranger's does.
  Certificate certificate =
      make_certificate("Test CA " + std::to_string(std::random_device{}()), key.get(), 1, -86400, 86400);
};

TestCa::TestCa() : keys_(std::make_unique<Keys>()) {
  X509* const certificate = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(certificate, certificate, NID_subject_key_identifier, "hash");
  must(X509_sign(certificate, keys_->key.get(), EVP_sha256()) != 0, "cannot sign the CA");
  must(PEM_write_X509(create(file()).get(), certificate) == 1, "cannot write the CA");
}

TestCa::~TestCa() = default;

std::filesystem::path TestCa::file() const { return folder_ / "ca.crt"; }

CertificateFiles TestCa::issue(const CertificateWish& wish) {
  const auto stem = "leaf" + std::to_string(++issued_);
  const CertificateFiles files{folder_ / (stem + ".crt"), folder_ / (stem + ".key")};
  const auto key = make_key();
  const auto leaf = make_certificate(stem, key.get(), 1 + issued_, wish.starts_in, wish.ends_in);
  X509* const issuer = keys_->certificate.get();
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer));
  extend(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(leaf.get(), issuer, NID_ext_key_usage, "serverAuth");
  if (const auto names = subject_alternatives(wish); !names.empty()) {
    extend(leaf.get(), issuer, NID_subject_alt_name, names);
  }
  must(X509_sign(leaf.get(), keys_->key.get(), EVP_sha256()) != 0, "cannot sign");
  must(PEM_write_X509(create(files.certificate).get(), leaf.get()) == 1, "cannot write a certificate");
  must(PEM_write_PrivateKey(create(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "cannot write a key");
  return files;
}

}  // namespace paddock
