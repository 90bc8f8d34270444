#include "config/environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "config/text.h"
#include "config/yaml_reader.h"

namespace paddock::config {
namespace {

constexpr std::string_view prefix = "PADDOCK_";
// Of the client subcommands.
constexpr std::array<std::string_view, 3> not_ours{"PADDOCK_SERVER", "PADDOCK_TOKEN", "PADDOCK_CONFIG"};

// Kubernetes gives every pod such variables for each service: for one called paddock PADDOCK_SERVICE_HOST,
// PADDOCK_SERVICE_PORT_HTTP, PADDOCK_PORT=tcp://10.0.0.1:5000, PADDOCK_PORT_5000_TCP_ADDR.
bool is_kubernetes(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")) return true;
  if (name.ends_with("_PORT") &&
      (value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://"))) {
    return true;
  }
  const auto port = name.find("_PORT_");
  if (port == std::string_view::npos) return false;
  name.remove_prefix(port + 6);
  const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
  name.remove_prefix(digits);
  return digits > 0 && (name.starts_with("_TCP") || name.starts_with("_UDP") || name.starts_with("_SCTP"));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    part = part.substr(0, part.find_last_not_of(' ') + 1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

void set_field(const Field& field, const std::string& path, const std::string& variable, const std::string& value,
               Report& report) {
  report.forget_origins(path + '[');
  report.note_origin(path, variable);
  if (!is_utf8(value)) {
    report.add(variable, "not UTF-8 text");
    return;
  }
  const std::string wrong = field.is_list() ? assign_list(field, split_list(value)) : assign(field, value);
  if (!wrong.empty()) report.add(variable, wrong);
}

// "PADDOCK_UPSTREAMS_12_NAME" for the list PADDOCK_UPSTREAMS: 12 and "NAME".
struct Indexed {
  std::size_t index = 0;
  std::string rest;
  const Environment::value_type* variable = nullptr;
};

bool parse_indexed(const Environment::value_type& variable, const std::string& list_name, Indexed& out) {
  const std::string& name = variable.first;
  if (!name.starts_with(list_name + '_')) return false;
  const char* begin = name.data() + list_name.size() + 1;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(begin, end, out.index);
  if (error != std::errc{} || stop == end || *stop != '_') return false;
  out.rest.assign(stop + 1, end);
  out.variable = &variable;
  return true;
}

std::vector<std::string> element_names(const std::vector<Field>& fields, const std::string& start) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const Field& field : fields) names.push_back(start + variable_name(field.path).substr(prefix.size()));
  return names;
}

void set_element(const Indexed& item, const std::string& list_name, const ListField& list, Report& report) {
  const auto& [name, value] = *item.variable;
  const std::string index = std::to_string(item.index);
  if (item.index > list.size()) {
    report.add(name, cat({"there is no element ", std::to_string(list.size()), " before it"}));
    return;
  }
  if (item.index == list.size()) list.append();
  const std::vector<Field> fields = list.element(item.index);
  const std::string start = list_name + '_' + index + '_';
  const auto names = element_names(fields, start);
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    report.add(name, "unknown variable" + suggestion(name, names));
    return;
  }
  const Field& field = fields[static_cast<std::size_t>(found - names.begin())];
  set_field(field, cat({list.path, "[", index, "].", field.path}), name, value, report);
}

// Takes what it understands out of `variables`.
void read_list(Environment& variables, const ListField& list, Report& report) {
  const std::string list_name = variable_name(list.path);
  if (const auto whole = variables.find(list_name); whole != variables.end()) {
    read_yaml_list(whole->second, list_name, list, report);
    variables.erase(whole);
  }
  std::vector<Indexed> items;
  for (const auto& variable : variables) {
    Indexed item;
    if (parse_indexed(variable, list_name, item)) items.push_back(std::move(item));
  }
  std::ranges::sort(items, {}, &Indexed::index);
  for (const Indexed& item : items) set_element(item, list_name, list, report);
  for (const Indexed& item : items) variables.erase(std::string(item.variable->first));
}

}  // namespace

Environment process_environment() {
  Environment found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (!text.starts_with(prefix) || equals == std::string_view::npos) continue;
    found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

std::string variable_name(std::string_view path) {
  std::string name(prefix);
  for (const char c : path) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

void read_environment(const Environment& environment, const Schema& schema, Report& report) {
  Environment variables;
  for (const auto& [name, value] : environment) {
    if (name.starts_with(prefix) && std::ranges::find(not_ours, name) == not_ours.end()) variables.emplace(name, value);
  }
  std::vector<std::string> names;
  for (const Field& field : schema.fields) {
    names.push_back(variable_name(field.path));
    const auto found = variables.find(names.back());
    if (found == variables.end()) continue;
    set_field(field, field.path, found->first, found->second, report);
    variables.erase(found);
  }
  for (const ListField& list : schema.lists) {
    names.push_back(variable_name(list.path));
    read_list(variables, list, report);
  }
  for (const auto& [name, value] : variables) {
    if (!is_kubernetes(name, value)) report.add(name, "unknown variable" + suggestion(name, names));
  }
}

}  // namespace paddock::config
