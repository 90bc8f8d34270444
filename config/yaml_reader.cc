#include "config/yaml_reader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "config/text.h"

namespace paddock::config {
namespace {

constexpr std::size_t text_limit = 1U << 20U;
constexpr std::size_t node_limit = 100'000;  // aliases can make a small text large

// Notes where a document begins, and nothing else.
class DocumentStart final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { line = mark.line + 1; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int line = 0;
};

// 0: there is none. YAML::LoadAll does not end, nor do its needs for memory, where a ',' stands between documents.
int line_of_second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  const bool two = parser.HandleNextDocument(start) && parser.HandleNextDocument(start);
  return two ? start.line : 0;
}

class Reader {
 public:
  Reader(std::string name, Report& report) : name_(std::move(name)), report_(report) {}

  std::optional<YAML::Node> parse(std::string_view text);
  void read_schema(const YAML::Node& root, const Schema& schema);
  void read_list(const YAML::Node& node, const ListField& list, int line);

 private:
  // One level of keys: the fields below `prefix`; `path` is what stands before their names in messages.
  struct Level {
    const std::vector<Field>& fields;
    const std::vector<ListField>& lists;
    std::string prefix;
    std::string path;
  };

  void read_mapping(const YAML::Node& node, const Level& level);
  void read_value(const YAML::Node& node, const std::string& key, const Level& level, int line);
  void read_field(const YAML::Node& node, const Field& field, const std::string& path, int line);
  void read_texts(const YAML::Node& node, const Field& field, const std::string& path, int line);
  void read_map(const YAML::Node& node, const Field& field, const std::string& path, int line);
  std::optional<std::vector<std::string>> texts_of(const YAML::Node& node, const std::string& path, int line);
  bool is_text(const YAML::Node& node, const std::string& path, int line);
  bool spend(int line);
  [[nodiscard]] std::string where(int line) const { return name_ + ':' + std::to_string(line); }
  void problem(int line, std::string_view text) { report_.add(where(line), text); }

  std::string name_;
  Report& report_;
  std::size_t nodes_ = 0;
};

// Empty values have no place of their own: the key's line counts.
int line_of(const YAML::Node& node, int fallback) {
  const int line = node.Mark().line;
  return line < 0 ? fallback : line + 1;
}

const char* kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  return node.IsSequence() ? "a list" : "a single value";
}

// The names that may stand directly below the prefix.
std::vector<std::string> children(const std::vector<Field>& fields, const std::vector<ListField>& lists,
                                  std::string_view prefix) {
  std::set<std::string> names;
  const auto add = [&](std::string_view path) {
    if (!path.starts_with(prefix)) return;
    path.remove_prefix(prefix.size());
    names.emplace(path.substr(0, path.find('.')));
  };
  for (const Field& field : fields) add(field.path);
  for (const ListField& list : lists) add(list.path);
  return {names.begin(), names.end()};
}

bool Reader::spend(int line) {
  if (++nodes_ <= node_limit) return true;
  if (nodes_ == node_limit + 1) problem(line, "more than 100000 values, aliases counted");
  return false;
}

std::optional<YAML::Node> Reader::parse(std::string_view text) {
  if (text.size() > text_limit) {
    report_.add(name_, "larger than 1 MiB, which no configuration is");
    return std::nullopt;
  }
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
    report_.add(name_, "not UTF-8 text");
    return std::nullopt;
  }
  try {
    const std::string copy(text);
    if (const int line = line_of_second_document(copy); line > 0) {
      report_.add(where(line), "more than one YAML document, or something left over after the first");
      return std::nullopt;
    }
    return YAML::Load(copy);
  } catch (const YAML::Exception& error) {
    report_.add(where(std::max(error.mark.line, 0) + 1), cat({"not YAML: ", error.msg}));
  }
  return std::nullopt;
}

void Reader::read_schema(const YAML::Node& root, const Schema& schema) {
  if (root.IsNull()) return;
  if (!root.IsMap()) {
    problem(line_of(root, 1), cat({"expected keys such as 'server:', found ", kind_of(root)}));
    return;
  }
  read_mapping(root, {schema.fields, schema.lists, "", ""});
}

void Reader::read_mapping(const YAML::Node& node, const Level& level) {
  std::set<std::string> seen;
  for (const auto& pair : node) {
    const int line = line_of(pair.first, line_of(node, 1));
    if (!spend(line)) return;
    if (!pair.first.IsScalar()) {
      problem(line, "a key must be a word");
      continue;
    }
    const std::string& key = pair.first.Scalar();
    if (!seen.insert(key).second) {
      problem(line, cat({"key ", quote(key), " is given twice"}));
      continue;
    }
    read_value(pair.second, key, level, line);
  }
}

void Reader::read_value(const YAML::Node& node, const std::string& key, const Level& level, int line) {
  const std::string full = level.prefix + key;
  const std::string path = level.path + key;
  const auto field = std::ranges::find(level.fields, full, &Field::path);
  if (field != level.fields.end()) {
    read_field(node, *field, path, line_of(node, line));
    return;
  }
  const auto list = std::ranges::find(level.lists, full, &ListField::path);
  if (list != level.lists.end()) {
    read_list(node, *list, line);
    return;
  }
  const auto known = children(level.fields, level.lists, level.prefix);
  if (std::ranges::find(known, key) == known.end()) {
    problem(line, cat({"unknown key ", quote(key), suggestion(key, known)}));
    return;
  }
  report_.note_origin(path, where(line));
  if (node.IsNull()) return;
  if (!node.IsMap()) {
    problem(line_of(node, line), cat({path, ": must be a mapping, found ", kind_of(node)}));
    return;
  }
  read_mapping(node, {level.fields, level.lists, full + '.', path + '.'});
}

bool Reader::is_text(const YAML::Node& node, const std::string& path, int line) {
  if (!node.IsScalar()) {
    const std::string found = node.IsNull() ? "nothing" : kind_of(node);
    problem(line, cat({path, ": must be a single value, found ", found}));
    return false;
  }
  const std::string& tag = node.Tag();
  if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return true;
  problem(line, cat({path, ": the tag ", quote(tag), " means nothing here"}));
  return false;
}

void Reader::read_field(const YAML::Node& node, const Field& field, const std::string& path, int line) {
  if (node.IsNull()) return;  // "key:" without a value leaves the default
  report_.note_origin(path, where(line));
  if (field.is_list() && node.IsSequence()) {
    read_texts(node, field, path, line);
    return;
  }
  if (field.is_map()) {
    read_map(node, field, path, line);
    return;
  }
  if (!is_text(node, path, line)) return;
  const std::string wrong = assign(field, node.Scalar());
  if (!wrong.empty()) problem(line, cat({path, ": ", wrong}));
}

void Reader::read_texts(const YAML::Node& node, const Field& field, const std::string& path, int line) {
  if (auto texts = texts_of(node, path, line)) assign_list(field, *std::move(texts));
}

void Reader::read_map(const YAML::Node& node, const Field& field, const std::string& path, int line) {
  if (!node.IsMap()) {
    problem(line, cat({path, ": must be a mapping, found ", kind_of(node)}));
    return;
  }
  clear_map(field);
  for (const auto& pair : node) {
    const int entry_line = line_of(pair.first, line);
    if (!spend(entry_line)) return;
    if (!pair.first.IsScalar()) {
      problem(entry_line, "a key must be a word");
      continue;
    }
    const std::string& name = pair.first.Scalar();
    const std::string entry_path = path + '.' + name;
    report_.note_origin(entry_path, where(entry_line));
    auto texts = pair.second.IsSequence() ? texts_of(pair.second, entry_path, entry_line) : std::vector<std::string>{};
    if (!texts) return;
    if (!pair.second.IsSequence()) {
      if (!is_text(pair.second, entry_path, entry_line)) continue;
      texts->push_back(pair.second.Scalar());
    }
    const std::string wrong = assign_entry(field, name, *std::move(texts));
    if (!wrong.empty()) problem(entry_line, wrong);
  }
}

// Nothing where something was wrong.
std::optional<std::vector<std::string>> Reader::texts_of(const YAML::Node& node, const std::string& path, int line) {
  std::vector<std::string> texts;
  for (const YAML::Node& item : node) {
    const int item_line = line_of(item, line);
    const std::string item_path = path + '[' + std::to_string(texts.size()) + ']';
    if (!spend(item_line) || !is_text(item, item_path, item_line)) return std::nullopt;
    report_.note_origin(item_path, where(item_line));
    texts.push_back(item.Scalar());
  }
  return texts;
}

void Reader::read_list(const YAML::Node& node, const ListField& list, int line) {
  static const std::vector<ListField> no_lists;
  if (node.IsNull()) return;
  report_.forget_origins(list.path);
  report_.note_origin(list.path, where(line));
  if (!node.IsSequence()) {
    problem(line_of(node, line), cat({list.path, ": must be a list of mappings, found ", kind_of(node)}));
    return;
  }
  list.clear();
  for (const YAML::Node& item : node) {
    const int item_line = line_of(item, line);
    const std::size_t index = list.size();
    const std::string path = list.path + '[' + std::to_string(index) + ']';
    if (!spend(item_line)) return;
    if (!item.IsMap()) {
      problem(item_line, cat({path, ": must be a mapping, found ", item.IsNull() ? "nothing" : kind_of(item)}));
      continue;
    }
    list.append();
    report_.note_origin(path, where(item_line));
    const std::vector<Field> fields = list.element(index);
    read_mapping(item, {fields, no_lists, "", path + '.'});
  }
}

}  // namespace

void read_yaml(std::string_view text, const std::string& name, const Schema& schema, Report& report) {
  Reader reader(name, report);
  try {
    if (const auto root = reader.parse(text)) reader.read_schema(*root, schema);
  } catch (const YAML::Exception& error) {
    report.add(name, error.what());
  }
}

void read_yaml_list(std::string_view text, const std::string& name, const ListField& list, Report& report) {
  Reader reader(name, report);
  try {
    if (const auto root = reader.parse(text)) reader.read_list(*root, list, 1);
  } catch (const YAML::Exception& error) {
    report.add(name, error.what());
  }
}

}  // namespace paddock::config
