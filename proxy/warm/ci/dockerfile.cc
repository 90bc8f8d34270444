#include "proxy/warm/ci/dockerfile.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace paddock::ci {
namespace {

using std::string_view;

struct Instruction {
  std::string name;  // upper case
  std::string rest;  // its lines joined
  int line = 1;
};

std::string cased(string_view text, int (*change)(int)) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [&](unsigned char c) { return static_cast<char>(change(c)); });
  return out;
}

std::vector<std::string> words_of(string_view text) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (const char c : text) {
    if (quote == 0 && (c == ' ' || c == '\t')) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      continue;
    }
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// Splits into instructions: escape directive, continuation lines with comments between, here-documents.
class Instructions {
 public:
  Instructions(string_view text, int first_line) : text_(text), line_(first_line - 1) { directives(); }

  [[nodiscard]] const std::optional<std::pair<std::string, int>>& syntax() const { return syntax_; }

  std::optional<Instruction> next() {
    while (!text_.empty()) {
      string_view line = trimmed(take_line());
      if (line.empty() || line.starts_with('#')) continue;
      Instruction instruction{"", "", line_};
      const std::string whole = continued(line);
      const std::size_t end = std::min(whole.find_first_of(" \t"), whole.size());
      instruction.name = cased(string_view(whole).substr(0, end), std::toupper);
      instruction.rest = trimmed(string_view(whole).substr(end));
      if (instruction.name == "RUN" || instruction.name == "COPY" || instruction.name == "ADD") {
        skip_here_documents(instruction.rest);
      }
      return instruction;
    }
    return std::nullopt;
  }

 private:
  string_view take_line() {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    const string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    ++line_;
    return line;
  }

  std::string continued(string_view line) {
    std::string whole;
    while (line.ends_with(escape_)) {
      whole.append(line.substr(0, line.size() - 1)).append(" ");
      do {
        line = text_.empty() ? string_view() : trimmed(take_line());
      } while ((line.empty() || line.starts_with('#')) && !text_.empty());
    }
    if (!line.starts_with('#')) whole.append(line);
    return whole;
  }

  // "# name=value" lines at the very top.
  void directives() {
    string_view rest = text_;
    for (int line = line_ + 1;; ++line) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      string_view text = trimmed(rest.substr(0, end));
      if (!text.starts_with('#')) return;
      text = trimmed(text.substr(1));
      const std::size_t equals = text.find('=');
      if (equals == string_view::npos) return;
      const std::string name = cased(trimmed(text.substr(0, equals)), std::tolower);
      const string_view value = trimmed(text.substr(equals + 1));
      if (!is_name(name) || value.empty()) return;
      if (name == "syntax") syntax_.emplace(value, line);
      if (name == "escape") escape_ = value.front();
      if (end == rest.size()) return;
      rest.remove_prefix(end + 1);
    }
  }

  void skip_here_documents(string_view rest) {
    for (const std::string& word : words_of(rest)) {
      if (!word.starts_with("<<")) continue;
      const std::string delimiter = word.substr(word.starts_with("<<-") ? 3 : 2);
      while (!delimiter.empty() && !text_.empty() && trimmed(take_line()) != delimiter) {
      }
    }
  }

  string_view text_;
  int line_;
  char escape_ = '\\';
  std::optional<std::pair<std::string, int>> syntax_;
};

bool is_platform_argument(string_view name) {
  constexpr std::array<string_view, 8> names{"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT",
                                             "BUILDPLATFORM",  "BUILDOS",  "BUILDARCH",  "BUILDVARIANT"};
  return std::ranges::find(names, name) != names.end();
}

class Scanner {
 public:
  Scanner(const Source& source, const BuildArguments& arguments, string_view whose, Collector& collector)
      : arguments_(arguments), whose_(whose), collector_(collector), place_{source.name, 0, "", Format::dockerfile} {}

  void run(string_view text, int first_line) {
    Instructions instructions(text, first_line);
    if (const auto& syntax = instructions.syntax()) report("syntax", syntax->second, syntax->first, {{syntax->first}});
    while (auto instruction = instructions.next()) {
      if (instruction->name == "ONBUILD") unwrap(*instruction);
      if (instruction->name == "ARG" && stages_ == 0) declare(instruction->rest);
      if (instruction->name == "FROM") from(*instruction);
      if (instruction->name == "COPY" || instruction->name == "ADD") copy(*instruction);
      if (instruction->name == "RUN") mounts(*instruction);
    }
  }

 private:
  static void unwrap(Instruction& instruction) {
    const std::size_t end = std::min(instruction.rest.find(' '), instruction.rest.size());
    instruction.name = cased(instruction.rest.substr(0, end), std::toupper);
    instruction.rest = trimmed(string_view(instruction.rest).substr(end));
  }

  void declare(string_view rest) {
    for (const std::string& word : words_of(rest)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      if (arguments_.contains(name)) continue;
      if (equals != std::string::npos) defaults_[name] = expand(string_view(word).substr(equals + 1));
    }
  }

  void from(const Instruction& instruction) {
    std::vector<std::string> words = words_of(instruction.rest);
    std::erase_if(words, [](const std::string& word) { return word.starts_with("--"); });
    if (words.empty()) return;
    std::string stage;
    if (words.size() >= 3 && cased(words[1], std::tolower) == "as") stage = cased(words[2], std::tolower);
    const std::string label = stage.empty() ? "stage " + std::to_string(stages_) : "stage " + stage;
    name_image(label, instruction.line, words.front());
    names_.insert(std::to_string(stages_++));
    if (!stage.empty()) names_.insert(stage);
    stage_ = label;
  }

  void copy(const Instruction& instruction) {
    for (const std::string& word : words_of(instruction.rest)) {
      if (!word.starts_with("--")) break;
      if (word.starts_with("--from=")) name_image(stage_, instruction.line, word.substr(7));
    }
  }

  void mounts(const Instruction& instruction) {
    for (const std::string& word : words_of(instruction.rest)) {
      if (!word.starts_with("--")) break;
      if (!word.starts_with("--mount=")) continue;
      string_view options = string_view(word).substr(8);
      while (!options.empty()) {
        const string_view option = options.substr(0, options.find(','));
        if (option.starts_with("from=")) name_image(stage_, instruction.line, option.substr(5));
        options.remove_prefix(std::min(option.size() + 1, options.size()));
      }
    }
  }

  // Earlier stages are no images.
  void name_image(const std::string& label, int line, string_view written) {
    Readings readings = expand(written);
    std::erase_if(readings, [&](const Reading& reading) {
      return !reading.unknown && names_.contains(cased(reading.text, std::tolower));
    });
    if (written.contains('$') && is_stage_by_platform(written)) return;
    report(label, line, written, readings);
  }

  // "FROM base-${TARGETARCH}", with a stage for each architecture.
  [[nodiscard]] bool is_stage_by_platform(string_view written) const {
    const Readings readings = expand_variables(written, Dialect::dockerfile, [&](string_view name) {
      return name == "TARGETARCH" ? std::optional(Readings{{"amd64"}, {"arm64"}}) : values(name);
    });
    return std::ranges::any_of(readings, [&](const Reading& reading) {
      return !reading.unknown && names_.contains(cased(reading.text, std::tolower));
    });
  }

  void report(const std::string& label, int line, string_view written, const Readings& readings) {
    place_.line = line;
    place_.where = whose_.empty() ? label : whose_ + ", " + label;
    collector_.images(place_, written, readings);
    const bool answered = std::ranges::any_of(readings, [](const Reading& reading) { return !reading.unknown; });
    if (!arguments_.empty() && answered) collector_.forget_unset(place_.file, line);
  }

  [[nodiscard]] std::optional<Readings> values(string_view name) const {
    if (const auto given = arguments_.find(name); given != arguments_.end()) return given->second;
    if (const auto found = defaults_.find(name); found != defaults_.end()) return found->second;
    if (is_platform_argument(name)) {
      return Readings{
          Reading::not_known(UnresolvedKind::run_time, std::string(name) + " is the platform that is built for")};
    }
    return std::nullopt;
  }

  [[nodiscard]] Readings expand(string_view text) {
    return budget_.within(
        [&] { return expand_variables(text, Dialect::dockerfile, [this](string_view name) { return values(name); }); });
  }

  const BuildArguments& arguments_;
  std::string whose_;
  Collector& collector_;
  Place place_;
  BuildArguments defaults_;
  ExpansionBudget budget_;
  std::set<std::string> names_;
  std::string stage_;
  int stages_ = 0;
};

}  // namespace

void scan_dockerfile(string_view text, const Source& source, int first_line, const BuildArguments& arguments,
                     string_view whose, Collector& collector) {
  Scanner(source, arguments, whose, collector).run(text, first_line);
}

}  // namespace paddock::ci
