#include "proxy/host/toml.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

namespace paddock {
namespace {

constexpr std::size_t depth_limit = 16;  // of arrays and inline tables
constexpr std::size_t tables_limit = 10'000;

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<TomlTable>> parse() {
    tables_.push_back({});
    for (skip_blank_lines(); at_ < text_.size(); skip_blank_lines()) {
      const bool read = peek() == '[' ? header() : pair();
      if (!read || !end_of_line() || tables_.size() > tables_limit) {
        const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
        return fail(ErrorCode::invalid_argument, Blame::us, "line " + std::to_string(line) + " is not TOML");
      }
    }
    return std::move(tables_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool take(std::string_view wanted) {
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  void skip(std::string_view letters) { at_ = std::min(text_.find_first_not_of(letters, at_), text_.size()); }
  void skip_comment() {
    skip(" \t");
    if (peek() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
  }
  void skip_blank_lines() {
    for (auto before = text_.size() + 1; before != at_;) {
      before = at_;
      skip_comment();
      skip("\r\n");
    }
  }
  bool end_of_line() {
    skip_comment();
    take("\r");
    return at_ == text_.size() || peek() == '\n';
  }

  bool header() {
    const bool element = take("[[");
    if (!element) take("[");
    auto path = key();
    if (!path || !take(element ? "]]" : "]")) return false;
    tables_.push_back({std::move(*path), element, {}});
    return true;
  }

  // One with dots is a key of a table below; nobody here asks for such.
  bool pair() {
    auto path = key();
    if (!path || !take("=")) return false;
    auto value = read_value(0);
    if (!value) return false;
    if (path->size() == 1) tables_.back().values.insert_or_assign(path->front(), std::move(*value));
    return true;
  }

  std::optional<std::vector<std::string>> key() {
    std::vector<std::string> path;
    do {
      skip(" \t");
      auto part = peek() == '"' || peek() == '\'' ? quoted() : bare();
      if (!part || path.size() == depth_limit) return std::nullopt;
      path.push_back(*std::move(part));
      skip(" \t");
    } while (take("."));
    return path;
  }

  std::optional<std::string> bare() {
    const auto start = at_;
    while (is_bare(peek())) ++at_;
    if (at_ == start) return std::nullopt;
    return std::string(text_.substr(start, at_ - start));
  }

  // Appends what it stands for; beyond ASCII, where nobody here has anything to read, a question mark.
  bool escape(std::string& out) {
    static constexpr std::string_view letters = "btnfre\"\\";
    static constexpr std::string_view meanings = "\b\t\n\f\r\x1b\"\\";
    const char letter = text_[at_++];
    if (const auto found = letters.find(letter); found != letters.npos) {
      out += meanings[found];
      return true;
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    const auto hexadecimal = text_.substr(at_, digits);
    std::uint32_t code = 0;
    const auto* const end = hexadecimal.data() + hexadecimal.size();
    const auto [read, error] = std::from_chars(hexadecimal.data(), end, code, 16);
    if (digits == 0 || hexadecimal.size() != digits || error != std::errc() || read != end) return false;
    at_ += digits;
    out += code < 0x80 ? static_cast<char>(code) : '?';
    return true;
  }

  std::optional<std::string> quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (!take(std::string_view(&quote, 1))) {
      if (at_ >= text_.size() || peek() == '\n') return std::nullopt;
      if (quote == '\'' || !take("\\")) {
        out += text_[at_++];
      } else if (at_ >= text_.size() || !escape(out)) {
        return std::nullopt;
      }
    }
    return out;
  }

  std::optional<TomlValue> read_value(std::size_t depth) {
    skip(" \t");
    if (depth > depth_limit) return std::nullopt;
    if (peek() == '"' || peek() == '\'') {
      if (take(R"(""")") || take("'''")) return multi_line(text_.substr(at_ - 3, 3));
      auto text = quoted();
      return text ? std::optional<TomlValue>(*std::move(text)) : std::nullopt;
    }
    if (peek() == '[') return array(depth);
    if (peek() == '{') return inline_table(depth);
    const auto start = at_;
    while (is_bare(peek()) || peek() == '.' || peek() == ':' || peek() == '+') ++at_;
    const auto word = text_.substr(start, at_ - start);
    if (word.empty()) return std::nullopt;
    if (word == "true" || word == "false") return TomlValue(word == "true");
    return TomlValue();
  }

  std::optional<TomlValue> multi_line(std::string_view quotes) {
    const auto end = text_.find(quotes, at_);
    if (end == text_.npos) return std::nullopt;
    std::string text(text_.substr(at_, end - at_));
    at_ = end + quotes.size();
    for (int more = 0; more < 2 && peek() == quotes.front(); ++more, ++at_) text += quotes.front();
    return TomlValue(std::move(text));
  }

  std::optional<TomlValue> array(std::size_t depth) {
    std::vector<std::string> texts;
    ++at_;
    for (skip_blank_lines(); !take("]"); skip_blank_lines()) {
      auto value = read_value(depth + 1);
      if (!value) return std::nullopt;
      if (auto* text = std::get_if<std::string>(&*value)) texts.push_back(std::move(*text));
      skip_blank_lines();
      if (!take(",") && peek() != ']') return std::nullopt;
    }
    return TomlValue(std::move(texts));
  }

  std::optional<TomlValue> inline_table(std::size_t depth) {
    ++at_;
    for (skip(" \t"); !take("}"); skip(" \t")) {
      if (!key() || !take("=") || !read_value(depth + 1)) return std::nullopt;
      skip(" \t");
      if (!take(",") && peek() != '}') return std::nullopt;
    }
    return TomlValue();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<TomlTable> tables_;
};

template <typename T>
T value_as(const TomlTable& table, std::string_view key) {
  const auto found = table.values.find(key);
  if (found == table.values.end()) return {};
  const auto* value = std::get_if<T>(&found->second);
  return value != nullptr ? *value : T{};
}

}  // namespace

std::string TomlTable::text(std::string_view key) const { return value_as<std::string>(*this, key); }
bool TomlTable::flag(std::string_view key) const { return value_as<bool>(*this, key); }
std::vector<std::string> TomlTable::texts(std::string_view key) const {
  return value_as<std::vector<std::string>>(*this, key);
}

Result<std::vector<TomlTable>> parse_toml(std::string_view text) { return Parser(text).parse(); }

}  // namespace paddock
