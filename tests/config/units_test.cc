#include "config/units.h"

#include <catch2/catch.hpp>
#include <string>

using paddock::config::parse_duration;
using paddock::config::parse_size;
using paddock::config::parse_size_limit;
using paddock::config::SizeLimit;

TEST_CASE("sizes are read with and without a unit") {
  struct Case {
    std::string_view text;
    std::uint64_t bytes;
  };
  const auto c = GENERATE(values<Case>({{"0", 0},
                                        {"1", 1},
                                        {"512", 512},
                                        {"512B", 512},
                                        {"1KiB", 1024},
                                        {"5GiB", 5ULL << 30U},
                                        {"5 GiB", 5ULL << 30U},
                                        {"5GB", 5'000'000'000ULL},
                                        {"1.5MiB", 1'572'864},
                                        {"0.5KB", 500},
                                        {"2TiB", 2ULL << 40U},
                                        {"3TB", 3'000'000'000'000ULL},
                                        {"1152921504606846976", 1ULL << 60U}}));
  CAPTURE(c.text);
  const auto size = parse_size(c.text);
  REQUIRE(size);
  CHECK(*size == c.bytes);
}

TEST_CASE("what is no size is refused with how to write one") {
  const auto* const text = GENERATE("", "GiB", "5G", "5gib", "-5GiB", "+5", "5 GiB ", " 5", "5.GiB", ".5GiB", "5,5GiB",
                                    "1e9", "0x10", "5GiBs", "5GiB5", "nan", "inf", "1.5", "1.5B", "80%", "1.2.3KiB");
  CAPTURE(text);
  const auto size = parse_size(text);
  REQUIRE_FALSE(size);
  CHECK(size.error().code == paddock::ErrorCode::invalid_argument);
  CHECK(size.error().context.find("5GiB") != std::string::npos);
}

TEST_CASE("sizes that cannot be counted are refused, not wrapped") {
  const auto* const text =
      GENERATE("1152921504606846977", "2000000TiB", "18446744073709551616", "99999999999999999999");
  CAPTURE(text);
  CHECK_FALSE(parse_size(text));
  CHECK_FALSE(parse_size(std::string(400, '9')));
}

TEST_CASE("a limit is a size with its unit or a share of the disk") {
  CHECK(*parse_size_limit("80%") == SizeLimit{0, 80});
  CHECK(*parse_size_limit("12.5%") == SizeLimit{0, 12.5});
  CHECK(*parse_size_limit("100%") == SizeLimit{0, 100});
  CHECK(*parse_size_limit("200GiB") == SizeLimit{200ULL << 30U, 0});
  CHECK(*parse_size_limit("0") == SizeLimit{0, 0});
  CHECK(*parse_size_limit("4096B") == SizeLimit{4096, 0});
  const auto* const bad = GENERATE("", "%", "0%", "100.1%", "-1%", "1e1%", "80 %", "80", "1000000", "x%", "200G");
  CAPTURE(bad);
  CHECK_FALSE(parse_size_limit(bad));
}

TEST_CASE("a share is resolved against the disk") {
  CHECK(SizeLimit{0, 80}.resolve(1000) == 800);
  CHECK(SizeLimit{0, 100}.resolve(~0ULL) == ~0ULL);
  CHECK(SizeLimit{0, 12.5}.resolve(1ULL << 50U) == 1ULL << 47U);
  CHECK(SizeLimit{5, 0}.resolve(1000) == 5);
}

TEST_CASE("durations are read, units from large to small") {
  struct Case {
    std::string_view text;
    std::int64_t milliseconds;
  };
  const auto c = GENERATE(values<Case>({{"0", 0},
                                        {"0s", 0},
                                        {"500ms", 500},
                                        {"30s", 30'000},
                                        {"10m", 600'000},
                                        {"6h", 21'600'000},
                                        {"30d", 2'592'000'000},
                                        {"2w", 1'209'600'000},
                                        {"1h30m", 5'400'000},
                                        {"1m500ms", 60'500},
                                        {"1w1d1h1m1s1ms", 694'861'001}}));
  CAPTURE(c.text);
  const auto duration = parse_duration(c.text);
  REQUIRE(duration);
  CHECK(duration->count() == c.milliseconds);
}

TEST_CASE("what is no duration is refused") {
  const auto* const text =
      GENERATE("", "5", "00", "s", "5x", "5S", "-5s", "+5s", "1.5h", "30m1h", "1h1h", "5 s", "1h 30m", "s5", "5s5",
               "1y", "10min", "99999999999999999999s", "36501d", "36500d1s", "inf");
  CAPTURE(text);
  const auto duration = parse_duration(text);
  REQUIRE_FALSE(duration);
  CHECK(duration.error().code == paddock::ErrorCode::invalid_argument);
}
