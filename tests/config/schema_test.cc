#include "config/schema.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using paddock::config::assign;
using paddock::config::assign_list;
using paddock::config::Config;
using paddock::config::Field;
using paddock::config::ListField;
using paddock::config::Schema;
using paddock::config::schema_of;

namespace {

Field find(const Schema& schema, std::string_view path) {
  for (const Field& field : schema.fields) {
    if (field.path == path) return field;
  }
  FAIL("no field " << path);
  return {};
}

}  // namespace

TEST_CASE("every key of the contract is there") {
  Config config;
  const Schema schema = schema_of(config);
  std::set<std::string> paths;
  for (const Field& field : schema.fields) CHECK(paths.insert(field.path).second);
  for (const auto* path : {"server.listen",
                           "server.threads",
                           "server.tls.certificate",
                           "server.tls.key",
                           "server.auth.htpasswd",
                           "server.auth.anonymous_pull",
                           "server.drain",
                           "server.deadlines.stall",
                           "admin.listen",
                           "admin.token_file",
                           "storage.path",
                           "storage.max_size",
                           "storage.min_free",
                           "ingress.connect_proxy.listen",
                           "ingress.connect_proxy.ca_certificate",
                           "ingress.connect_proxy.ca_key",
                           "ingress.connect_proxy.hosts",
                           "offline",
                           "log.level",
                           "log.format"}) {
    CAPTURE(path);
    CHECK(paths.contains(path));
  }
}

TEST_CASE("every key of an upstream and a warm rule of the contract is there") {
  Config config;
  config.warm.emplace_back();
  std::set<std::string> paths;
  for (const ListField& list : schema_of(config).lists) {
    for (const Field& field : list.element(0)) CHECK(paths.insert(list.path + "." + field.path).second);
  }
  for (const auto* key : {"name", "endpoints", "default", "username", "password_file", "ca_file", "allow",
                          "connections", "bandwidth", "tag_ttl", "stale_if_error"}) {
    CAPTURE(key);
    CHECK(paths.contains(std::string("upstreams.") + key));
  }
  for (const auto* key :
       {"name", "images", "where", "platforms", "schedule", "pin", "from_ci", "latest", "limit", "learn", "ahead"}) {
    CAPTURE(key);
    CHECK(paths.contains(std::string("warm.") + key));
  }
}

TEST_CASE("no two keys share a value") {
  Config config;
  config.warm.emplace_back();
  const Schema schema = schema_of(config);
  std::set<const void*> targets;
  const auto add = [&](const Field& field) {
    const void* target = std::visit([](auto* slot) -> const void* { return slot; }, field.slot);
    CAPTURE(field.path);
    CHECK(targets.insert(target).second);
  };
  for (const Field& field : schema.fields) add(field);
  for (const ListField& list : schema.lists) {
    for (const Field& field : list.element(0)) add(field);
  }
}

TEST_CASE("no path lies below another, so that a key is either a value or a section") {
  Config config;
  const Schema schema = schema_of(config);
  for (const Field& outer : schema.fields) {
    for (const Field& inner : schema.fields) CHECK_FALSE(inner.path.starts_with(outer.path + '.'));
  }
}

TEST_CASE("a text is assigned as its field's kind") {
  Config config;
  const Schema schema = schema_of(config);
  CHECK(assign(find(schema, "storage.path"), "/data").empty());
  CHECK(config.storage.path == "/data");
  CHECK(assign(find(schema, "offline"), "true").empty());
  CHECK(config.offline);
  CHECK(assign(find(schema, "server.threads"), "7").empty());
  CHECK(config.server.threads == 7);
  CHECK(assign(find(schema, "storage.min_free"), "1MiB").empty());
  CHECK(config.storage.min_free == 1U << 20U);
  CHECK(assign(find(schema, "storage.max_size"), "10%").empty());
  CHECK(config.storage.max_size.percent == 10);
  CHECK(assign(find(schema, "server.drain"), "2m").empty());
  CHECK(config.server.drain == std::chrono::minutes{2});
  CHECK(assign(find(schema, "server.listen"), "a:1").empty());
  CHECK(config.server.listen == std::vector<std::string>{"a:1"});
}

TEST_CASE("a wrong text leaves the value alone and says what is wrong") {
  struct Case {
    std::string path, text, problem;
  };
  const auto c = GENERATE(values<Case>({{"offline", "True", "neither true nor false"},
                                        {"offline", "1", "neither true nor false"},
                                        {"server.threads", "+1", "not a whole number"},
                                        {"server.threads", "1 ", "not a whole number"},
                                        {"storage.min_free", "much", "not a size"},
                                        {"storage.max_size", "200%", "not a share"},
                                        {"server.drain", "soon", "not a duration"},
                                        {"server.drain", "1ms", "finer than a second"}}));
  CAPTURE(c.path, c.text);
  Config config;
  const Schema schema = schema_of(config);
  CHECK(assign(find(schema, c.path), c.text).find(c.problem) != std::string::npos);
  CHECK(config == Config{});
}

TEST_CASE("a list goes only where a list belongs") {
  Config config;
  const Schema schema = schema_of(config);
  CHECK(assign_list(find(schema, "server.listen"), {"a:1", "b:2"}).empty());
  CHECK(config.server.listen.size() == 2);
  CHECK(assign_list(find(schema, "offline"), {"true"}) == "takes one value, not a list");
  CHECK_FALSE(config.offline);
}

TEST_CASE("list fields grow, shrink and give their elements' fields") {
  Config config;
  const Schema schema = schema_of(config);
  const ListField& upstreams = schema.lists.at(0);
  REQUIRE(upstreams.path == "upstreams");
  CHECK(upstreams.size() == 3);
  upstreams.clear();
  CHECK(config.upstreams.empty());
  upstreams.append();
  CHECK(assign(upstreams.element(0).front(), "x.example").empty());
  CHECK(config.upstreams.at(0).name == "x.example");
}

TEST_CASE("fields of two configurations are compared by value") {
  Config a, b;
  const Schema first = schema_of(a);
  const Schema second = schema_of(b);
  for (std::size_t i = 0; i < first.fields.size(); ++i) {
    CHECK(paddock::config::same_value(first.fields[i], second.fields[i]));
  }
  b.server.drain += std::chrono::seconds{1};
  b.server.listen.emplace_back("x:1");
  CHECK_FALSE(same_value(find(first, "server.drain"), find(second, "server.drain")));
  CHECK_FALSE(same_value(find(first, "server.listen"), find(second, "server.listen")));
  CHECK_FALSE(same_value(find(first, "server.listen"), find(second, "offline")));
}
