#include "proxy/warm/ci/shell.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/warm/ci/docker_command.h"
#include "proxy/warm/ci/reading.h"

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::array<string_view, 9> openers{"then", "do", "else", "{", "!", "time", "sudo", "exec", "nohup"};
constexpr std::array<string_view, 5> declarers{"export", "local", "readonly", "declare", "typeset"};
constexpr std::array<string_view, 7> shells{"bash", "sh", "zsh", "dash", "eval", "ssh", "su"};
constexpr int nesting_limit = 4;
constexpr std::size_t items_limit = 1000;    // of an array
constexpr std::size_t words_limit = 10'000;  // of a command, its variables filled in

// "NAME=value", "NAME+=value".
struct Assignment {
  string_view name;  // empty: it is none
  string_view value;
  bool more = false;
};

Assignment assignment_of(const ShellWord& word) {
  const string_view text = word.text;
  const std::size_t equals = text.find('=');
  if (equals == string_view::npos) return {};
  const bool more = equals > 0 && text[equals - 1] == '+';
  const string_view name = text.substr(0, equals - (more ? 1 : 0));
  return is_name(name) ? Assignment{name, text.substr(equals + 1), more} : Assignment{};
}

// NAME of "${NAME[@]}", or empty.
string_view array_name(string_view text) {
  if (!text.starts_with("${") || (!text.ends_with("[@]}") && !text.ends_with("[*]}"))) return {};
  text = text.substr(2, text.size() - 6);
  return is_name(text) ? text : string_view();
}

// Whether each of several values is nothing, or options.
bool are_options(const Readings& readings) {
  return readings.size() > 1 && std::ranges::all_of(readings, [](const Reading& reading) {
           return !reading.unknown && (reading.text.empty() || reading.text.starts_with('-'));
         });
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

std::vector<std::string> split(string_view text, string_view separators = " \t\n") {
  std::vector<std::string> parts;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

// Each word of a value is a value; what is not known counts as one.
void add_words(Readings& to, const Reading& reading) {
  if (reading.unknown) add_missing(to, {reading});
  for (std::string& word : split(reading.text)) add_missing(to, {{std::move(word)}});
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
    } else if (first != "elif" && !contains(openers, first)) {
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
  const bool declared = contains(declarers, first);
  if (declared) words = words.subspan(1);
  const auto is_assignment = [](const ShellWord& word) { return !assignment_of(word).name.empty(); };
  if (!declared && !std::ranges::all_of(words, is_assignment)) return false;
  for (const ShellWord& word : words) {
    if (is_assignment(word)) set_from_word(word);
  }
  return true;
}

void ShellScanner::set_from_word(const ShellWord& word) {
  const auto [name, value, more] = assignment_of(word);
  if (word.array) return set_array(std::string(name), value, more);
  if (!more) return set(name, expand(value));
  set(name, expand("${" + std::string(name) + "-}" + std::string(value)));
}

// What a branch puts in place of other items leaves open which they are.
void ShellScanner::set_array(const std::string& name, string_view value, bool more) {
  std::vector<Readings>& items = arrays_[name];
  Readings& values = variables_[name];
  const bool either = branches_ > 0 && !more && !items.empty();
  if (!more && branches_ == 0) values.clear();
  if (!more) items.clear();
  for (const std::string& item : split(value, "\n")) {
    const Readings readings = expand(item);
    if (items.size() < items_limit) items.push_back(readings);
    for (const Reading& reading : readings) add_words(values, reading);
  }
  if (either) {
    items = {{Reading::not_known(UnresolvedKind::expression, name + " is assigned differently by several branches")}};
  }
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
    for (const Reading& reading : expand(word.text)) add_words(values, reading);
  }
  variables_[words.front().text] = std::move(values);
}

void ShellScanner::Arguments::add(std::string text, Readings meaning, const std::string& as_written) {
  texts.push_back(std::move(text));
  meanings.push_back(std::move(meaning));
  written.push_back(as_written);
}

// One word, or the several that its variable holds; none where all its values are options. An unknown one counts as one
// word: where it stands for options, the image is looked for in its place and reported as unknown, never guessed.
void ShellScanner::argument(const ShellWord& word, Arguments& out) const {
  if (const auto array = arrays_.find(array_name(word.text)); array != arrays_.end()) {
    for (const Readings& item : array->second) {
      Readings readings = budget_.within([&] { return item; });
      out.add(known_text(item).value_or(word.text), std::move(readings), word.text);
    }
    return;
  }
  Readings readings = expand(word.text);
  const bool splits = !word.quoted && word.text.contains('$');
  const auto text = known_text(readings);
  if (splits && are_options(readings)) return;
  if (text && splits) {
    for (std::string& part : split(*text)) out.add(part, {{part}}, word.text);
    return;
  }
  out.add(text.value_or(word.text), std::move(readings), word.text);
}

void ShellScanner::run_text(std::span<const ShellWord> words, int line) {
  const auto runner = std::ranges::find_if(words, [](const ShellWord& word) {
    return contains(shells, string_view(word.text).substr(word.text.rfind('/') + 1));
  });
  if (runner == words.end() || nesting_ >= nesting_limit) return;
  ++nesting_;
  for (const ShellWord& word : words.subspan(static_cast<std::size_t>(runner - words.begin()) + 1)) {
    if (!word.quoted || !names_engine(word.text)) continue;
    std::string text = word.text;
    std::ranges::replace(text, literal_dollar, '$');
    scan(text, line, true);
  }
  --nesting_;
}

void ShellScanner::run_engine(std::span<const ShellWord> words, int line) {
  Arguments arguments;
  for (const ShellWord& word : words) {
    if (arguments.texts.size() < words_limit) argument(word, arguments);
  }
  const auto& [texts, meanings, written] = arguments;
  const auto engine = find_engine(texts, among_prose);
  if (!engine) {
    if (!is_said(texts)) run_text(words, line);
    return;
  }
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
  const Lookup lookup = [this](string_view name) -> std::optional<Readings> {
    const auto found = variables_.find(name);
    if (found != variables_.end()) return found->second;
    return outer_ ? outer_(name) : std::nullopt;
  };
  return budget_.within([&] { return expand_variables(text, Dialect::shell, lookup); });
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
