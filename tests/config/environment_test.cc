#include "config/environment.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "config/yaml_loader.h"

using paddock::config::apply_environment;
using paddock::config::Config;
using paddock::config::Environment;
using paddock::config::variable_name;

namespace {

Config good(const Environment& environment) {
  const auto config = apply_environment(Config{}, environment);
  if (!config) FAIL(config.error().context);
  return *config;
}

std::string problems(const Environment& environment) {
  const auto config = apply_environment(Config{}, environment);
  REQUIRE_FALSE(config);
  CHECK(config.error().code == paddock::ErrorCode::invalid_argument);
  return config.error().context;
}

}  // namespace

TEST_CASE("a key's variable is its path in capitals") {
  CHECK(variable_name("server.tls.certificate") == "PADDOCK_SERVER_TLS_CERTIFICATE");
  CHECK(variable_name("offline") == "PADDOCK_OFFLINE");
}

TEST_CASE("every plain key can be set from the environment") {
  Config config;
  const paddock::config::Schema schema = paddock::config::schema_of(config);
  for (const auto& field : schema.fields) {
    // "\xff" is wrong for every kind: an answer that names the variable shows that it was understood.
    const std::string name = variable_name(field.path);
    CHECK(problems({{name, "\xff"}}) == name + ": not UTF-8 text");
  }
  CHECK(schema.fields.size() >= 20);
}

TEST_CASE("every key of an upstream and of a warm rule can be set from the environment") {
  Config config;
  config.warm.emplace_back();
  for (const auto& list : paddock::config::schema_of(config).lists) {
    for (const auto& field : list.element(0)) {
      const std::string name = variable_name(list.path) + "_0" + variable_name("_" + field.path).substr(8);
      CHECK(problems({{name, "\xff"}}).find(name + ": not UTF-8 text") != std::string::npos);
    }
  }
}

TEST_CASE("values are read as in the file, lists by commas") {
  const Config config = good({{"PADDOCK_SERVER_LISTEN", "0.0.0.0:5000, [::1]:5001,,unix:/x"},
                              {"PADDOCK_STORAGE_MAX_SIZE", "50%"},
                              {"PADDOCK_SERVER_DRAIN", "1m"},
                              {"PADDOCK_OFFLINE", "true"},
                              {"PADDOCK_LOG_FORMAT", "json"}});
  CHECK(config.server.listen == std::vector<std::string>{"0.0.0.0:5000", "[::1]:5001", "unix:/x"});
  CHECK(config.storage.max_size.percent == 50);
  CHECK(config.server.drain == std::chrono::minutes{1});
  CHECK(config.offline);
  CHECK(config.log.format == "json");
}

TEST_CASE("an element of a list is changed in place, and the next one appended") {
  const Config config = good({{"PADDOCK_UPSTREAMS_0_TAG_TTL", "1m"},
                              {"PADDOCK_UPSTREAMS_0_DEADLINES_CONNECT", "100ms"},
                              {"PADDOCK_UPSTREAMS_3_NAME", "quay.io"},
                              {"PADDOCK_UPSTREAMS_3_ENDPOINTS", "https://quay.io,https://mirror.example"}});
  REQUIRE(config.upstreams.size() == 4);
  CHECK(config.upstreams[0].name == "registry.baidubce.com");
  CHECK(config.upstreams[0].tag_ttl == std::chrono::minutes{1});
  CHECK(config.upstreams[0].deadlines.connect == std::chrono::milliseconds{100});
  CHECK(config.upstreams[3].name == "quay.io");
  CHECK(config.upstreams[3].endpoints.size() == 2);
}

TEST_CASE("indexes are taken as numbers, so that ten follows nine") {
  Environment environment;
  for (int i = 3; i < 12; ++i) {
    const std::string start = "PADDOCK_UPSTREAMS_" + std::to_string(i);
    environment[start + "_NAME"] = "h" + std::to_string(i);
    environment[start + "_ENDPOINTS"] = "https://h" + std::to_string(i);
  }
  const Config config = good(environment);
  REQUIRE(config.upstreams.size() == 12);
  CHECK(config.upstreams[11].name == "h11");
}

TEST_CASE("a whole list is given as YAML or JSON, and its elements can be refined") {
  const auto* const text = GENERATE("[{name: a.example, endpoints: [https://a.example]}]",
                                    R"([{"name":"a.example","endpoints":["https://a.example"]}])",
                                    "- name: a.example\n  endpoints: https://a.example");
  const Config config = good({{"PADDOCK_UPSTREAMS", text}, {"PADDOCK_UPSTREAMS_0_DEFAULT", "true"}});
  REQUIRE(config.upstreams.size() == 1);
  CHECK(config.upstreams[0].name == "a.example");
  CHECK(config.upstreams[0].is_default);
}

TEST_CASE("a problem names the variable") {
  struct Case {
    std::string name, value, problem;
  };
  const auto c = GENERATE(values<Case>({
      {"PADDOCK_SERVER_LISTN", "x", "PADDOCK_SERVER_LISTN: unknown variable (did you mean 'PADDOCK_SERVER_LISTEN'?)"},
      {"PADDOCK_WHATEVER_ELSE", "x", "PADDOCK_WHATEVER_ELSE: unknown variable"},
      {"PADDOCK_SERVER_THREADS", "x", "PADDOCK_SERVER_THREADS: 'x' is not a whole number"},
      {"PADDOCK_SERVER_THREADS", "", "PADDOCK_SERVER_THREADS: '' is not a whole number"},
      {"PADDOCK_SERVER_LISTEN", "a:1,b", "PADDOCK_SERVER_LISTEN: server.listen[1]: 'b' is not an address"},
      {"PADDOCK_LOG_LEVEL", "loud", "PADDOCK_LOG_LEVEL: log.level: 'loud' is not one of"},
      {"PADDOCK_UPSTREAMS_0_TAG_TLL", "1m",
       "PADDOCK_UPSTREAMS_0_TAG_TLL: unknown variable (did you mean 'PADDOCK_UPSTREAMS_0_TAG_TTL'?)"},
      {"PADDOCK_UPSTREAMS_0_TAG_TTL", "1", "PADDOCK_UPSTREAMS_0_TAG_TTL: '1' is not a duration"},
      {"PADDOCK_UPSTREAMS_0_ENDPOINTS", "x", "PADDOCK_UPSTREAMS_0_ENDPOINTS: upstreams[0].endpoints[0]: 'x' is not"},
      {"PADDOCK_UPSTREAMS_5_NAME", "a", "PADDOCK_UPSTREAMS_5_NAME: there is no element 3 before it"},
      {"PADDOCK_UPSTREAMS_99999999999999999999_NAME", "a", "unknown variable"},
      {"PADDOCK_UPSTREAMS_-1_NAME", "a", "unknown variable"},
      {"PADDOCK_UPSTREAMS_0", "a", "unknown variable"},
      {"PADDOCK_UPSTREAMS_0_", "a", "unknown variable"},
      {"PADDOCK_UPSTREAMS", "[", "PADDOCK_UPSTREAMS:"},
      {"PADDOCK_UPSTREAMS", "[{nam: x}]", "PADDOCK_UPSTREAMS:1: unknown key 'nam' (did you mean 'name'?)"},
      {"PADDOCK_UPSTREAMS", "x", "PADDOCK_UPSTREAMS:1: upstreams: must be a list"},
  }));
  CAPTURE(c.name, c.value);
  const std::string found = problems({{c.name, c.value}});
  CAPTURE(found);
  CHECK(found.find(c.problem) != std::string::npos);
}

TEST_CASE("the variables of client commands, and those of others, are left alone") {
  CHECK(good({{"PADDOCK_SERVER", "http://x"}, {"PADDOCK_TOKEN", "t"}, {"PADDOCK_CONFIG", "f"}, {"HOME", "/"}}) ==
        Config{});
}

TEST_CASE("what Kubernetes sets for services called paddock is left alone") {
  CHECK(good({{"PADDOCK_SERVICE_HOST", "10.0.0.1"},
              {"PADDOCK_SERVICE_PORT", "5000"},
              {"PADDOCK_SERVICE_PORT_HTTP", "5000"},
              {"PADDOCK_PORT", "tcp://10.0.0.1:5000"},
              {"PADDOCK_PORT_5000_TCP", "tcp://10.0.0.1:5000"},
              {"PADDOCK_PORT_5000_TCP_PROTO", "tcp"},
              {"PADDOCK_PORT_5000_TCP_PORT", "5000"},
              {"PADDOCK_PORT_5000_TCP_ADDR", "10.0.0.1"},
              {"PADDOCK_ADMIN_SERVICE_HOST", "10.0.0.2"},
              {"PADDOCK_ADMIN_PORT", "tcp://10.0.0.2:5001"}}) == Config{});
  CHECK(problems({{"PADDOCK_PORT", "5000"}}).find("unknown variable") != std::string::npos);
  CHECK(problems({{"PADDOCK_PORT_5000", "x"}}).find("unknown variable") != std::string::npos);
}

TEST_CASE("the process's own variables are found by their prefix") {
  REQUIRE(setenv("PADDOCK_TEST_ONLY", "a=b", 1) == 0);
  REQUIRE(setenv("XPADDOCK_TEST_ONLY", "x", 1) == 0);
  const Environment environment = paddock::config::process_environment();
  CHECK(environment.at("PADDOCK_TEST_ONLY") == "a=b");
  CHECK_FALSE(environment.contains("XPADDOCK_TEST_ONLY"));
  unsetenv("PADDOCK_TEST_ONLY");
  unsetenv("XPADDOCK_TEST_ONLY");
}

TEST_CASE("a mapping is pairs in the environment, a name may come twice") {
  const Config config =
      good({{"PADDOCK_RESOLVE", "a.example=198.51.100.7,b.example=2001:db8::7,a.example=198.51.100.8"}});
  CHECK(config.resolve.at("a.example") == std::vector<std::string>{"198.51.100.7", "198.51.100.8"});
  CHECK(config.resolve.at("b.example") == std::vector<std::string>{"2001:db8::7"});
  CHECK(good({{"PADDOCK_RESOLVE", ""}}).resolve.empty());
  CHECK(problems({{"PADDOCK_RESOLVE", "a.example"}}) == "PADDOCK_RESOLVE: 'a.example' is not NAME=VALUE");
}
