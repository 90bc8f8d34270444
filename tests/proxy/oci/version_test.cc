#include "proxy/oci/version.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using paddock::Version;
using Stage = paddock::Version::Stage;

namespace {

Version version(std::string_view text) {
  auto parsed = Version::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("versions as images, toolkits and drivers carry them are taken apart") {
  CHECK(version("12").parts() == 1);
  const Version driver = version("450.80.02");
  CHECK(driver.parts() == 3);
  CHECK(driver.part(0) == 450);
  CHECK(driver.part(2) == 2);
  CHECK(driver.part(3) == 0);
  CHECK(driver.part(99) == 0);
  CHECK(version("8.4.0.6").parts() == 4);
  CHECK(version("v1.2").part(1) == 2);
  CHECK(version("3.0.0rc1").stage() == Stage::rc);
  CHECK(version("3.0.0rc1").parts() == 3);
  CHECK(version("2.3.0-rc0").stage() == Stage::rc);
  CHECK(version("3.0.0b2").stage() == Stage::beta);
  CHECK(version("1.0-BETA2").stage() == Stage::beta);
  CHECK(version("5.0.2.alpha005").stage() == Stage::alpha);
  CHECK(version("8.0T13").stage() == Stage::test);
  CHECK(version("1.0.0").stage() == Stage::release);
  CHECK(version("latest").is_latest());
  CHECK(version("LATEST").is_latest());
  CHECK(version("latest").parts() == 0);
  CHECK_FALSE(version("1").is_latest());
}

TEST_CASE("a version is shown as it was written") {
  const auto* const text = GENERATE("450.80.02", "24.04.1", "2.3.0-rc0", "v1", "latest", "8.0T13");
  CHECK(version(text).to_string() == text);
}

TEST_CASE("what is no version parses to nothing") {
  const auto* const text = GENERATE(
      "", ".", "v", "rc1", "a", "1.", ".1", "1..2", "1.2.3.4.5.6.7", "1234567890", "1.2rc", "1.2rc1x", "1.2rcx",
      "1.2x3", "1.2 ", " 1.2", "-1", "+1", "1,2", "1.2-", "1.2--rc1", "latest1", "latestt", "0x10", "1.2rc1.3", "1e5",
      "d41d8cd98f00b204e9800998ecf8427e", "1.2post3", "vv1", "1.2rc1234567890", "\xc3\xa4", "1.*");
  CAPTURE(text);
  CHECK_FALSE(Version::parse(text));
}

TEST_CASE("a NUL and a text without end are no version either") {
  CHECK_FALSE(Version::parse(std::string("1\0", 2)));
  CHECK_FALSE(Version::parse(std::string(100'000, '1')));
  std::string many = "1";
  for (int i = 0; i < 100'000; ++i) many += ".1";
  CHECK_FALSE(Version::parse(many));
}

TEST_CASE("versions are ordered number by number, pre-releases before the release, latest last") {
  const std::array<std::string_view, 22> rising{
      "0",       "0.9",         "1.8.5",   "2.0.2",    "2.5.0rc1",  "2.5",        "2.6.2",    "2.10",
      "3.0.0a1", "3.0.0alpha2", "3.0.0T2", "3.0.0T13", "3.0.0b0",   "3.0.0beta1", "3.0.0rc0", "3.0-rc1",
      "3",       "3.0.0.1",     "9.13",    "450.80.2", "525.60.13", "latest"};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    for (std::size_t j = 0; j < rising.size(); ++j) {
      CAPTURE(rising[i], rising[j]);
      CHECK((version(rising[i]) < version(rising[j])) == (i < j));
      CHECK((version(rising[i]) == version(rising[j])) == (i == j));
    }
  }
}

TEST_CASE("missing parts and leading zeros make no difference") {
  CHECK(version("12") == version("12.0"));
  CHECK(version("12") == version("12.0.0.0"));
  CHECK(version("450.80.02") == version("450.80.2"));
  CHECK(version("v2.6") == version("2.6.0"));
  CHECK(version("2.3.0-rc0") == version("2.3rc0"));
  CHECK(version("1.0alpha5") == version("1.0.a005"));
  CHECK(version("11.8") < version("12"));
  CHECK(version("9.9") < version("9.13"));
  CHECK(version("12.0.1") > version("12"));
}

TEST_CASE("a prefix is one of parts, not of letters") {
  struct Case {
    std::string_view text, prefix;
    bool begins;
  };
  const auto c = GENERATE(values<Case>({{"2.6.2", "2.6", true},
                                        {"2.6.2", "2", true},
                                        {"2.6.2", "2.6.2", true},
                                        {"2.6", "2.6.0", true},
                                        {"2.6.2", "2.6.2.1", false},
                                        {"2.60", "2.6", false},
                                        {"12.0", "1", false},
                                        {"11.8", "12", false},
                                        {"3.0.0rc1", "3.0", true},
                                        {"3.0.0rc1", "3.0.0", true},
                                        {"3.0.0rc1", "3.0.0rc1", true},
                                        {"3.0.0rc1", "3.0.0rc", false},
                                        {"3.0.0rc12", "3.0.0rc1", false},
                                        {"3.0.0", "3.0.0rc1", false},
                                        {"latest", "2", false},
                                        {"2", "latest", false},
                                        {"latest", "latest", true}}));
  CAPTURE(c.text, c.prefix);
  const auto prefix = Version::parse(c.prefix);
  CHECK((prefix && version(c.text).begins_with(*prefix)) == c.begins);
}

TEST_CASE("the order is a strict weak one, and what is equal begins with the other") {
  std::mt19937 random(7);
  static constexpr std::array<std::string_view, 14> pieces{"0", "1", "2", "9",  "10", "00", "80",
                                                           ".", ".", ".", "rc", "b",  "v",  "latest"};
  std::vector<Version> versions;
  for (int round = 0; round < 20'000 && versions.size() < 150; ++round) {
    std::string text;
    for (unsigned length = 1 + random() % 7; length > 0; --length) text += pieces[random() % pieces.size()];
    if (auto parsed = Version::parse(text)) versions.push_back(std::move(*parsed));
  }
  REQUIRE(versions.size() == 150);
  bool holds = true;
  for (const Version& a : versions) {
    holds = holds && a == a && !(a < a);
    for (const Version& b : versions) {
      holds = holds && (a < b) == (b > a) && ((a < b) + (b < a) + (a == b) == 1);
      if (a == b) holds = holds && a.begins_with(b) && b.begins_with(a);
      for (const Version& c : versions) {
        if (a < b && b < c) holds = holds && a < c;
        if (a == b && b == c) holds = holds && a == c;
      }
    }
  }
  CHECK(holds);
}

TEST_CASE("whatever parses, parses again from its own text to the same") {
  std::mt19937 random(11);
  static constexpr std::string_view letters = "0123456789..rcbatv-_elpsTX ";
  int parsed_count = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (unsigned length = random() % 9; length > 0; --length) text += letters[random() % letters.size()];
    const auto parsed = Version::parse(text);
    if (!parsed) continue;
    ++parsed_count;
    const auto again = Version::parse(parsed->to_string());
    if (!again || *again != *parsed) FAIL(text);
  }
  CHECK(parsed_count > 1000);
}

TEST_CASE("stages have names") {
  CHECK(to_string(Stage::alpha) == "alpha");
  CHECK(to_string(Stage::test) == "test");
  CHECK(to_string(Stage::beta) == "beta");
  CHECK(to_string(Stage::rc) == "rc");
  CHECK(to_string(Stage::release) == "release");
}
