#include "proxy/warm/ci/groovy_text.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

#include "proxy/warm/ci/reading.h"

namespace paddock::ci {
namespace {

using std::string_view;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Splitter {
 public:
  explicit Splitter(string_view text) : text_(text) {}

  std::vector<GroovyToken> run() {
    while (at_ < text_.size()) step();
    return std::move(tokens_);
  }

 private:
  void step() {
    const string_view rest = text_.substr(at_);
    const char c = rest.front();
    if (c == '\n') {
      add(GroovyToken::Kind::sign, "\n", 1);
      ++line_;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
    } else if (rest.starts_with("//") || rest.starts_with("#!")) {
      at_ += std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = rest.find("*/", 2);
      advance(end == string_view::npos ? rest.size() : end + 2);
    } else if (c == '\'' || c == '"') {
      string(c);
    } else if (is_word(c)) {
      std::size_t end = 1;
      while (end < rest.size() && is_word(rest[end])) ++end;
      add(GroovyToken::Kind::word, std::string(rest.substr(0, end)), end);
    } else {
      add(GroovyToken::Kind::sign, std::string(1, c), 1);
    }
  }

  void add(GroovyToken::Kind kind, std::string text, std::size_t used) {
    tokens_.push_back({kind, std::move(text), line_});
    at_ += used;
  }

  void advance(std::size_t count) {
    line_ += static_cast<int>(std::ranges::count(text_.substr(at_, count), '\n'));
    at_ += count;
  }

  // '...' "..." and the same in threes, which may have several lines.
  void string(char quote) {
    const std::string three(3, quote);
    const bool block = text_.substr(at_).starts_with(three);
    const string_view end = block ? string_view(three) : string_view(three).substr(0, 1);
    GroovyToken token{GroovyToken::Kind::text, "", line_, quote == '"'};
    at_ += end.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
      const char c = text_[at_];
      if (c == '\n' && !block) break;  // left open: the line ends it
      if (c == '\\' && at_ + 1 < text_.size()) {
        escape(token.text, block);
        continue;
      }
      if (c == '\n') ++line_;
      token.text += c;
      ++at_;
    }
    if (text_.substr(at_).starts_with(end)) at_ += end.size();
    tokens_.push_back(std::move(token));
  }

  // In a block a "\" and a line's end join lines; they are kept, for the shell says the same and lines stay lines.
  void escape(std::string& out, bool block) {
    const char next = text_[at_ + 1];
    at_ += 2;
    if (next == '\n') {
      ++line_;
      if (block) out += "\\\n";
    } else if (next == '$') {
      out += block ? "$" : std::string(1, literal_dollar);
    } else if (next == 'n') {
      out += ' ';
    } else {
      out += next;
    }
  }

  string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<GroovyToken> tokens_;
};

}  // namespace

std::vector<GroovyToken> split_groovy(string_view text) { return Splitter(text).run(); }

}  // namespace paddock::ci
