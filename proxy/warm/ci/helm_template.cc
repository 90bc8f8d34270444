#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/warm/ci/helm.h"

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;
using std::string_view;

constexpr int depth_limit = 8;  // brackets within brackets

Reading beyond(string_view expression) {
  return Reading::not_known(UnresolvedKind::expression, "{{ " + std::string(expression) + " }} is not evaluated");
}

// The words of a pipeline, quotes and brackets kept together.
std::vector<string_view> split(string_view text, char separator) {
  std::vector<string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool end = i == text.size();
    if (!end && text[i] == '"') quoted = !quoted;
    if (!end && !quoted && text[i] == '(') ++depth;
    if (!end && !quoted && text[i] == ')') --depth;
    if (end || (!quoted && depth <= 0 && text[i] == separator)) {
      const string_view part = trimmed(text.substr(begin, i - begin));
      if (!part.empty()) parts.push_back(part);
      begin = i + 1;
    }
  }
  return parts;
}

// Evaluates what charts write behind "image:": values, defaults, printf.
class Template {
 public:
  Template(const YamlNode* values, const YamlNode* chart) : values_(values), chart_(chart) {}

  [[nodiscard]] Reading evaluate(string_view text, int depth = 0) const {
    if (depth > depth_limit) return beyond(text);
    std::optional<Reading> value;
    for (const string_view stage : split(text, '|')) {
      auto words = split(stage, ' ');
      if (words.empty()) return beyond(text);
      value = value ? filter(words, std::move(*value), text, depth) : call(words, text, depth);
    }
    return value.value_or(beyond(text));
  }

 private:
  [[nodiscard]] Reading call(const std::vector<string_view>& words, string_view all, int depth) const {
    if (words.size() == 1) return operand(words.front(), depth);
    if (words.front() == "default" && words.size() == 3) {
      return or_default(operand(words[2], depth), operand(words[1], depth));
    }
    if (words.front() == "required" && words.size() == 3) return operand(words[2], depth);
    if (words.front() == "coalesce") {
      Reading found;
      for (std::size_t i = 1; i < words.size() && found.text.empty() && !found.unknown; ++i) {
        found = or_default(operand(words[i], depth), {""});
      }
      return found;
    }
    if (words.front() == "printf") return print(words, all, depth);
    return beyond(all);
  }

  [[nodiscard]] Reading filter(const std::vector<string_view>& words, Reading value, string_view all, int depth) const {
    const string_view name = words.front();
    if (name == "quote" || name == "squote" || name == "trim" || name == "toString") return value;
    if (name == "default" && words.size() == 2) return or_default(std::move(value), operand(words[1], depth));
    return beyond(all);
  }

  static Reading or_default(Reading value, Reading other) {
    const bool unset = value.unknown && value.unknown->kind == UnresolvedKind::unset_variable;
    return unset || (!value.unknown && value.text.empty()) ? std::move(other) : std::move(value);
  }

  [[nodiscard]] Reading print(const std::vector<string_view>& words, string_view all, int depth) const {
    Reading format = words.size() < 2 ? beyond(all) : operand(words[1], depth);
    std::string out;
    std::size_t next = 2;
    for (std::size_t i = 0; i < format.text.size(); ++i) {
      if (format.text[i] != '%') {
        out += format.text[i];
        continue;
      }
      Reading value = next < words.size() ? operand(words[next++], depth) : beyond(all);
      if (value.unknown) return value;
      out += value.text;
      ++i;  // 's', 'v'
    }
    return format.unknown ? format : Reading{std::move(out)};
  }

  [[nodiscard]] Reading operand(string_view word, int depth) const {
    if (word.starts_with('(') && word.ends_with(')')) return evaluate(word.substr(1, word.size() - 2), depth + 1);
    if (word.size() >= 2 && word.front() == '"' && word.back() == '"') {
      return {std::string(word.substr(1, word.size() - 2))};
    }
    if (word.starts_with('$')) word.remove_prefix(1);
    if (word.starts_with(".Values.")) return value(values_, word.substr(8), word);
    if (word == ".Chart.AppVersion") return value(chart_, "appVersion", word);
    if (word == ".Chart.Version") return value(chart_, "version", word);
    return beyond(word);
  }

  static Reading value(const YamlNode* from, string_view path, string_view written) {
    const YamlNode* node = from == nullptr ? nullptr : from->find_path(path);
    if (node != nullptr && node->is_scalar()) return {node->text};
    return Reading::not_known(UnresolvedKind::unset_variable,
                              std::string(written) + " is not in the chart's own values");
  }

  const YamlNode* values_;
  const YamlNode* chart_;
};

const YamlNode* first_document(Workspace& files, const fs::path& path, const fs::path& root) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return nullptr;
  const Source* source = files.load(path, root);
  if (source == nullptr) return nullptr;
  const auto& documents = files.yaml(*source).documents();
  return documents.empty() ? nullptr : documents.front();
}

fs::path chart_folder(const fs::path& path) {
  for (auto folder = path.parent_path(); folder.has_filename(); folder = folder.parent_path()) {
    if (folder.filename() == "templates") return folder.parent_path();
  }
  return path.parent_path();
}

// The value of an "image:" key in a line of a template, or empty.
string_view image_value(string_view line) {
  line = trimmed(line);
  if (line.starts_with("- ")) line = trimmed(line.substr(2));
  if (!line.starts_with("image:")) return {};
  line = trimmed(line.substr(6));
  if (const std::size_t comment = line.find(" #"); comment != string_view::npos)
    line = trimmed(line.substr(0, comment));
  if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front()) {
    line = line.substr(1, line.size() - 2);
  }
  return line;
}

// "{{-" and "-}}" only say what becomes of the blanks around.
string_view without_trim_marks(string_view inner) {
  if (inner.starts_with("- ")) inner.remove_prefix(2);
  if (inner.ends_with(" -")) inner.remove_suffix(2);
  return trimmed(inner);
}

}  // namespace

void scan_helm_template(const Source& source, Workspace& files) {
  const fs::path chart = chart_folder(source.path);
  const Template evaluator(first_document(files, chart / "values.yaml", source.root),
                           first_document(files, chart / "Chart.yaml", source.root));
  string_view rest = source.text;
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const string_view value = image_value(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (value.empty()) continue;
    const Readings readings = expand_marked(
        value, "{{", "}}", [&](string_view inner) { return Readings{evaluator.evaluate(without_trim_marks(inner))}; });
    files.collector().images({source.name, line, "template", Format::helm}, value, readings);
  }
}

}  // namespace paddock::ci
