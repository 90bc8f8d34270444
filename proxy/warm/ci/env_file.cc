#include "proxy/warm/ci/env_file.h"

#include <algorithm>
#include <cstddef>

namespace paddock::ci {
namespace {

using std::string_view;

// Without its quotes, or the comment behind it.
string_view value_of(string_view text, bool& plain) {
  text = trimmed(text);
  if (text.starts_with('\'') || text.starts_with('"')) {
    const std::size_t end = text.find(text.front(), 1);
    plain = text.front() == '\'';
    return text.substr(1, end == string_view::npos ? end : end - 1);
  }
  const std::size_t comment = text.find(" #");
  return trimmed(text.substr(0, comment));
}

}  // namespace

Variables read_env_file(string_view text) {
  Variables variables;
  ExpansionBudget budget;
  const Lookup lookup = [&](string_view name) -> std::optional<Readings> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    const string_view name = trimmed(line.substr(0, equals));
    if (equals == string_view::npos || !is_name(name)) continue;
    bool plain = false;
    const string_view value = value_of(line.substr(equals + 1), plain);
    Readings readings{{std::string(value)}};
    if (!plain) readings = budget.within([&] { return expand_variables(value, Dialect::compose, lookup); });
    variables[std::string(name)] = std::move(readings);
  }
  return variables;
}

}  // namespace paddock::ci
