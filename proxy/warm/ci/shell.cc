#include "proxy/warm/ci/shell.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/warm/ci/docker_command.h"

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::array<string_view, 9> openers{"then", "do", "else", "{", "!", "time", "sudo", "exec", "nohup"};
constexpr std::array<string_view, 5> declarers{"export", "local", "readonly", "declare", "typeset"};

bool is_one_of(auto const& list, string_view word) { return std::ranges::find(list, word) != list.end(); }

// The length of NAME in "NAME=value"; 0 when it is no assignment.
std::size_t assigned_name(const ShellWord& word) {
  const std::size_t equals = word.text.find('=');
  return equals != std::string::npos && is_name(string_view(word.text).substr(0, equals)) ? equals : 0;
}

std::optional<std::string> known_text(const Readings& readings) {
  if (readings.size() != 1 || readings.front().unknown) return std::nullopt;
  return readings.front().text;
}

// Joins lists, without what is there already.
void add_missing(Readings& to, const Readings& from) {
  for (const Reading& reading : from) {
    const bool there = std::ranges::any_of(to, [&](const Reading& other) {
      return other.text == reading.text && other.unknown.has_value() == reading.unknown.has_value();
    });
    if (!there && to.size() < readings_limit) to.push_back(reading);
  }
}

std::vector<std::string> split_blanks(string_view text) {
  std::vector<std::string> parts;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

}  // namespace

bool names_engine(string_view text) {
  return std::ranges::any_of(std::array<string_view, 6>{"docker", "podman", "nerdctl", "crictl", "ctr ", "paddock"},
                             [&](string_view engine) { return text.contains(engine); });
}

void ShellScanner::scan(string_view text, int line, bool same_line) {
  for (const ShellCommand& one : split_shell(text, line)) command(one, same_line ? line : one.line);
}

void ShellScanner::finish() {
  for (Pending& pending : std::exchange(pending_, {})) {
    for (Reading& reading : pending.readings) {
      const auto image = parse_image_reference(reading.text);
      if (reading.unknown || !image || !made_.contains(full_reference(*image))) continue;
      reading = Reading::not_known(UnresolvedKind::built_here, "built or tagged by the same script, not pulled");
    }
    collector_.images(pending.place, pending.written, pending.readings);
  }
}

void ShellScanner::command(const ShellCommand& command, int line) {
  std::span<const ShellWord> words(command.words);
  while (!words.empty()) {
    const string_view first = words.front().text;
    if (first == "if" || first == "while" || first == "until" || first == "case") {
      ++branches_;
    } else if (first == "fi" || first == "esac" || first == "done") {
      branches_ = std::max(branches_ - 1, 0);
    } else if (first == "for" || first == "select") {
      loop(words.subspan(1));
      return;
    } else if (first != "elif" && !is_one_of(openers, first)) {
      break;
    }
    words = words.subspan(1);
  }
  if (words.empty() || assign(words)) return;
  run_engine(words, line);
}

// Whether the command does nothing but assign.
bool ShellScanner::assign(std::span<const ShellWord> words) {
  const string_view first = words.front().text;
  if (first == "read" || first == "mapfile" || first == "readarray") {
    for (const ShellWord& word : words.subspan(1)) {
      if (is_name(word.text))
        set(word.text, {Reading::not_known(UnresolvedKind::run_time, "read when the script runs")});
    }
    return true;
  }
  if (first == ":") {  // : "${X:=default}"
    for (const ShellWord& word : words.subspan(1)) {
      const std::size_t end = word.text.find_first_of(":=");
      if (!word.text.starts_with("${") || !word.text.contains('=') || end == std::string::npos) continue;
      set(string_view(word.text).substr(2, end - 2), expand(word.text));
    }
    return true;
  }
  const bool declared = is_one_of(declarers, first);
  if (declared) words = words.subspan(1);
  const auto is_assignment = [](const ShellWord& word) { return assigned_name(word) > 0; };
  if (!declared && !std::ranges::all_of(words, is_assignment)) return false;
  for (const ShellWord& word : words) {
    const std::size_t length = assigned_name(word);
    if (length > 0) {
      set_from_word(string_view(word.text).substr(0, length), string_view(word.text).substr(length + 1), word.array);
    }
  }
  return true;
}

void ShellScanner::set_from_word(string_view name, string_view value, bool array) {
  if (!array) {
    set(name, expand(value));
    return;
  }
  Readings items;
  for (const std::string& item : split_blanks(value)) add_missing(items, expand(item));
  set(name, std::move(items));
}

void ShellScanner::set(string_view name, Readings readings) {
  Readings& values = variables_[std::string(name)];
  if (branches_ > 0) {
    add_missing(values, readings);
  } else {
    values = std::move(readings);
  }
}

// for X in a "$B" ${C}
void ShellScanner::loop(std::span<const ShellWord> words) {
  ++branches_;
  if (words.size() < 2 || words[1].text != "in" || !is_name(words.front().text)) return;
  Readings values;
  for (const ShellWord& word : words.subspan(2)) {
    for (const Reading& reading : expand(word.text)) {
      if (reading.unknown) add_missing(values, {reading});
      for (std::string& part : split_blanks(reading.text)) add_missing(values, {{std::move(part)}});
    }
  }
  variables_[words.front().text] = std::move(values);
}

// One word, or the several that its variable holds. An unknown one counts as one word: where it stands for options, the
// image is looked for in its place and reported as unknown, never guessed.
void ShellScanner::argument(const ShellWord& word, std::vector<std::string>& texts, std::vector<Readings>& meanings,
                            std::vector<std::string>& written) const {
  Readings readings = expand(word.text);
  const bool splits = !word.quoted && word.text.contains('$');
  const auto text = known_text(readings);
  if (text && splits) {
    for (std::string& part : split_blanks(*text)) {
      meanings.push_back({{part}});
      texts.push_back(std::move(part));
      written.push_back(word.text);
    }
    return;
  }
  texts.push_back(text.value_or(word.text));
  meanings.push_back(std::move(readings));
  written.push_back(word.text);
}

void ShellScanner::run_engine(std::span<const ShellWord> words, int line) {
  std::vector<std::string> texts, written;
  std::vector<Readings> meanings;
  for (const ShellWord& word : words) argument(word, texts, meanings, written);
  const auto engine = find_engine(texts);
  if (!engine) return;
  const ImageWords found = image_words(std::span(texts).subspan(*engine));
  for (const std::size_t made : found.made) {
    for (const Reading& reading : meanings[*engine + made]) {
      const auto image = parse_image_reference(reading.text);
      if (!reading.unknown && image) made_.insert(full_reference(*image));
    }
  }
  Place place = place_;
  place.line = line;
  for (const std::size_t index : found.pulled) {
    const std::size_t at = *engine + index;
    pending_.push_back({place, original(written[at]), meanings[at]});
  }
}

Readings ShellScanner::expand(string_view text) const {
  return expand_variables(text, Dialect::shell, [this](string_view name) -> std::optional<Readings> {
    const auto found = variables_.find(name);
    if (found != variables_.end()) return found->second;
    return outer_ ? outer_(name) : std::nullopt;
  });
}

std::string ShellScanner::original(std::string text) const {
  if (written_as.empty()) return text;
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 1)) {
    const std::size_t end = text.find('}', at);
    const auto found = end == std::string::npos ? written_as.end() : written_as.find(text.substr(at, end + 1 - at));
    if (found != written_as.end()) text.replace(at, end + 1 - at, found->second);
  }
  return text;
}

}  // namespace paddock::ci
