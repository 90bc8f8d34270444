#include "proxy/oci/strict_json.h"

#include <catch2/catch.hpp>
#include <string>

using paddock::ErrorCode;
using paddock::parse_strict_json;

namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string reason(std::string_view text, paddock::JsonLimits limits = {}) {
  const auto value = parse_strict_json(text, limits);
  REQUIRE_FALSE(value);
  CHECK(value.error().code == ErrorCode::protocol);
  CHECK(value.error().blame == paddock::Blame::upstream);
  return value.error().context;
}

}  // namespace

TEST_CASE("JSON within the limits is read") {
  const auto value = parse_strict_json(R"({"a": [1, -2, 3.5, true, null, "x"], "b": {"a": 1}})");
  REQUIRE(value);
  CHECK((*value)["a"].size() == 6);
  CHECK(parse_strict_json(nested(64)));
  CHECK(parse_strict_json("[1,2]", {.depth = 1, .values = 3}));
}

TEST_CASE("nesting beyond the limit is refused") {
  CHECK(reason(nested(65)) == "nested more than 64 deep");
  CHECK(reason(R"({"a":{"a":{}}})", {.depth = 2}) == "nested more than 2 deep");
}

TEST_CASE("four MiB of open brackets cost nothing") {
  const std::string brackets(4U << 20U, '[');
  CHECK(reason(brackets) == "nested more than 64 deep");
  std::string objects;
  while (objects.size() < (4U << 20U)) objects += R"({"a":)";
  CHECK(reason(objects) == "nested more than 64 deep");
}

TEST_CASE("more values than the limit are refused") {
  CHECK(reason("[1,2,3]", {.values = 3}) == "more than 3 values");
  std::string many = "[0";
  for (int i = 0; i < 600'000; ++i) many += ",0";
  CHECK(reason(many + "]") == "more than 500000 values");
}

TEST_CASE("a key given twice is refused, at any level, however it is escaped") {
  CHECK(reason(R"({"a":1,"a":2})") == "the key 'a' occurs twice in an object");
  CHECK(reason(R"([{"b":{"a":1,"\u0061":2}}])") == "the key 'a' occurs twice in an object");
  CHECK(parse_strict_json(R"([{"a":1},{"a":{"a":1}}])"));
}

TEST_CASE("what is not JSON is refused with the place") {
  const auto* const text = GENERATE("", " ", "{", "}", "{\"a\"}", "[1,]", "nul", "'a'", "<html></html>", "{} {}",
                                    "\xff", "\"\xc3\"", "[1e99999]", "{a:1}", "[01]", "\"\n\"");
  CAPTURE(text);
  CHECK(reason(text).starts_with("not JSON at byte "));
}

TEST_CASE("a NUL byte does not end the text") { CHECK(reason(std::string_view("{}\0{", 4)).starts_with("not JSON")); }
