#include "proxy/warm/ci/reading.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace paddock::ci {
namespace {

const std::map<std::string, Readings, std::less<>> values{
    {"A", {{"1"}}},
    {"EMPTY", {{""}}},
    {"TWO", {{"x"}, {"y"}}},
    {"LATER", {Reading::not_known(UnresolvedKind::run_time, "later")}}};

std::optional<Readings> lookup(std::string_view name) {
  const auto found = values.find(name);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

// Its texts, "?kind" for what is unknown, joined by blanks.
std::string show(const Readings& readings) {
  std::string out;
  for (const Reading& reading : readings) {
    if (!out.empty()) out += ' ';
    out += reading.unknown ? '?' + std::string(to_string(reading.unknown->kind)) : reading.text;
  }
  return out;
}
std::string expanded(const std::string& text, Dialect dialect = Dialect::shell) {
  return show(expand_variables(text, dialect, lookup));
}

}  // namespace

TEST_CASE("variables are filled in, each dialect by its rules") {
  CHECK(expanded("a$A-${A}b") == "a1-1b");
  CHECK(expanded("$NOBODY") == "?unset-variable");
  CHECK(expanded("x$LATER") == "?run-time");
  CHECK(expanded("$$A", Dialect::gitlab) == "$A");
  CHECK(expanded("$${A}", Dialect::compose) == "${A}");
  CHECK(expanded("a$", Dialect::compose) == "a$");
  CHECK(expanded("a$/b", Dialect::dockerfile) == "a$/b");
  CHECK(expanded("$A", Dialect::gitlab) == "1");
}

TEST_CASE("defaults and alternatives follow the shell's operators") {
  CHECK(expanded("${NO:-d}") == "d");
  CHECK(expanded("${NO-d}") == "d");
  CHECK(expanded("${1:-d}") == "d");
  CHECK(expanded("${EMPTY:-d}") == "d");
  CHECK(expanded("${EMPTY-d}").empty());
  CHECK(expanded("${A:-d}") == "1");
  CHECK(expanded("${NO:=d}") == "d");
  CHECK(expanded("${A:+yes}") == "yes");
  CHECK(expanded("${EMPTY:+yes}").empty());
  CHECK(expanded("${EMPTY+yes}") == "yes");
  CHECK(expanded("${NO:+yes}").empty());
  CHECK(expanded("${NO:?say it}") == "?unset-variable");
  CHECK(expanded("${EMPTY:?say it}") == "?unset-variable");
  CHECK(expanded("${A:?say it}") == "1");
  CHECK(expanded("${NO:-${ALSO:-$A}}") == "1");
  CHECK(expanded("${LATER:-d}") == "?run-time");
  CHECK(expanded("${A:-d}", Dialect::gitlab) == "?expression");
}

TEST_CASE("what a shell would have to run is not guessed") {
  CHECK(expanded("x:$(date)") == "?run-time");
  CHECK(expanded("x:`date`") == "?run-time");
  CHECK(expanded("${A%%:*}") == "?expression");
  CHECK(expanded("${#A}") == "?expression");
  CHECK(expanded("${!A}") == "?expression");
  CHECK(expanded("$1") == "?unset-variable");
  CHECK(expanded("$@") == "?unset-variable");
  CHECK(expanded("${A") == "?expression");
}

TEST_CASE("alternatives make a reading each, and a name has one value in a text") {
  CHECK(expanded("$TWO:$TWO") == "x:x y:y");
  CHECK(expanded("${TWO}-$A") == "x-1 y-1");
  CHECK(expanded("${TWO:-z}") == "x y");
}

TEST_CASE("a list without items gives no value") {
  const auto none = [](std::string_view) { return Readings(); };
  CHECK(show(expand_variables("a$X-$X-${X:-d}", Dialect::shell, none)) == "?unset-variable");
  CHECK(show(expand_marked("<a><b>", "<", ">", none)) == "?unset-variable");
}

TEST_CASE("marked expressions are handed to whoever knows them") {
  std::vector<std::string> asked;
  const auto evaluate = [&](std::string_view inner) {
    asked.emplace_back(inner);
    return Readings{{"v"}};
  };
  CHECK(show(expand_marked("a:${{ matrix.x }}-${{matrix.x}}", "${{", "}}", evaluate)) == "a:v-v");
  CHECK(asked == std::vector<std::string>{"matrix.x"});
  CHECK(show(expand_marked("plain", "${{", "}}", evaluate)) == "plain");
  CHECK(show(expand_marked("open ${{ x", "${{", "}}", evaluate)) == "open ${{ x");
}

TEST_CASE("texts, names and combinations are limited") {
  CHECK(expanded(std::string(5000, 'x')) == "?expression");
  std::string names;
  for (int i = 0; i < 300; ++i) names += "$V" + std::to_string(i);
  CHECK(show(expand_variables(names, Dialect::shell, [](auto) { return Readings{{"1"}}; })) == "?too-many");
  Readings hundred(100, {"x"});
  CHECK(show(expand_variables("$A$B", Dialect::shell, [&](auto) { return hundred; })) == "?too-many");
}

TEST_CASE("names and blanks") {
  CHECK(is_name("A_1"));
  CHECK_FALSE(is_name("1A"));
  CHECK_FALSE(is_name(""));
  CHECK_FALSE(is_name("A-B"));
  CHECK(trimmed(" \t x y\r\n") == "x y");
  CHECK(trimmed(" \n").empty());
}

}  // namespace paddock::ci
