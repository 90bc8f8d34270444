#include "proxy/warm/ci/github_expression.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace paddock::ci {
namespace {

using std::string_view;

constexpr int depth_limit = 16;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }
bool is_true(const Reading& value) { return !value.text.empty() && value.text != "false" && value.text != "0"; }
bool is_unset(const Reading& value) { return value.unknown && value.unknown->kind == UnresolvedKind::unset_variable; }

class Parser {
 public:
  Parser(string_view text, const Context& context) : all_(text), text_(text), context_(context) {}

  Reading run() {
    Reading value = any_of(0);
    skip_blanks();
    if (!text_.empty()) failed_ = true;
    return failed_ ? beyond() : value;
  }

 private:
  // What is not set counts as false; what is only not known makes the whole unknown.
  Reading any_of(int depth) {
    Reading value = all_of(depth);
    while (take("||")) {
      Reading other = all_of(depth);
      if (is_unset(value) || (!value.unknown && !is_true(value))) value = std::move(other);
    }
    return value;
  }

  Reading all_of(int depth) {
    Reading value = compared(depth);
    while (take("&&")) {
      Reading other = compared(depth);
      if (!value.unknown && is_true(value)) value = std::move(other);
    }
    return value;
  }

  Reading compared(int depth) {
    Reading value = operand(depth);
    const bool equal = take("==");
    if (!equal && !take("!=")) return value;
    Reading other = operand(depth);
    if (value.unknown) return value;
    if (other.unknown) return other;
    return truth((value.text == other.text) == equal);
  }

  Reading operand(int depth) {
    skip_blanks();
    if (depth > depth_limit || text_.empty()) return fail_here();
    if (take("(")) {
      Reading value = any_of(depth + 1);
      return take(")") ? value : fail_here();
    }
    if (text_.starts_with('!') && !text_.starts_with("!=")) {
      text_.remove_prefix(1);
      Reading value = operand(depth + 1);
      return value.unknown ? value : truth(!is_true(value));
    }
    if (text_.front() == '\'') return literal();
    return word(depth);
  }

  Reading literal() {
    std::string out;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == '\'' && (i + 1 >= text_.size() || text_[i + 1] != '\'')) {
        text_.remove_prefix(i + 1);
        return {std::move(out)};
      }
      if (text_[i] == '\'') ++i;  // two stand for one
      out += text_[i];
    }
    return fail_here();
  }

  // A number, a keyword, a context, or a function's call.
  Reading word(int depth) {
    std::string path;
    while (!text_.empty()) {
      if (is_word(text_.front()) || text_.front() == '.' || text_.front() == '*') {
        path += text_.front();
        text_.remove_prefix(1);
      } else if (text_.starts_with("['")) {
        text_.remove_prefix(1);
        path.append(".").append(literal().text);
        if (!take("]")) return fail_here();
      } else {
        break;
      }
    }
    if (path.empty()) return fail_here();
    if (take("(")) return call(path, depth);
    if (path == "null") return {""};
    if (path == "true" || path == "false" || std::isdigit(static_cast<unsigned char>(path.front())) != 0) return {path};
    return context_(path);
  }

  Reading call(const std::string& name, int depth) {
    std::vector<Reading> arguments;
    while (!take(")")) {
      if (text_.empty() || failed_) return fail_here();
      arguments.push_back(any_of(depth + 1));
      take(",");
    }
    const auto unknown =
        std::ranges::find_if(arguments, [](const Reading& value) { return value.unknown.has_value(); });
    if (unknown != arguments.end()) return *unknown;
    if (name != "format" || arguments.empty()) return beyond();
    std::string out;
    const std::string& format = arguments.front().text;
    for (std::size_t i = 0; i < format.size(); ++i) {
      const std::size_t index = i + 2 < format.size() && format[i] == '{' && format[i + 2] == '}' &&
                                        std::isdigit(static_cast<unsigned char>(format[i + 1])) != 0
                                    ? static_cast<std::size_t>(format[i + 1] - '0') + 1
                                    : 0;
      if (index == 0) {
        out += format[i];
        continue;
      }
      if (index >= arguments.size()) return fail_here();
      out += arguments[index].text;
      i += 2;
    }
    return {std::move(out)};
  }

  bool take(string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void skip_blanks() { text_ = trimmed(text_); }

  static Reading truth(bool value) { return {value ? "true" : "false"}; }
  Reading fail_here() {
    failed_ = true;
    text_ = {};
    return beyond();
  }
  [[nodiscard]] Reading beyond() const {
    return Reading::not_known(UnresolvedKind::expression, "${{ " + std::string(all_) + " }} is not evaluated");
  }

  string_view all_;
  string_view text_;
  const Context& context_;
  bool failed_ = false;
};

}  // namespace

Reading evaluate_github(string_view expression, const Context& context) { return Parser(expression, context).run(); }

}  // namespace paddock::ci
