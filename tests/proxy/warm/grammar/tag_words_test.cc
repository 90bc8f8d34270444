#include "proxy/warm/grammar/tag_words.h"

#include <catch2/catch.hpp>
#include <string>

using namespace paddock::tag_words;

TEST_CASE("points are put into numbers as each kind has them") {
  CHECK(with_points("118", Digits::toolkit) == "11.8");
  CHECK(with_points("1162", Digits::toolkit) == "11.6.2");
  CHECK(with_points("11", Digits::toolkit) == "11");
  CHECK(with_points("82", Digits::toolkit) == "8.2");
  CHECK(with_points("701", Digits::each) == "7.0.1");
  CHECK(with_points("80rc1", Digits::each) == "8.0rc1");
  CHECK(with_points("310", Digits::language) == "3.10");
  CHECK(with_points("39", Digits::language) == "3.9");
  CHECK(with_points("120", Digits::whole) == "120");
}

TEST_CASE("numbers that have points, or one digit, or none, stay as they are") {
  for (const Digits digits : {Digits::whole, Digits::each, Digits::toolkit, Digits::language}) {
    CHECK(with_points("", digits).empty());
    CHECK(with_points("8", digits) == "8");
    CHECK(with_points("12.6", digits) == "12.6");
    CHECK(with_points("x12", digits) == "x12");
    CHECK(with_points("24.04.1", digits) == "24.04.1");
  }
}

TEST_CASE("words in front of numbers are found whole") {
  REQUIRE(find_number_word("cuda") != nullptr);
  CHECK(find_number_word("cuda")->device == "gpu");
  CHECK(find_number_word("cann")->device == "npu");
  CHECK(find_number_word("gcc")->device.empty());
  CHECK(find_number_word("paddlex")->is_product);
  CHECK_FALSE(find_number_word("cuda")->is_product);
  CHECK(find_number_word("cud") == nullptr);
  CHECK(find_number_word("cudaa") == nullptr);
  CHECK(find_number_word("") == nullptr);
}

TEST_CASE("the device that a word needs is one of the devices, and each SDK is a word") {
  for (const std::string_view sdk : sdk_names) {
    REQUIRE(find_number_word(sdk) != nullptr);
    CHECK(std::ranges::find(devices, find_number_word(sdk)->device) != devices.end());
    CHECK(is_sdk(sdk));
  }
  CHECK_FALSE(is_sdk("cuda"));
}

TEST_CASE("architectures have their usual names") {
  CHECK(architecture("x86_64") == "amd64");
  CHECK(architecture("aarch_64") == "arm64");
  CHECK(architecture("aarch64") == "arm64");
  CHECK_FALSE(architecture("sparc"));
  CHECK_FALSE(architecture(""));
}

TEST_CASE("operating systems are known by name, with a version or without") {
  for (const char* const name :
       {"ubuntu", "ubuntu20", "ubuntu20.04", "kylinv10", "euleros", "openeuler22.03", "centos7"}) {
    CAPTURE(name);
    CHECK(is_os(name));
  }
  for (const char* const name : {"", "ubuntux", "buntu20", "20ubuntu", "kylinv", "windows"}) {
    CAPTURE(name);
    CHECK_FALSE(is_os(name));
  }
}

TEST_CASE("chips and commits have their shapes") {
  CHECK(is_chip("910b"));
  CHECK(is_chip("910b3"));
  CHECK(is_chip("310p"));
  for (const char* const other : {"910", "910bb", "910b33", "911b", "9100", "91", ""}) CHECK_FALSE(is_chip(other));
  CHECK(is_commit("0006f78"));
  CHECK(is_commit("da39a3ee5e6b4b0d3255bfef95601890afd80709"));
  for (const char* const other : {"", "0006f7", "0006f78a", "1234567", "abcdefa", "0006g78", "0006F78"}) {
    CHECK_FALSE(is_commit(other));
  }
}
