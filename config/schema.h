// Schema: every key there is, once: its dotted path, where its value goes and what it must look like. The YAML reader,
// the environment and the checks all walk this table, so that they cannot disagree.
//
// It points into the Config it was made for, and must not outlive it. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/checks.h"
#include "config/options.h"

namespace paddock::config {

using Slot = std::variant<std::string*, bool*, std::uint32_t*, std::uint64_t*, SizeLimit*, std::chrono::seconds*,
                          std::chrono::milliseconds*, std::vector<std::string>*,
                          std::map<std::string, std::vector<std::string>>*>;

struct Field {
  std::string path;       // "server.tls.certificate"; within a list's element relative: "deadlines.connect"
  Slot slot;              // std::uint64_t is a size in bytes
  Check check = nullptr;  // of a text, or of each of a list or map; empty texts are not checked
  bool live = false;      // a reload takes it over; the others need a restart

  [[nodiscard]] bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(slot); }
  // Names of the user's, each with one value or several.
  [[nodiscard]] bool is_map() const {
    return std::holds_alternative<std::map<std::string, std::vector<std::string>>*>(slot);
  }
};

// A list of mappings: upstreams, warm.
struct ListField {
  std::string path;
  std::function<std::size_t()> size;
  std::function<void()> clear;
  std::function<void()> append;
  std::function<std::vector<Field>(std::size_t index)> element;
};

struct Schema {
  std::vector<Field> fields;
  std::vector<ListField> lists;
};

Schema schema_of(Config& config);

// Each returns what is wrong with the text, or nothing and the value is set.
std::string assign(const Field& field, std::string_view text);
std::string assign_list(const Field& field, std::vector<std::string> texts);
// The map less what it held before.
void clear_map(const Field& field);
std::string assign_entry(const Field& field, const std::string& name, std::vector<std::string> texts);

// Of two fields of the same path.
bool same_value(const Field& a, const Field& b);
void copy_value(const Field& from, const Field& to);

}  // namespace paddock::config
