#include "proxy/host/driver_version.h"

#include <catch2/catch.hpp>
#include <limits>

namespace paddock {
namespace {

DottedVersion version(std::string_view text) { return DottedVersion::parse(text).value(); }
DriverVersion driver(std::string_view text) { return DriverVersion::parse(text).value(); }

TEST_CASE("versions are compared number by number") {
  CHECK(version("450.80.02") < version("450.80.10"));
  CHECK(version("450.80.02") == version("450.80.2"));
  CHECK(version("525.60.13") > version("525.6.130"));
  CHECK(version("535.104.05") > version("535.54.03"));  // as text and as floating point it would be less
  CHECK(version("570.26") < version("570.124.06"));
  CHECK(version("12.10") > version("12.9"));
  CHECK(version("1000.1") > version("999.9"));
}

TEST_CASE("zeros at the end do not count") {
  CHECK(version("12") == version("12.0"));
  CHECK(version("12.0.0") == version("12.0"));
  CHECK(version("12.0.1") > version("12"));
  CHECK(CudaVersion(12, 0) == version("12.0.0"));
}

TEST_CASE("a version keeps how it was written") {
  CHECK(version("450.80.02").text() == "450.80.02");
  CHECK(version("12.1.1").major_minor().text() == "12.1");
  CHECK(version("11").major_minor().text() == "11.0");
  CHECK(version("11").field(7) == 0);
}

TEST_CASE("what is no version is refused, with how to write one") {
  const auto* const text = GENERATE("", ".", "1.", ".1", "1..2", "v1", "1.x", "-1", "+1", " 1", "1 ", "1,2", "0x10",
                                    "1234567890", "1.2.3.4.5.6.7", "470.82.01\n", "4e2", "\xff");
  const auto parsed = DottedVersion::parse(text);
  INFO(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::invalid_argument);
  CHECK_THAT(parsed.error().context, Catch::Matchers::Contains("as 470.82.01"));
}

TEST_CASE("a long text that is no version is not repeated in full") {
  CHECK(DottedVersion::parse(std::string(100'000, '1')).error().context.size() < 200);
}

TEST_CASE("a driver is at least what is not newer than it") {
  CHECK(driver("450.80.02").at_least(version("450.80.02")));
  CHECK(driver("470.82.01").at_least(version("450.80.02")));
  CHECK_FALSE(driver("450.51.06").at_least(version("450.80.02")));
  CHECK(driver("450.80.02").surely_at_least(version("450.80.02")));
}

TEST_CASE("a number alone is a branch: some of its releases are new enough, others may not be") {
  CHECK(driver("450").is_branch());
  CHECK_FALSE(driver("450.80").is_branch());
  CHECK(driver("450").at_least(version("450.80.02")));
  CHECK_FALSE(driver("450").surely_at_least(version("450.80.02")));
  CHECK(driver("470").surely_at_least(version("450.80.02")));
  CHECK_FALSE(driver("440").at_least(version("450.80.02")));
}

}  // namespace
}  // namespace paddock
