#include "proxy/warm/ci/yaml_tree.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <sstream>
#include <unordered_map>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "proxy/oci/printable.h"

namespace paddock::ci {
namespace {

constexpr int depth_limit = 64;
constexpr std::uint64_t values_limit = 200'000;

// Ends the parse; yaml-cpp lets exceptions of its handler pass.
struct Refused {
  YamlProblem problem;
};

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

class YamlBuilder : public YAML::EventHandler {
 public:
  YamlBuilder(YamlFile& file, std::string_view text, int first_line)
      : file_(file), lines_(split_lines(text)), first_line_(first_line) {}

  // The library begins one document after the other where something stands between them, without end.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == begun_) {
      throw Refused{
          {mark.line + first_line_, "not YAML: something is left over after a document; correct it at this line"}};
    }
    begun_ = mark.pos;
    anchors_.clear();
    building_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place(make(YamlNode::Kind::null, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias before its anchor; move the anchor up");
    const bool open = std::ranges::any_of(building_, [&](const Open& item) { return item.node == found->second; });
    if (open) refuse(mark, "the anchor holds an alias to itself; take the alias out");
    place(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = make(YamlNode::Kind::scalar, mark, tag, anchor);
    node->text = value;
    node->literal = tag != "?" && is_literal(mark);
    place(node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override {
    merge(*building_.back().node);
    close();
  }

 private:
  struct Open {
    YamlNode* node;
    const YamlNode* key = nullptr;  // of a mapping: waits for its value
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{{mark.line + first_line_, std::move(message)}};
  }

  // Whether "|" stands at the end of the scalar's first line.
  [[nodiscard]] bool is_literal(const YAML::Mark& mark) const {
    if (mark.line < 0 || static_cast<std::size_t>(mark.line) >= lines_.size()) return false;
    std::string_view line = lines_[static_cast<std::size_t>(mark.line)];
    line = line.substr(std::min(line.size(), static_cast<std::size_t>(std::max(mark.column, 0))));
    const std::size_t bar = line.find('|');
    if (bar == std::string_view::npos || line.substr(0, bar).find_first_of("\"'>") != std::string_view::npos) {
      return false;
    }
    const std::size_t rest = line.find_first_not_of("+-0123456789 \t\r", bar + 1);
    return rest == std::string_view::npos || line[rest] == '#';
  }

  YamlNode* make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (file_.nodes_.size() >= values_limit) refuse(mark, "more than 200000 values; split the file");
    YamlNode* node = &file_.nodes_.emplace_back();
    node->kind = kind;
    node->line = mark.line + first_line_;
    node->file = &file_.name_;
    if (tag != "?" && tag != "!") node->tag = tag;
    if (anchor != 0) anchors_[anchor] = node;
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (building_.size() >= depth_limit) refuse(mark, "nested deeper than 64 levels; no CI system takes that");
    building_.push_back({make(kind, mark, tag, anchor)});
  }

  void close() {
    const YamlNode* done = building_.back().node;
    building_.pop_back();
    place(done);
  }

  void place(const YamlNode* node) {
    if (building_.empty()) {
      file_.documents_.push_back(node);
      return;
    }
    Open& parent = building_.back();
    grow(*parent.node, *node);
    if (parent.node->is_list()) {
      parent.node->items.push_back(node);
    } else if (parent.key == nullptr) {
      parent.key = node;
    } else {
      parent.node->entries.emplace_back(parent.key, node);
      parent.key = nullptr;
    }
  }

  void grow(YamlNode& parent, const YamlNode& child) const {
    parent.height = std::max(parent.height, child.height + 1);
    parent.weight += child.weight;
    if (parent.height > depth_limit) {
      throw Refused{{parent.line, "nested deeper than 64 levels with its aliases; no CI system takes that"}};
    }
    if (parent.weight > values_limit) {
      throw Refused{{parent.line, "its aliases expand to more than 200000 values; write out what is meant"}};
    }
  }

  // YAML 1.1 merge keys: what they bring counts where the mapping itself says nothing.
  static void merge(YamlNode& node) {
    const auto is_merge = [](const YamlNode::Entry& entry) {
      return entry.first->is_scalar() && entry.first->text == "<<";
    };
    if (std::ranges::none_of(node.entries, is_merge)) return;
    std::vector<YamlNode::Entry> own;
    std::vector<const YamlNode*> sources;
    std::set<std::string_view> keys;
    for (const YamlNode::Entry& entry : node.entries) {
      if (!is_merge(entry)) {
        keys.insert(entry.first->text);
        own.push_back(entry);
      } else if (entry.second->is_list()) {
        sources.insert(sources.end(), entry.second->items.begin(), entry.second->items.end());
      } else {
        sources.push_back(entry.second);
      }
    }
    for (const YamlNode* source : sources) {
      for (auto entry = source->entries.rbegin(); entry != source->entries.rend(); ++entry) {
        if (keys.insert(entry->first->text).second) own.push_back(*entry);
      }
    }
    node.entries = std::move(own);
  }

  YamlFile& file_;
  std::vector<std::string_view> lines_;
  int first_line_;
  int begun_ = -1;  // where the document that is read began
  std::unordered_map<YAML::anchor_t, const YamlNode*> anchors_;
  std::vector<Open> building_;
};

YamlFile::YamlFile(std::string name, std::string_view text, int first_line) : name_(std::move(name)) {
  YamlBuilder builder(*this, text, first_line);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    problem_ = refused.problem;
  } catch (const YAML::Exception& error) {
    problem_ = YamlProblem{std::max(error.mark.line, 0) + first_line,
                           "not YAML: " + public_message(error.msg) + "; correct it at this line"};
  }
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (entry->first->is_scalar() && entry->first->text == key) return entry->second;
  }
  return nullptr;
}

const YamlNode* YamlNode::find_path(std::string_view dotted) const {
  const YamlNode* node = this;
  while (node != nullptr) {
    const std::size_t dot = dotted.find('.');
    node = node->find(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return node;
    dotted.remove_prefix(dot + 1);
  }
  return nullptr;
}

std::string_view YamlNode::scalar(std::string_view key) const {
  const YamlNode* node = find(key);
  return node != nullptr && node->is_scalar() ? std::string_view(node->text) : std::string_view();
}

}  // namespace paddock::ci
