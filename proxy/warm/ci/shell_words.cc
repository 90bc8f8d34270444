#include "proxy/warm/ci/shell_words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "proxy/warm/ci/reading.h"

namespace paddock::ci {
namespace {

constexpr int depth_limit = 8;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// After the bracket that closes the one at `open`; quotes and escapes within are stepped over.
std::size_t after_bracket(std::string_view text, std::size_t open, char opener, char closer) {
  int depth = 0;
  char quote = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == opener) {
      ++depth;
    } else if (c == closer && --depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

class Splitter {
 public:
  Splitter(std::string_view text, int line, int depth, std::vector<ShellCommand>& out)
      : text_(text), line_(line), depth_(depth), out_(out) {}

  void run() {
    while (at_ < text_.size()) step();
    end_command();
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\n') {
      end_command();
      newline();
    } else if (is_blank(c)) {
      end_word();
      ++at_;
    } else if (c == '#' && !in_word_) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == ';' || c == '&' || c == '|') {
      separator();
    } else if (c == '(' || c == ')') {
      bracket(c);
    } else if (c == '<' || c == '>') {
      redirection();
    } else {
      character(c);
    }
  }

  void character(char c) {
    if (!in_word_) begin_word();
    if (c == '\\') {
      escape();
    } else if (c == '\'') {
      single_quoted();
    } else if (c == '"') {
      double_quoted();
    } else if (c == '$' || c == '`') {
      dollar();
    } else {
      put(c);
      ++at_;
    }
  }

  void begin_word() {
    in_word_ = true;
    if (command_.words.empty()) command_.line = line_;
    word_ = {};
  }
  void put(char c) { word_.text += c; }

  void newline() {
    ++line_;
    ++at_;
    while (!here_documents_.empty()) skip_here_document();
  }

  // "\" and a line's end are nothing at all; before anything else it makes the next character plain.
  void escape() {
    if (at_ + 1 >= text_.size()) {
      ++at_;
      return;
    }
    const char next = text_[at_ + 1];
    at_ += 2;
    if (next == '\n') {
      ++line_;
      if (word_.text.empty() && !word_.quoted) in_word_ = false;
    } else {
      put(next == '$' ? literal_dollar : next);
    }
  }

  void single_quoted() {
    word_.quoted = true;
    const std::size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
    for (const char c : text_.substr(at_ + 1, end - at_ - 1)) {
      if (c == '\n') ++line_;
      put(c == '$' ? literal_dollar : c);
    }
    at_ = std::min(end + 1, text_.size());
  }

  void double_quoted() {
    word_.quoted = true;
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        const char next = text_[at_ + 1];
        if (next == '\n') {
          ++line_;
        } else {
          put(next == '$' ? literal_dollar : next);
        }
        at_ += 2;
      } else if (c == '$' || c == '`') {
        dollar();
      } else {
        if (c == '\n') ++line_;
        put(c);
        ++at_;
      }
    }
    ++at_;
  }

  // Variables and substitutions stay in the word as they are written; commands within are split too.
  void dollar() {
    std::size_t end = at_ + 1;
    std::string_view commands;
    if (text_[at_] == '`') {
      const std::size_t tick = std::min(text_.find('`', at_ + 1), text_.size());
      commands = text_.substr(at_ + 1, tick - at_ - 1);
      end = std::min(tick + 1, text_.size());
    } else if (text_.substr(at_).starts_with("$(")) {
      end = after_bracket(text_, at_ + 1, '(', ')');
      if (end > at_ + 3) commands = text_.substr(at_ + 2, end - at_ - 3);
    } else if (text_.substr(at_).starts_with("${")) {
      end = after_bracket(text_, at_ + 1, '{', '}');
    }
    const std::string_view written = text_.substr(at_, end - at_);
    if (!commands.empty() && depth_ < depth_limit) Splitter(commands, line_, depth_ + 1, out_).run();
    line_ += static_cast<int>(std::ranges::count(written, '\n'));
    word_.text.append(written);
    at_ = end;
  }

  void bracket(char c) {
    if (c == '(' && in_word_ && word_.text.ends_with('=') && !word_.quoted) {
      array();
      return;
    }
    end_command();
    ++at_;
  }

  // NAME=(a b c)
  void array() {
    const std::size_t end = after_bracket(text_, at_, '(', ')');
    const std::string_view inner = text_.substr(at_ + 1, end > at_ + 1 ? end - at_ - 2 : 0);
    std::vector<ShellCommand> items;
    if (depth_ < depth_limit) Splitter(inner, line_, depth_ + 1, items).run();
    for (const ShellCommand& item : items) {
      for (const ShellWord& word : item.words) word_.text.append(word.text).append("\n");
    }
    word_.array = true;
    line_ += static_cast<int>(std::ranges::count(inner, '\n'));
    at_ = end;
  }

  void separator() {
    if (text_[at_] == '&' && at_ + 1 < text_.size() && text_[at_ + 1] == '>') {
      end_word();
      ++at_;  // "&>file"
      return;
    }
    end_command();
    ++at_;
  }

  // The target is no word of the command.
  void redirection() {
    const bool descriptor = in_word_ && std::ranges::all_of(word_.text, [](char c) { return c >= '0' && c <= '9'; });
    if (descriptor) {
      in_word_ = false;
    } else {
      end_word();
    }
    const bool here = text_.substr(at_).starts_with("<<") && !text_.substr(at_).starts_with("<<<");
    while (at_ < text_.size() && std::string_view("<>&|-").contains(text_[at_])) ++at_;
    const std::size_t before = command_.words.size();
    target_ = true;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    while (at_ < text_.size() && !std::string_view(" \t\n;&|()<>").contains(text_[at_])) character(text_[at_]);
    if (here && in_word_) here_documents_.push_back(word_.text);
    in_word_ = false;
    target_ = false;
    command_.words.resize(before);
  }

  // Its text is no command, unless a shell reads it.
  void skip_here_document() {
    const std::string delimiter = std::exchange(here_documents_.front(), {});
    here_documents_.erase(here_documents_.begin());
    if (here_for_shell_) return;
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const bool last = trimmed(text_.substr(at_, end - at_)) == delimiter;
      at_ = std::min(end + 1, text_.size());
      ++line_;
      if (last) return;
    }
  }

  void end_word() {
    if (!std::exchange(in_word_, false)) return;
    command_.words.push_back(std::move(word_));
  }

  void end_command() {
    end_word();
    if (command_.words.empty()) return;
    constexpr std::array<std::string_view, 4> shells{"bash", "sh", "ssh", "sudo"};
    here_for_shell_ = std::ranges::find(shells, command_.words.front().text) != shells.end();
    out_.push_back(std::exchange(command_, {}));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  int depth_;
  std::vector<ShellCommand>& out_;
  ShellCommand command_;
  ShellWord word_;
  bool in_word_ = false;
  bool target_ = false;
  bool here_for_shell_ = false;
  std::vector<std::string> here_documents_;
};

}  // namespace

std::vector<ShellCommand> split_shell(std::string_view text, int first_line) {
  std::vector<ShellCommand> commands;
  Splitter(text, first_line, 0, commands).run();
  return commands;
}

}  // namespace paddock::ci
