#include "proxy/ingress/credential_tokens.h"

#include <charconv>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <utility>

namespace paddock {
namespace {

constexpr std::size_t nonce_size = 12, tag_size = 16;  // bytes
constexpr std::size_t longest = std::size_t{8} * 1024;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Free>;

unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// RFC 4648, 5, without padding.
std::string encode(std::string_view data) {
  std::string out;
  unsigned buffer = 0, bits = 0;
  for (const char c : data) {
    buffer = buffer << 8U | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += alphabet[buffer >> (bits - 6) & 63U];
  }
  if (bits > 0) out += alphabet[buffer << (6 - bits) & 63U];
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  unsigned buffer = 0, bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = buffer << 6U | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(buffer >> bits & 255U);
  }
  return encode(out) == text ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

CredentialTokens::CredentialTokens() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) throw std::runtime_error("no random numbers");
}

std::string CredentialTokens::seal(const BasicCredentials& credentials, std::string_view host, WallTime ends) const {
  std::string plain = std::to_string(ends.time_since_epoch().count());
  plain.append(1, '\0').append(credentials.user).append(1, '\0').append(credentials.password);
  std::string sealed(nonce_size + plain.size() + tag_size, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  unsigned char* const out = bytes(sealed);
  const bool done =
      cipher && RAND_bytes(out, nonce_size) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), out) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes(host), static_cast<int>(host.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out + nonce_size, &size, bytes(std::string_view(plain)),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), out + nonce_size + plain.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_size, out + nonce_size + plain.size()) == 1;
  if (!done) throw std::runtime_error("a token cannot be made");
  return encode(sealed);
}

std::optional<BasicCredentials> CredentialTokens::open(std::string_view token, std::string_view host,
                                                       WallTime now) const {
  if (token.size() > longest) return std::nullopt;
  auto sealed = decode(token);
  if (!sealed || sealed->size() < nonce_size + tag_size) return std::nullopt;
  std::string plain(sealed->size() - nonce_size - tag_size, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  unsigned char* const in = bytes(*sealed);
  const bool done =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), in) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes(host), static_cast<int>(host.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(plain), &size, in + nonce_size, static_cast<int>(plain.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_size, in + nonce_size + plain.size()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(plain) + plain.size(), &size) == 1;
  if (!done) return std::nullopt;
  const auto first = plain.find('\0');
  const auto second = first == std::string::npos ? first : plain.find('\0', first + 1);
  WallTime::rep ends = 0;
  const auto [end, failed] = std::from_chars(plain.data(), plain.data() + std::min(first, plain.size()), ends);
  if (second == std::string::npos || failed != std::errc() || ends <= now.time_since_epoch().count()) {
    return std::nullopt;
  }
  return BasicCredentials{plain.substr(first + 1, second - first - 1), plain.substr(second + 1)};
}

}  // namespace paddock
