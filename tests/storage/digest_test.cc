#include "storage/digest.h"

#include <catch2/catch.hpp>
#include <string>
#include <unordered_set>
#include <vector>

namespace paddock {
namespace {

// FIPS 180-4 example values.
constexpr std::string_view abc_256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view empty_256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view abc_512 =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

TEST_CASE("a well-formed digest survives parsing and printing") {
  const std::string text = GENERATE(std::string("sha256:") + std::string(abc_256), "sha512:" + std::string(abc_512));
  const auto digest = Digest::parse(text);
  REQUIRE(digest);
  CHECK(digest->to_string() == text);
  CHECK(digest->hex() == text.substr(7));
  CHECK(digest->algorithm_name() == text.substr(0, 6));
}

TEST_CASE("anything but exact lower-case hexadecimal of a known algorithm is refused") {
  const std::string hex(abc_256);
  const std::vector<std::string> bad = {"",
                                        "sha256",
                                        "sha256:",
                                        ":" + hex,
                                        hex,
                                        "sha1:" + hex,
                                        "SHA256:" + hex,
                                        "sha256:" + hex.substr(1),
                                        "sha256:" + hex + "0",
                                        "sha256:B" + hex.substr(1),
                                        "sha256:g" + hex.substr(1),
                                        "sha256:" + hex.substr(1) + " ",
                                        " sha256:" + hex,
                                        "sha512:" + hex,
                                        "sha256:" + std::string(abc_512),
                                        "sha256:/" + hex.substr(1),
                                        "sha256:../" + hex.substr(3),
                                        std::string("sha256:\0", 8) + hex.substr(1),
                                        "sha256+b64:" + hex};
  for (const std::string& text : bad) {
    INFO(text);
    const auto digest = Digest::parse(text);
    REQUIRE_FALSE(digest);
    CHECK(digest.error().code == ErrorCode::invalid_argument);
    CHECK(digest.error().blame == Blame::client);
  }
}

TEST_CASE("hashing gives the published values") {
  CHECK(Digest::of("abc").hex() == abc_256);
  CHECK(Digest::of("").hex() == empty_256);
  CHECK(Digest::of("abc", Digest::Algorithm::sha512).hex() == abc_512);
}

TEST_CASE("hashing in pieces equals hashing at once, and a finished hasher starts anew") {
  Hasher hasher(Digest::Algorithm::sha256);
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  CHECK(hasher.finish() == Digest::of("abc"));
  CHECK(hasher.finish() == Digest::of(""));
  hasher.update("abc");
  Hasher moved = std::move(hasher);
  CHECK(moved.finish() == Digest::of("abc"));
}

TEST_CASE("a clone has hashed the same and goes its own way") {
  Hasher hasher(Digest::Algorithm::sha512);
  hasher.update("a");
  Hasher clone = hasher.clone();
  clone.update("b");
  hasher.update("c");
  CHECK(clone.finish() == Digest::of("ab", Digest::Algorithm::sha512));
  CHECK(hasher.finish() == Digest::of("ac", Digest::Algorithm::sha512));
}

TEST_CASE("raw bytes make a digest only when they have its length") {
  const Digest digest = Digest::of("abc", Digest::Algorithm::sha512);
  const auto again = Digest::from_bytes(Digest::Algorithm::sha512, digest.bytes());
  REQUIRE(again);
  CHECK(*again == digest);
  CHECK_FALSE(Digest::from_bytes(Digest::Algorithm::sha256, digest.bytes()));
  CHECK_FALSE(Digest::from_bytes(Digest::Algorithm::sha512, digest.bytes().first(63)));
  CHECK_FALSE(Digest::from_bytes(static_cast<Digest::Algorithm>(3), digest.bytes()));
}

TEST_CASE("digests compare by algorithm and bytes, and hash apart") {
  const Digest a = Digest::of("a");
  const Digest b = Digest::of("b");
  CHECK(a != b);
  CHECK(a == Digest::of("a"));
  CHECK(a != Digest::of("a", Digest::Algorithm::sha512));
  std::unordered_set<Digest> set;
  for (int i = 0; i < 100; ++i) set.insert(Digest::of(std::to_string(i % 50)));
  CHECK(set.size() == 50);
}

}  // namespace
}  // namespace paddock
