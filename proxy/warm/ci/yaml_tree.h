// A YAML file as a tree with line numbers, made from yaml-cpp's events, so that hostile documents cost little.
//
// Aliases share nodes. A document is refused when it is deeper than 64 levels, has more than 200,000 values, or would
// with its aliases expanded (a "YAML bomb"), or when an anchor holds itself; so whoever walks a tree, sharing and all,
// needs no limits of its own. Merge keys (<<) are applied; of a key given twice the last counts. What came before the
// first problem is kept. Never throws; a tree may be read by several threads.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paddock::ci {

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  using Entry = std::pair<const YamlNode*, const YamlNode*>;

  Kind kind = Kind::null;
  bool literal = false;  // a '|' block: its text's lines are the file's, from the line after this one
  int line = 1;
  int height = 1;            // levels below and with it
  std::uint64_t weight = 1;  // values below and with it, aliases expanded
  std::string tag;           // "!reference"; empty where yaml-cpp says "?" or "!"
  std::string text;          // of a scalar
  const std::string* file = nullptr;
  std::vector<const YamlNode*> items;
  std::vector<Entry> entries;

  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_map() const { return kind == Kind::mapping; }
  [[nodiscard]] bool is_list() const { return kind == Kind::sequence; }
  // Of a mapping; nullptr when absent, or when this is none.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] const YamlNode* find_path(std::string_view dotted) const;
  // The scalar below the key, or empty.
  [[nodiscard]] std::string_view scalar(std::string_view key) const;
};

struct YamlProblem {
  int line = 1;
  std::string message;
};

class YamlFile {
 public:
  // `first_line`: where the text begins in the file.
  YamlFile(std::string name, std::string_view text, int first_line = 1);
  YamlFile(const YamlFile&) = delete;
  YamlFile& operator=(const YamlFile&) = delete;

  [[nodiscard]] const std::vector<const YamlNode*>& documents() const { return documents_; }
  [[nodiscard]] const std::optional<YamlProblem>& problem() const { return problem_; }

 private:
  friend class YamlBuilder;
  std::string name_;
  std::deque<YamlNode> nodes_;
  std::vector<const YamlNode*> documents_;
  std::optional<YamlProblem> problem_;
};

}  // namespace paddock::ci
