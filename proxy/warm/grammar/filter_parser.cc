#include "proxy/warm/grammar/filter_parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"
#include "proxy/warm/grammar/edit_distance.h"
#include "proxy/warm/grammar/filter_words.h"
#include "proxy/warm/grammar/tag_words.h"

namespace paddock {
namespace {

using Kind = FilterWord::Kind;
using Comparison = TagTest::Comparison;
using Parsed = Result<void>;

constexpr std::size_t text_limit = 2048;
constexpr unsigned depth_limit = 32;

struct Symbol {
  std::string_view text;
  Comparison comparison;
  bool negated = false;
};

constexpr std::array<Symbol, 7> symbols{{{"==", Comparison::equal},
                                         {"!=", Comparison::equal, true},
                                         {"~", Comparison::begins_with},
                                         {"<", Comparison::less},
                                         {"<=", Comparison::less_or_equal},
                                         {">", Comparison::greater},
                                         {">=", Comparison::greater_or_equal}}};

// What people write who come from other languages.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> instead{
    {{"=", "=="}, {"!", "not"}, {"&&", "and"}, {"||", "or"}}};

std::unexpected<Error> refuse(std::size_t column, std::string_view why) {
  return fail(ErrorCode::invalid_argument, Blame::client, "column " + std::to_string(column) + ": " + std::string(why));
}

std::string shown(const FilterWord& word) {
  if (word.kind == Kind::end) return "the end";
  if (word.kind == Kind::unknown && word.text.size() > 1) return "a quote that is not closed";
  return quote(word.text, 40);
}

std::unexpected<Error> expected(std::string_view what, const FilterWord& found) {
  std::string why = "expected " + std::string(what) + ", found " + shown(found);
  const auto* const usual =
      std::ranges::find(instead, found.text, &std::pair<std::string_view, std::string_view>::first);
  if (found.kind == Kind::symbol && usual != instead.end()) why += "; write " + quote(usual->second);
  return refuse(found.column, why);
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for (const TagField& field : tag_fields()) names.push_back(field.name);
  return names;
}

bool is_number(const TagField& field) { return std::holds_alternative<TagField::Number>(field.member); }

class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : words_(text) {}

  Parsed whole() {
    if (current().kind == Kind::end) return {};
    if (Parsed parsed = either(); !parsed) return parsed;
    if (current().kind != Kind::end) return expected("'and', 'or' or the end", current());
    return {};
  }
  std::vector<std::variant<TagTest, Connective>> steps() && { return std::move(steps_); }

 private:
  [[nodiscard]] const FilterWord& current() const { return words_.current(); }

  FilterWord take() {
    const FilterWord word = current();
    words_.advance();
    return word;
  }

  bool take_if(std::string_view what) {
    if (!current().is(what)) return false;
    words_.advance();
    return true;
  }

  Parsed either() { return chain("or", Connective::either, &FilterParser::both); }
  Parsed both() { return chain("and", Connective::both, &FilterParser::operand); }

  Parsed chain(std::string_view word, Connective connective, Parsed (FilterParser::*part)()) {
    Parsed parsed = (this->*part)();
    while (parsed && take_if(word)) {
      parsed = (this->*part)();
      steps_.emplace_back(connective);
    }
    return parsed;
  }

  // The only way down again: counts the levels.
  Parsed operand() {
    if (depth_ == depth_limit) {
      return refuse(current().column, "more than " + std::to_string(depth_limit) + " levels of 'not' and parentheses");
    }
    ++depth_;
    Parsed parsed = nested();
    --depth_;
    return parsed;
  }

  Parsed nested() {
    const std::size_t column = current().column;
    if (take_if("not")) {
      if (Parsed parsed = operand(); !parsed) return parsed;
      steps_.emplace_back(Connective::negation);
      return {};
    }
    if (take_if("(")) {
      if (Parsed parsed = either(); !parsed) return parsed;
      if (take_if(")")) return {};
      return expected("'and', 'or' or the ')' for the '(' in column " + std::to_string(column), current());
    }
    return take_if("has") ? known() : comparison();
  }

  Parsed known() {
    const auto field = take_field("a field after 'has'");
    if (!field) return std::unexpected(field.error());
    steps_.emplace_back(TagTest{*field});
    return {};
  }

  Parsed comparison() {
    const auto field = take_field("a field, 'has', 'not' or '('");
    if (!field) return std::unexpected(field.error());
    TagTest test{*field};
    const std::size_t column = current().column;
    const bool negated = take_if("not");
    if (take_if("in")) {
      if (Parsed parsed = values_in_list(test); !parsed) return parsed;
      return add(std::move(test), negated);
    }
    const auto* const symbol = std::ranges::find_if(symbols, [&](const Symbol& s) { return current().is(s.text); });
    if (negated || symbol == symbols.end()) {
      return expected(negated ? "'in' after 'not'" : "one of == != < <= > >= ~ in", current());
    }
    words_.advance();
    test.comparison = symbol->comparison;
    if (!is_number(**field) && test.comparison > Comparison::begins_with) {
      return refuse(column, quote((*field)->name) + " is a name, which has no order; compare it by ==, !=, ~ or in");
    }
    if (Parsed parsed = value(test); !parsed) return parsed;
    return add(std::move(test), symbol->negated);
  }

  Parsed add(TagTest&& test, bool negated) {
    steps_.emplace_back(std::move(test));
    if (negated) steps_.emplace_back(Connective::negation);
    return {};
  }

  Result<const TagField*> take_field(std::string_view what) {
    const FilterWord word = current();
    static constexpr std::array<std::string_view, 4> keywords{"and", "or", "in", "not"};
    if (word.kind != Kind::word || std::ranges::find(keywords, word.text) != keywords.end())
      return expected(what, word);
    words_.advance();
    if (const TagField* field = find_tag_field(lower_case(word.text))) return field;
    const std::vector<std::string_view> names = field_names();
    const std::string hint = did_you_mean(lower_case(word.text), names);
    return refuse(word.column, "unknown field " + quote(word.text, 40) + (hint.empty() ? ": " + listed(names) : hint));
  }

  Parsed values_in_list(TagTest& test) {
    test.comparison = Comparison::equal;
    if (!take_if("(")) return expected("'(' after 'in'", current());
    do {
      if (Parsed parsed = value(test); !parsed) return parsed;
    } while (take_if(","));
    return take_if(")") ? Parsed{} : expected("',' or ')'", current());
  }

  Parsed value(TagTest& test) {
    const FilterWord word = take();
    if (is_number(*test.field)) {
      auto number = word.kind == Kind::word || word.kind == Kind::quoted ? Version::parse(word.text) : std::nullopt;
      if (!number) return expected("a version such as 11.7, 3.0.0rc1 or latest", word);
      test.values.emplace_back(std::move(*number));
      return {};
    }
    if (word.kind != Kind::word && word.kind != Kind::quoted) return expected("a name", word);
    return name(test, word);
  }

  static Parsed name(TagTest& test, const FilterWord& word) {
    std::string text = lower_case(word.text);
    if (test.field->name == "arch") text = tag_words::architecture(text).value_or(text);
    const auto& known = test.field->values;
    const bool open = known.empty() || test.comparison == Comparison::begins_with;
    if (!open && std::ranges::find(known, text) == known.end()) {
      return refuse(word.column, "unknown " + std::string(test.field->name) + " " + quote(word.text, 40) +
                                     did_you_mean(text, known) + ": " + listed(known));
    }
    test.values.emplace_back(std::move(text));
    return {};
  }

  FilterWords words_;
  std::vector<std::variant<TagTest, Connective>> steps_;
  unsigned depth_ = 0;
};

}  // namespace

Result<std::vector<std::variant<TagTest, Connective>>> parse_filter(std::string_view text) {
  if (text.size() > text_limit) {
    return refuse(text_limit + 1, "it is " + std::to_string(text.size()) + " bytes long, " +
                                      std::to_string(text_limit) + " are allowed");
  }
  FilterParser parser(text);
  if (Parsed parsed = parser.whole(); !parsed) return std::unexpected(parsed.error());
  return std::move(parser).steps();
}

}  // namespace paddock
