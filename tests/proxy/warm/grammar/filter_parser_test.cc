#include "proxy/warm/grammar/filter_parser.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "proxy/warm/grammar/tag_filter.h"

using Catch::Matchers::Contains;
using paddock::Blame;
using paddock::ErrorCode;
using paddock::TagFilter;

TEST_CASE("an error names the column, what was found and what to write") {
  struct Case {
    std::string text, error;
  };
  const auto c = GENERATE(values<Case>({
      {"cudda >= 11.7", "column 1: unknown field 'cudda' (did you mean 'cuda'?)"},
      {"cuda >= 11.7 and flavur != dev", "column 18: unknown field 'flavur' (did you mean 'flavour'?)"},
      {"colour == red", "column 1: unknown field 'colour': version, device, cuda,"},
      {"cuda = 11.7", "column 6: expected one of == != < <= > >= ~ in, found '='; write '=='"},
      {"cuda 11.7", "column 6: expected one of == != < <= > >= ~ in, found '11.7'"},
      {"cuda", "column 5: expected one of == != < <= > >= ~ in, found the end"},
      {"cuda >=", "column 8: expected a version such as 11.7, 3.0.0rc1 or latest, found the end"},
      {"cuda >= eleven", "column 9: expected a version such as 11.7, 3.0.0rc1 or latest, found 'eleven'"},
      {"cuda >= and", "column 9: expected a version such as 11.7, 3.0.0rc1 or latest, found 'and'"},
      {"cuda == 11.*", "column 9: expected a version such as 11.7, 3.0.0rc1 or latest, found '11.'"},
      {"cuda == '11.x'", "column 9: expected a version such as 11.7, 3.0.0rc1 or latest, found '11.x'"},
      {"cuda not 11", "column 10: expected 'in' after 'not', found '11'"},
      {"device < gpu", "column 8: 'device' is a name, which has no order; compare it by ==, !=, ~ or in"},
      {"device == gpuu", "column 11: unknown device 'gpuu' (did you mean 'gpu'?): cpu, gpu, npu"},
      {"flavour != develop", "column 12: unknown flavour 'develop' (did you mean 'devel'?): dev, devel, runtime"},
      {"arch == sparc", "column 9: unknown arch 'sparc': amd64, arm64"},
      {"device == ,", "column 11: expected a name, found ','"},
      {"device in gpu", "column 11: expected '(' after 'in', found 'gpu'"},
      {"device in (gpu", "column 15: expected ',' or ')', found the end"},
      {"device in (gpu cpu)", "column 16: expected ',' or ')', found 'cpu'"},
      {"device in ()", "column 12: expected a name, found ')'"},
      {"cuda in (11,)", "column 13: expected a version"},
      {"has", "column 4: expected a field after 'has', found the end"},
      {"has not cuda", "column 5: expected a field after 'has', found 'not'"},
      {"(has cuda", "column 10: expected 'and', 'or' or the ')' for the '(' in column 1, found the end"},
      {"has cuda)", "column 9: expected 'and', 'or' or the end, found ')'"},
      {"has cuda has os", "column 10: expected 'and', 'or' or the end, found 'has'"},
      {"has cuda && has os", "column 10: expected 'and', 'or' or the end, found '&&'; write 'and'"},
      {"has cuda || has os", "column 10: expected 'and', 'or' or the end, found '||'; write 'or'"},
      {"!has cuda", "column 1: expected a field, 'has', 'not' or '(', found '!'; write 'not'"},
      {"and has cuda", "column 1: expected a field, 'has', 'not' or '(', found 'and'"},
      {"has cuda and", "column 13: expected a field, 'has', 'not' or '(', found the end"},
      {"()", "column 2: expected a field, 'has', 'not' or '(', found ')'"},
      {"device == 'gpu", "column 11: expected a name, found a quote that is not closed"},
      {"'device' == gpu", "column 1: expected a field, 'has', 'not' or '(', found 'device'"},
      {"  \t;", "column 4: expected a field, 'has', 'not' or '(', found ';'"},
      {"cuda == 11\nor\ncudda == 1", "column 15: unknown field 'cudda'"},
  }));
  CAPTURE(c.text);
  const auto filter = TagFilter::parse(c.text);
  REQUIRE_FALSE(filter);
  CHECK(filter.error().code == ErrorCode::invalid_argument);
  CHECK(filter.error().blame == Blame::client);
  CHECK_THAT(filter.error().context, Contains("filter: " + c.error));
}

TEST_CASE("an error shows hostile text shortened and without control characters") {
  const auto filter = TagFilter::parse("\x1b[31m");
  REQUIRE_FALSE(filter);
  CHECK(filter.error().context.find('\x1b') == std::string::npos);
  const auto word = TagFilter::parse(std::string(2000, 'x'));
  REQUIRE_FALSE(word);
  CHECK(word.error().context.size() < 400);
}

TEST_CASE("a filter has a greatest length and depth") {
  const std::string test = "has cuda";
  CHECK(TagFilter::parse(test + std::string(2048 - test.size(), ' ')));
  const auto longer = TagFilter::parse(test + std::string(2049 - test.size(), ' '));
  REQUIRE_FALSE(longer);
  CHECK_THAT(longer.error().context, Contains("it is 2049 bytes long, 2048 are allowed"));

  const auto nested = [&](std::size_t levels) { return std::string(levels, '(') + test + std::string(levels, ')'); };
  CHECK(TagFilter::parse(nested(31)));
  const auto deeper = TagFilter::parse(nested(32));
  REQUIRE_FALSE(deeper);
  CHECK_THAT(deeper.error().context, Contains("column 33: more than 32 levels"));
  CHECK_FALSE(TagFilter::parse(std::string(1'000'000, '(')));
  std::string nots;
  for (int i = 0; i < 400; ++i) nots += "not ";
  CHECK_FALSE(TagFilter::parse(nots + test));
}

TEST_CASE("many conditions side by side are not deep") {
  std::string text = "has cuda";
  while (text.size() < 1900) text += " and (has cuda or not has os)";
  CHECK(TagFilter::parse(text));
}

TEST_CASE("whatever is written is either refused with a column inside of it, or can be asked") {
  std::mt19937 random(17);
  static constexpr std::array<std::string_view, 34> pieces{
      "cuda", "device", "flavour", "version", "arch",  "has",      "not",          "and",
      "or",   "in",     "(",       ")",       ",",     "==",       "!=",           "~",
      "<",    ">=",     "11.7",    "gpu",     "dev",   "'",        "latest",       "=",
      "!",    "x",      "\"",      "\xff",    "arm64", "has cuda", "cuda >= 11.7", "device == gpu",
      "and",  "or"};
  const auto fields = paddock::parse_tag("paddlepaddle/paddle", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4");
  int accepted = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (unsigned length = random() % 8; length > 0; --length) {
      text.append(pieces[random() % pieces.size()]).append(random() % 4 == 0 ? "" : " ");
    }
    const auto filter = TagFilter::parse(text);
    if (filter) {
      ++accepted;
      // Put in parentheses and negated twice, it says the same.
      const auto again = TagFilter::parse("not (not (" + text + "))");
      if (text.find_first_not_of(' ') == std::string::npos) continue;
      if (!again || again->matches(fields) != filter->matches(fields)) FAIL(text);
      continue;
    }
    const std::string& error = filter.error().context;
    const std::size_t at = error.find("column ");
    if (at == std::string::npos) FAIL(error);
    const std::size_t column = std::stoul(error.substr(at + 7));
    if (column < 1 || column > text.size() + 1) FAIL(error);
  }
  CHECK(accepted > 2'000);
}
