#include "proxy/warm/ci/markdown.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/warm/ci/shell.h"

namespace paddock::ci {
namespace {

using std::string_view;

bool is_shell_language(string_view info) {
  constexpr std::array<string_view, 16> languages{
      "",     "sh",        "bash", "shell", "zsh",          "console",    "terminal", "shell-session",
      "text", "plaintext", "txt",  "cmd",   "shellsession", "powershell", "bat",      "batch"};
  info = info.substr(0, info.find_first_of(" \t{"));
  return std::ranges::find(languages, info) != languages.end();
}

// Of "```" or "~~~"; 0 when the line opens or closes nothing.
std::size_t fence_length(string_view line) {
  const std::size_t run = std::min(line.find_first_not_of(line.empty() ? ' ' : line.front()), line.size());
  return run >= 3 && (line.front() == '`' || line.front() == '~') ? run : 0;
}

// "<version>" is a place holder, not a redirection: its brackets are escaped for the shell's words.
std::string keep_place_holders(string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::size_t end = line[i] == '<' ? line.substr(0, i + 60).find('>', i) : std::string_view::npos;
    const bool holder = end != string_view::npos && end - i > 1 &&
                        line.substr(i + 1, end - i - 1).find_first_of("<&|;$/()") == string_view::npos &&
                        line[i + 1] != ' ';
    if (!holder) {
      out += line[i];
      continue;
    }
    for (const char c : line.substr(i, end - i + 1)) {
      if (c == '<' || c == '>' || c == ' ') out += '\\';
      out += c;
    }
    i = end;
  }
  return out;
}

// Without the prompt; what the machine answered in a session stays, and names no command.
string_view command_of(string_view line) {
  line = trimmed(line);
  if (line.starts_with("$ ")) return line.substr(2);
  for (const string_view prompt : {"# ", "> ", "% "}) {
    if (line.starts_with(prompt) && names_engine(line)) return line.substr(2);
  }
  return line;
}

class Scanner {
 public:
  Scanner(const Source& source, Collector& collector)
      : shell_(collector, {source.name, 0, "", Format::markdown}, {}), text_(source.text) {
    shell_.among_prose = true;
  }

  void run() {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      ++line_;
      one(text_.substr(0, end));
      text_.remove_prefix(std::min(end + 1, text_.size()));
    }
    flush();
    shell_.finish();
  }

 private:
  void one(string_view line) {
    string_view text = trimmed(line);
    while (text.starts_with("> ")) text = trimmed(text.substr(2));  // quoted
    const std::size_t run = fence_length(text);
    if (fence_ == 0 && run > 0) {
      flush();
      fence_ = run;
      mark_ = text.front();
      shell_code_ = is_shell_language(trimmed(text.substr(run)));
    } else if (fence_ > 0 && run >= fence_ && text.front() == mark_ && text.size() == run) {
      flush();
      fence_ = 0;
    } else if (fence_ > 0) {
      if (shell_code_) add(text);
    } else if (line.starts_with("    ") || line.starts_with('\t')) {
      add(text);
    } else {
      flush();
      in_line(text);
    }
  }

  void add(string_view text) {
    if (block_.empty()) first_ = line_;
    block_.append(keep_place_holders(command_of(text))).append("\n");
  }

  // One block: its lines may continue each other, and a quote left open ends with it.
  void flush() {
    if (!block_.empty()) shell_.scan(block_, first_);
    block_.clear();
  }

  void in_line(string_view text) {
    while (true) {
      const std::size_t begin = text.find('`');
      if (begin == string_view::npos) return;
      const std::size_t ticks = std::min(text.find_first_not_of('`', begin), text.size()) - begin;
      const std::size_t end = text.find(text.substr(begin, ticks), begin + ticks);
      if (end == string_view::npos) return;
      const string_view code = command_of(text.substr(begin + ticks, end - begin - ticks));
      if (names_engine(code)) shell_.scan(keep_place_holders(code), line_);
      text.remove_prefix(end + ticks);
    }
  }

  ShellScanner shell_;
  string_view text_;
  int line_ = 0;
  std::size_t fence_ = 0;  // the length of the one that is open
  char mark_ = '`';
  bool shell_code_ = false;
  std::string block_;
  int first_ = 0;
};

}  // namespace

void scan_markdown(const Source& source, Collector& collector) { Scanner(source, collector).run(); }

}  // namespace paddock::ci
