#include "storage/digest.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <openssl/evp.h>

namespace paddock {
namespace {

constexpr std::size_t size_of(Digest::Algorithm algorithm) { return algorithm == Digest::Algorithm::sha256 ? 32 : 64; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

const EVP_MD* implementation(Digest::Algorithm algorithm) {
  return algorithm == Digest::Algorithm::sha256 ? EVP_sha256() : EVP_sha512();
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  Digest digest;
  std::string_view hex;
  if (text.starts_with("sha256:")) {
    hex = text.substr(7);
  } else if (text.starts_with("sha512:")) {
    digest.algorithm_ = Algorithm::sha512;
    hex = text.substr(7);
  } else {
    return paddock::fail(ErrorCode::invalid_argument, Blame::client, "a digest starts with sha256: or sha512:");
  }
  if (hex.size() != 2 * size_of(digest.algorithm_)) {
    return paddock::fail(ErrorCode::invalid_argument, Blame::client, "digest of the wrong length");
  }
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) {
      return paddock::fail(ErrorCode::invalid_argument, Blame::client, "a digest is lower-case hexadecimal");
    }
    digest.bytes_[i / 2] = static_cast<std::byte>(high * 16 + low);
  }
  return digest;
}

Result<Digest> Digest::from_bytes(Algorithm algorithm, std::span<const std::byte> bytes) {
  const bool known = algorithm == Algorithm::sha256 || algorithm == Algorithm::sha512;
  if (!known || bytes.size() != size_of(algorithm)) {
    return paddock::fail(ErrorCode::invalid_argument, Blame::us, "not the bytes of a digest");
  }
  Digest digest;
  digest.algorithm_ = algorithm;
  std::ranges::copy(bytes, digest.bytes_.begin());
  return digest;
}

Digest Digest::of(std::string_view content, Algorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(content);
  return hasher.finish();
}

std::string_view Digest::algorithm_name() const { return algorithm_ == Algorithm::sha256 ? "sha256" : "sha512"; }

std::span<const std::byte> Digest::bytes() const { return std::span(bytes_).first(size_of(algorithm_)); }

std::string Digest::hex() const { return to_string().substr(algorithm_name().size() + 1); }

std::string Digest::to_string() const {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(algorithm_name().size() + 1 + 2 * bytes().size());
  text.append(algorithm_name()).append(1, ':');
  for (const std::byte byte : bytes()) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

struct Hasher::State {
  explicit State(Digest::Algorithm kind) : algorithm(kind), context(EVP_MD_CTX_new()) {
    if (context == nullptr) throw std::bad_alloc();
    start();
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void start() const {
    if (EVP_DigestInit_ex(context, implementation(algorithm), nullptr) != 1) throw std::bad_alloc();
  }

  Digest::Algorithm algorithm;
  EVP_MD_CTX* context;
};

Hasher::Hasher(Digest::Algorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

Digest Hasher::finish() {
  std::array<std::byte, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()), &length);
  state_->start();
  return *Digest::from_bytes(state_->algorithm, std::span(out).first(length));
}

Hasher Hasher::clone() const {
  Hasher copy(state_->algorithm);
  if (EVP_MD_CTX_copy_ex(copy.state_->context, state_->context) != 1) throw std::bad_alloc();
  return copy;
}

}  // namespace paddock

std::size_t std::hash<paddock::Digest>::operator()(const paddock::Digest& digest) const noexcept {
  std::size_t value = 0;  // a digest is uniform already
  std::memcpy(&value, digest.bytes().data(), sizeof value);
  return value;
}
