#include "proxy/oci/byte_range.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <string>

using paddock::ByteRange;
using paddock::decide_range;
using paddock::matches_etag;
using paddock::parse_content_range;
using paddock::RangeDecision;
using Kind = paddock::RangeDecision::Kind;

namespace {

const std::string etag = "\"sha256:abc\"";

RangeDecision decide(std::string_view range, std::uint64_t size) {
  return decide_range(range, std::nullopt, etag, size);
}

}  // namespace

TEST_CASE("a satisfiable range is cut to the size") {
  struct Case {
    std::string_view range;
    std::uint64_t first, last;
  };
  const auto c = GENERATE(values<Case>({{"bytes=0-0", 0, 0},
                                        {"bytes=0-99", 0, 99},
                                        {"bytes=0-", 0, 99},
                                        {"bytes=10-19", 10, 19},
                                        {"bytes=99-", 99, 99},
                                        {"bytes=90-1000", 90, 99},
                                        {"bytes=0-18446744073709551615", 0, 99},
                                        {"bytes=0-99999999999999999999999", 0, 99},
                                        {"bytes=-1", 99, 99},
                                        {"bytes=-100", 0, 99},
                                        {"bytes=-101", 0, 99},
                                        {"bytes=-99999999999999999999999", 0, 99},
                                        {"Bytes=5-6", 5, 6},
                                        {" bytes = 5-6 ", 5, 6},
                                        {"bytes=5 - 6", 5, 6},
                                        {"bytes=007-008", 7, 8}}));
  CAPTURE(c.range);
  const RangeDecision decision = decide(c.range, 100);
  CHECK(decision.kind == Kind::partial);
  CHECK(decision.range == ByteRange{c.first, c.last});
  CHECK(decision.range.length() == c.last - c.first + 1);
}

TEST_CASE("malformed, multiple and foreign ranges are ignored") {
  const auto* const range = GENERATE("", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=0-1,3-4",
                                     "bytes=0-1,", "bytes=+1-2", "bytes=1--2", "bytes=--2", "bytes=-1-2", "bytes=0x1-2",
                                     "bytes=1.0-2", "items=0-1", "byte=0-1", "bytes 0-1", "bytes:0-1", "bytes=1-2-3");
  CAPTURE(range);
  CHECK(decide(range, 100) == RangeDecision{});
}

TEST_CASE("a range beyond the end, or that ends before it begins, cannot be satisfied") {
  const auto* const range = GENERATE("bytes=100-", "bytes=100-200", "bytes=6-5", "bytes=99999999999999999999-",
                                     "bytes=-0", "bytes=18446744073709551615-18446744073709551615");
  CAPTURE(range);
  CHECK(decide(range, 100).kind == Kind::unsatisfiable);
}

TEST_CASE("an empty blob is sent whole whatever range was asked for") {
  const auto* const range = GENERATE("bytes=0-", "bytes=0-0", "bytes=-5", "bytes=7-", "bytes=6-5");
  CAPTURE(range);
  CHECK(decide(range, 0).kind == Kind::whole);
}

TEST_CASE("the largest sizes do not overflow") {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  CHECK(decide("bytes=0-", max).range == ByteRange{0, max - 1});
  CHECK(decide("bytes=-1", max).range == ByteRange{max - 1, max - 1});
}

TEST_CASE("without a Range header the whole is sent") {
  CHECK(decide_range(std::nullopt, std::nullopt, etag, 100).kind == Kind::whole);
  CHECK(decide_range(std::nullopt, etag, etag, 100).kind == Kind::whole);
}

TEST_CASE("If-Range applies the range only to the same representation") {
  struct Case {
    std::string_view if_range;
    Kind kind;
  };
  const auto c = GENERATE(values<Case>({{"\"sha256:abc\"", Kind::partial},
                                        {" \"sha256:abc\" ", Kind::partial},
                                        {"sha256:abc", Kind::partial},
                                        {"\"sha256:abd\"", Kind::whole},
                                        {"W/\"sha256:abc\"", Kind::whole},
                                        {"Wed, 21 Oct 2015 07:28:00 GMT", Kind::whole},
                                        {"*", Kind::whole},
                                        {"\"", Kind::whole},
                                        {"", Kind::whole}}));
  CAPTURE(c.if_range);
  CHECK(decide_range("bytes=0-1", c.if_range, etag, 100).kind == c.kind);
}

TEST_CASE("a weak tag of ours never matches If-Range") {
  CHECK(decide_range("bytes=0-1", "W/\"a\"", "W/\"a\"", 100).kind == Kind::whole);
}

TEST_CASE("Content-Range is written as the RFC says") {
  CHECK(paddock::content_range({0, 9}, 100) == "bytes 0-9/100");
  CHECK(paddock::unsatisfied_content_range(100) == "bytes */100");
}

TEST_CASE("an upstream's Content-Range is understood") {
  const auto full = parse_content_range("bytes 10-19/100");
  REQUIRE(full);
  CHECK(full->range == ByteRange{10, 19});
  CHECK(full->size == 100U);
  const auto open = parse_content_range(" Bytes 0-0/* ");
  REQUIRE(open);
  CHECK(open->range == ByteRange{0, 0});
  CHECK_FALSE(open->size);
}

TEST_CASE("a Content-Range that contradicts itself is not believed") {
  const auto* const value =
      GENERATE("", "bytes", "bytes */100", "bytes 0-9", "bytes 9-0/100", "bytes 0-100/100", "bytes 0-9/9", "bytes 0-9/",
               "bytes a-b/c", "bytes=0-9/100", "items 0-9/100", "bytes -9/100", "bytes 0-/100", "bytes 0-9/1x",
               "bytes 0/9-10", "bytes 0-99999999999999999999999/*", "bytes 0-1-2/100");
  CAPTURE(value);
  CHECK_FALSE(parse_content_range(value));
}

TEST_CASE("If-None-Match compares weakly, in lists, and takes the star") {
  struct Case {
    std::string_view value;
    bool matches;
  };
  const auto c = GENERATE(values<Case>({{"\"sha256:abc\"", true},
                                        {"W/\"sha256:abc\"", true},
                                        {"sha256:abc", true},
                                        {"*", true},
                                        {" * ", true},
                                        {"\"a\", \"sha256:abc\"", true},
                                        {"\"a\",W/\"sha256:abc\",\"b\"", true},
                                        {",, \"sha256:abc\"", true},
                                        {"\"a,\",\"sha256:abc\"", true},
                                        {"", false},
                                        {"\"\"", false},
                                        {"\"a\"", false},
                                        {"\"*\"", false},
                                        {"\"a, sha256:abc\"", false},
                                        {"\"sha256:abc", false},
                                        {"\"x\", *", false}}));
  CAPTURE(c.value);
  CHECK(matches_etag(c.value, etag) == c.matches);
}

TEST_CASE("a decided range is what counting bytes one by one would give") {
  for (std::uint64_t size = 1; size <= 6; ++size) {
    for (std::uint64_t first = 0; first <= 7; ++first) {
      for (std::uint64_t last = 0; last <= 8; ++last) {
        std::string wanted;
        for (std::uint64_t i = first; i <= last && i < size; ++i) wanted += std::to_string(i);
        const auto decision = decide("bytes=" + std::to_string(first) + "-" + std::to_string(last), size);
        std::string given;
        if (decision.kind == Kind::partial) {
          for (std::uint64_t i = decision.range.first; i <= decision.range.last; ++i) given += std::to_string(i);
        }
        CHECK(given == wanted);
        CHECK((decision.kind == Kind::unsatisfiable) == wanted.empty());
      }
    }
    for (std::uint64_t count = 1; count <= 8; ++count) {
      const auto decision = decide("bytes=-" + std::to_string(count), size);
      REQUIRE(decision.kind == Kind::partial);
      CHECK(decision.range.last == size - 1);
      CHECK(decision.range.length() == std::min(count, size));
    }
  }
}

TEST_CASE("what is written as Content-Range is read back") {
  const auto read = parse_content_range(paddock::content_range({3, 17}, 18));
  REQUIRE(read);
  CHECK(read->range == ByteRange{3, 17});
  CHECK(read->size == 18U);
  CHECK_FALSE(parse_content_range(paddock::unsatisfied_content_range(18)));
}

TEST_CASE("no text makes a range that reaches outside the blob") {
  std::mt19937 random(20240607);
  static constexpr std::string_view letters = "bytes=-0123456789, \t9";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = random() % 2 == 0 ? "bytes=" : "";
    for (unsigned length = random() % 12; length > 0; --length) text += letters[random() % letters.size()];
    const std::uint64_t size = random() % 50;
    const auto decision = decide(text, size);
    if (decision.kind != Kind::partial) continue;
    CAPTURE(text, size);
    CHECK((decision.range.first <= decision.range.last && decision.range.last < size));
  }
}
