#include "config/schema.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "config/text.h"
#include "config/units.h"

namespace paddock::config {
namespace {

std::vector<Field> upstream_fields(UpstreamOptions& upstream) {
  return {{"name", &upstream.name, check_host},
          {"endpoints", &upstream.endpoints, check_endpoint},
          {"listen", &upstream.listen, check_address},
          {"default", &upstream.is_default},
          {"username", &upstream.username},
          {"password_file", &upstream.password_file},
          {"ca_file", &upstream.ca_file},
          {"allow", &upstream.allow, check_glob},
          {"connections", &upstream.connections},
          {"max_connections", &upstream.max_connections},
          {"bandwidth", &upstream.bandwidth},
          {"mirrors", &upstream.mirrors, check_host},
          {"tag_ttl", &upstream.tag_ttl},
          {"stale_if_error", &upstream.stale_if_error},
          {"trusted_realms", &upstream.trusted_realms, check_realm},
          {"redirects", &upstream.redirects, check_redirect},
          {"deadlines.connect", &upstream.deadlines.connect},
          {"deadlines.headers", &upstream.deadlines.headers},
          {"deadlines.stall", &upstream.deadlines.stall}};
}

std::vector<Field> warm_fields(WarmRule& rule) {
  return {{"name", &rule.name},         {"images", &rule.images}, {"where", &rule.where},
          {"latest", &rule.latest},     {"limit", &rule.limit},   {"platforms", &rule.platforms, check_platform},
          {"schedule", &rule.schedule}, {"pin", &rule.pin},       {"from_ci", &rule.from_ci},
          {"learn", &rule.learn},       {"ahead", &rule.ahead}};
}

template <typename T>
ListField list_field(std::string path, std::vector<T>& items, std::vector<Field> (*fields)(T&)) {
  return {std::move(path), [&items] { return items.size(); }, [&items] { items.clear(); },
          [&items] { items.emplace_back(); }, [&items, fields](std::size_t index) { return fields(items.at(index)); }};
}

std::string put(std::string* target, std::string_view text) {
  *target = text;
  return {};
}

std::string put(bool* target, std::string_view text) {
  if (text != "true" && text != "false") return cat({quote(text), " is neither true nor false"});
  *target = text == "true";
  return {};
}

std::string put(std::uint32_t* target, std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return cat({quote(text), " is not a whole number from 0 on"});
  }
  *target = value;
  return {};
}

template <typename Parsed, typename T>
std::string put_parsed(Parsed parsed, T* target) {
  if (!parsed) return std::move(parsed.error().context);
  *target = *parsed;
  return {};
}

std::string put(std::uint64_t* target, std::string_view text) { return put_parsed(parse_size(text), target); }
std::string put(SizeLimit* target, std::string_view text) { return put_parsed(parse_size_limit(text), target); }
std::string put(std::chrono::milliseconds* target, std::string_view text) {
  return put_parsed(parse_duration(text), target);
}

std::string put(std::chrono::seconds* target, std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error().context;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*duration);
  if (seconds != *duration) return cat({quote(text), " is finer than a second"});
  *target = seconds;
  return {};
}

std::string put(std::vector<std::string>* target, std::string_view text) {
  *target = {std::string(text)};
  return {};
}

// "host=address,host=address", as an environment variable says it.
std::string put(std::map<std::string, std::vector<std::string>>* target, std::string_view text) {
  std::map<std::string, std::vector<std::string>> found;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view entry = text.substr(0, comma);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) return cat({quote(entry), " is not NAME=VALUE"});
    found[std::string(entry.substr(0, equals))].emplace_back(entry.substr(equals + 1));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  *target = std::move(found);
  return {};
}

}  // namespace

Schema schema_of(Config& config) {
  Schema schema;
  schema.fields = {{"server.listen", &config.server.listen, check_address},
                   {"server.threads", &config.server.threads},
                   {"server.tls.certificate", &config.server.tls_certificate, nullptr, true},
                   {"server.tls.key", &config.server.tls_key, nullptr, true},
                   {"server.tls.kernel", &config.server.tls_kernel, check_tls_kernel, true},
                   {"server.auth.htpasswd", &config.server.auth_htpasswd, nullptr, true},
                   {"server.auth.anonymous_pull", &config.server.auth_anonymous_pull, nullptr, true},
                   {"server.drain", &config.server.drain, nullptr, true},
                   {"server.deadlines.header", &config.server.deadlines.header},
                   {"server.deadlines.idle", &config.server.deadlines.idle},
                   {"server.deadlines.stall", &config.server.deadlines.stall},
                   {"server.manifest_limit", &config.server.manifest_limit, nullptr, true},
                   {"admin.listen", &config.admin.listen, check_address},
                   {"admin.token_file", &config.admin.token_file, nullptr, true},
                   {"storage.path", &config.storage.path},
                   {"storage.max_size", &config.storage.max_size, nullptr, true},
                   {"storage.min_free", &config.storage.min_free, nullptr, true},
                   {"fills.at_once", &config.fills.at_once},
                   {"fills.on_abandon", &config.fills.on_abandon, check_on_abandon},
                   {"tags.negative_ttl", &config.tags.negative_ttl},
                   {"ingress.connect_proxy.listen", &config.connect_proxy.listen, check_address},
                   {"ingress.connect_proxy.ca_certificate", &config.connect_proxy.ca_certificate, nullptr, true},
                   {"ingress.connect_proxy.ca_key", &config.connect_proxy.ca_key, nullptr, true},
                   {"ingress.connect_proxy.hosts", &config.connect_proxy.hosts, check_host, true},
                   {"ingress.connect_proxy.tunnel", &config.connect_proxy.tunnel, check_tunnel, true},
                   {"resolve", &config.resolve, check_ip, true},
                   {"offline", &config.offline, nullptr, true},
                   {"log.level", &config.log.level, check_log_level, true},
                   {"log.format", &config.log.format, check_log_format}};
  schema.lists.push_back(list_field("upstreams", config.upstreams, &upstream_fields));
  schema.lists.push_back(list_field("warm", config.warm, &warm_fields));
  return schema;
}

std::string assign(const Field& field, std::string_view text) {
  return std::visit([&](auto* target) { return put(target, text); }, field.slot);
}

std::string assign_list(const Field& field, std::vector<std::string> texts) {
  auto* const* target = std::get_if<std::vector<std::string>*>(&field.slot);
  if (target == nullptr) return "takes one value, not a list";
  **target = std::move(texts);
  return {};
}

void clear_map(const Field& field) { std::get<std::map<std::string, std::vector<std::string>>*>(field.slot)->clear(); }

std::string assign_entry(const Field& field, const std::string& name, std::vector<std::string> texts) {
  auto& entries = *std::get<std::map<std::string, std::vector<std::string>>*>(field.slot);
  return entries.emplace(name, std::move(texts)).second ? "" : cat({"key ", quote(name), " is given twice"});
}

bool same_value(const Field& a, const Field& b) {
  return std::visit(
      [&](auto* left) {
        auto* const* right = std::get_if<decltype(left)>(&b.slot);
        return right != nullptr && *left == **right;
      },
      a.slot);
}

void copy_value(const Field& from, const Field& to) {
  std::visit(
      [&](auto* target) {
        if (auto* const* source = std::get_if<decltype(target)>(&from.slot)) *target = **source;
      },
      to.slot);
}

}  // namespace paddock::config
