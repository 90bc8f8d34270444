// Digest: the name of content, an algorithm and its bytes. The only key of a blob; paths are made from it.
//
// Follows the OCI image specification, "Digests" (descriptor.md): sha256 and sha512, lower-case hex of exact length.
// Value types, safe to copy between threads. A Hasher belongs to one thread at a time.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/error.h"

namespace paddock {

class Digest {
 public:
  enum class Algorithm : std::uint8_t { sha256 = 1, sha512 = 2 };

  // Fails with invalid_argument on anything that is not exactly `sha256:<64 hex>` or `sha512:<128 hex>`.
  static Result<Digest> parse(std::string_view text);
  // From raw bytes, as stored in the catalog; the length must be the algorithm's.
  static Result<Digest> from_bytes(Algorithm algorithm, std::span<const std::byte> bytes);
  // Hashes `content`.
  static Digest of(std::string_view content, Algorithm algorithm = Algorithm::sha256);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] std::string_view algorithm_name() const;
  [[nodiscard]] std::span<const std::byte> bytes() const;
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string to_string() const;  // "sha256:…"

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Digest() = default;
  Algorithm algorithm_ = Algorithm::sha256;
  std::array<std::byte, 64> bytes_{};  // unused tail is zero
};

// Incremental hashing.
class Hasher {
 public:
  explicit Hasher(Digest::Algorithm algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  // The digest of everything so far. The hasher starts anew.
  [[nodiscard]] Digest finish();
  // One that has hashed the same so far.
  [[nodiscard]] Hasher clone() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace paddock

template <>
struct std::hash<paddock::Digest> {
  std::size_t operator()(const paddock::Digest& digest) const noexcept;
};
