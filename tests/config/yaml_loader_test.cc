#include "config/yaml_loader.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using paddock::ErrorCode;
using paddock::config::Config;
using paddock::config::load;
using paddock::config::load_text;
using paddock::config::SizeLimit;
using paddock::config::Sources;

namespace {

std::string problems(const std::string& text) {
  const auto config = load_text(text, "p.yaml");
  if (config) FAIL("accepted: " + text.substr(0, 300));
  CHECK(config.error().code == ErrorCode::invalid_argument);
  return config.error().context;
}

Config good(const std::string& text) {
  const auto config = load_text(text, "p.yaml");
  if (!config) FAIL(config.error().context);
  return *config;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "paddock-config-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const std::string upstream = "upstreams:\n  - name: a.example\n    endpoints: [https://a.example]\n";

}  // namespace

TEST_CASE("an empty file is the defaults") {
  const auto* const text = GENERATE("", "\n", "# nothing\n", "---\n", "server:\n", "{}", "warm: []\n", "\xef\xbb\xbf");
  CAPTURE(text);
  CHECK(good(text) == Config{});
}

TEST_CASE("every kind of value is read") {
  const Config config = good(R"(
server:
  listen: ["0.0.0.0:5000", "[::1]:5001", unix:/run/p.sock]
  threads: 3
  tls: {certificate: c.pem, key: k.pem, kernel: off}
  auth: {htpasswd: h, anonymous_pull: false}
  drain: 1m30s
  deadlines: {header: 5s, idle: 30s, stall: 90s}
  manifest_limit: 8MiB
admin: {listen: "127.0.0.1:0", token_file: t}
storage: {path: /data, max_size: 1.5TiB, min_free: 10GB}
upstreams:
  - name: a.example
    endpoints: https://a.example
    default: true
    username: bot
    password_file: p
    ca_file: ca.pem
    allow: [paddlepaddle/*, x]
    connections: 4
    bandwidth: 100MiB
    tag_ttl: 0
    stale_if_error: 1w
    trusted_realms: [auth.example]
    redirects: [10.0.0.1, "*.bos.example"]
    deadlines: {connect: 500ms, headers: 5s, stall: 1m}
  - {name: "b:5000", endpoints: [http://b:5000, "http://[::1]:5000"]}
tags: {negative_ttl: 2s}
ingress: {connect_proxy: {listen: "127.0.0.1:3128", ca_certificate: c, ca_key: k, hosts: [a.example]}}
warm: [{name: n, images: [i], where: "x == 1", platforms: [linux/arm64], schedule: "0 0 * * *", pin: 7d, from_ci: [f]}]
offline: true
log: {level: debug, format: json}
)");
  CHECK(config.server.listen == std::vector<std::string>{"0.0.0.0:5000", "[::1]:5001", "unix:/run/p.sock"});
  CHECK(config.server.threads == 3);
  CHECK(config.server.tls_certificate == "c.pem");
  CHECK(config.server.tls_key == "k.pem");
  CHECK(config.server.tls_kernel == "off");
  CHECK(config.server.auth_htpasswd == "h");
  CHECK_FALSE(config.server.auth_anonymous_pull);
  CHECK(config.server.drain == std::chrono::seconds{90});
  CHECK(config.server.deadlines.header == std::chrono::seconds{5});
  CHECK(config.server.deadlines.idle == std::chrono::seconds{30});
  CHECK(config.server.deadlines.stall == std::chrono::seconds{90});
  CHECK(config.server.manifest_limit == 8U << 20U);
  CHECK(config.admin.token_file == "t");
  CHECK(config.storage.max_size == SizeLimit{3ULL << 39U, 0});
  CHECK(config.storage.min_free == 10'000'000'000ULL);
  REQUIRE(config.upstreams.size() == 2);
  const auto& a = config.upstreams[0];
  CHECK(a.endpoints == std::vector<std::string>{"https://a.example"});
  CHECK(a.is_default);
  CHECK(a.username == "bot");
  CHECK(a.password_file == "p");
  CHECK(a.ca_file == "ca.pem");
  CHECK(a.allow.size() == 2);
  CHECK(a.connections == 4);
  CHECK(a.bandwidth == 100U << 20U);
  CHECK(a.tag_ttl == std::chrono::seconds{0});
  CHECK(a.stale_if_error == std::chrono::weeks{1});
  CHECK(a.trusted_realms == std::vector<std::string>{"auth.example"});
  CHECK(a.redirects.size() == 2);
  CHECK(a.deadlines.connect == std::chrono::milliseconds{500});
  CHECK(a.deadlines.stall == std::chrono::minutes{1});
  CHECK(config.upstreams[1].endpoints.size() == 2);
  CHECK(config.upstreams[1].tag_ttl == std::chrono::minutes{10});
  CHECK(config.tags.negative_ttl == std::chrono::seconds{2});
  CHECK(config.connect_proxy.listen == "127.0.0.1:3128");
  CHECK(config.connect_proxy.hosts == std::vector<std::string>{"a.example"});
  REQUIRE(config.warm.size() == 1);
  CHECK(config.warm[0].pin == std::chrono::weeks{1});
  CHECK(config.warm[0].platforms == std::vector<std::string>{"linux/arm64"});
  CHECK(config.offline);
  CHECK(config.log.level == "debug");
  CHECK(config.log.format == "json");
}

TEST_CASE("a key without a value leaves the default") {
  const Config config = good("server:\n  listen:\n  tls: {certificate: , key: }\nstorage:\n  max_size:\nupstreams:\n");
  CHECK(config == Config{});
}

TEST_CASE("a problem names file, line and key") {
  struct Case {
    std::string text, line;
  };
  const auto c = GENERATE_REF(values<Case>({
      {"sever:\n  listen: x\n", "p.yaml:1: unknown key 'sever' (did you mean 'server'?)"},
      {"server:\n\n  lisen: x\n", "p.yaml:3: unknown key 'lisen' (did you mean 'listen'?)"},
      {upstream + "    tag_tll: 5m\n", "p.yaml:4: unknown key 'tag_tll' (did you mean 'tag_ttl'?)"},
      {upstream + "    deadlines:\n      conect: 5s\n", "p.yaml:5: unknown key 'conect' (did you mean 'connect'?)"},
      {"server:\n  tls:\n    zzz: 1\n", "p.yaml:3: unknown key 'zzz'"},
      {"server: {<<: {}}\n", "p.yaml:1: unknown key '<<'"},
      {"log: {level: info}\nlog: {level: warn}\n", "p.yaml:2: key 'log' is given twice"},
      {upstream + "    name: b.example\n", "p.yaml:4: key 'name' is given twice"},
      {"server: x\n", "p.yaml:1: server: must be a mapping, found a single value"},
      {"server:\n  - x\n", "p.yaml:2: server: must be a mapping, found a list"},
      {"server:\n  threads: many\n", "p.yaml:2: server.threads: 'many' is not a whole number"},
      {"server:\n  threads: -1\n", "p.yaml:2: server.threads: '-1' is not a whole number"},
      {"server:\n  threads: 4294967296\n", "p.yaml:2: server.threads: '4294967296' is not a whole number"},
      {"server:\n  threads: 2000\n", "p.yaml:2: server.threads: is more than 1024"},
      {"server:\n  threads: [1]\n", "p.yaml:2: server.threads: must be a single value, found a list"},
      {"server:\n  listen: {a: b}\n", "p.yaml:2: server.listen: must be a single value, found a mapping"},
      {"server:\n  listen:\n    - a:1\n    - [b]\n",
       "p.yaml:4: server.listen[1]: must be a single value, found a list"},
      {"server:\n  listen:\n    - a:1\n    -\n", "server.listen[1]: must be a single value, found nothing"},
      {"server:\n  listen:\n    - a:1\n    - b\n", "p.yaml:4: server.listen[1]: 'b' is not an address"},
      {"server:\n  listen: []\n", "p.yaml:2: server.listen: is empty"},
      {"server:\n  listen: [a:1, a:1]\n", "p.yaml:2: server.listen: 'a:1' is given twice"},
      {"server:\n  listen: 127.0.0.1:5001\n", "admin.listen: '127.0.0.1:5001' is the same address as server.listen"},
      {"server:\n  deadlines: {stall: 0}\n", "p.yaml:2: server.deadlines.stall: is 0"},
      {"server:\n  drain: 30\n", "p.yaml:2: server.drain: '30' is not a duration"},
      {"server:\n  drain: 1500ms\n", "p.yaml:2: server.drain: '1500ms' is finer than a second"},
      {"server:\n  manifest_limit: 1B\n", "p.yaml:2: server.manifest_limit: is not between"},
      {"server:\n  tls:\n    certificate: x\n", "p.yaml:3: server.tls.certificate: needs server.tls.key too"},
      {"server:\n  tls:\n    key: x\n", "p.yaml:3: server.tls.key: needs server.tls.certificate too"},
      {"admin:\n  listen: 0.0.0.0:5001\n", "p.yaml:2: admin.listen: '0.0.0.0:5001' can be reached from other machines"},
      {"admin:\n  listen: \"\"\n", "p.yaml:2: admin.listen: is empty"},
      {"storage:\n  max_size: 0\n", "p.yaml:2: storage.max_size: is 0"},
      {"storage:\n  max_size: 80\n", "p.yaml:2: storage.max_size: '80' is not a limit"},
      {"storage:\n  max_size: 101%\n", "p.yaml:2: storage.max_size: '101%' is not a share"},
      {"storage:\n  path: ''\n", "p.yaml:2: storage.path: is empty"},
      {"offline: yes\n", "p.yaml:1: offline: 'yes' is neither true nor false"},
      {"log:\n  level: loud\n", "p.yaml:2: log.level: 'loud' is not one of"},
      {"log:\n  format: jsn\n", "p.yaml:2: log.format: 'jsn' is not one of text, json (did you mean 'json'?)"},
      {"log:\n  level: !secret x\n", "p.yaml:2: log.level: the tag '!secret' means nothing here"},
      {"upstreams: {name: x}\n", "p.yaml:1: upstreams: must be a list of mappings, found a mapping"},
      {"upstreams:\n  - x\n", "p.yaml:2: upstreams[0]: must be a mapping, found a single value"},
      {"upstreams: []\n", "p.yaml:1: upstreams: is empty"},
      {"upstreams:\n  - name: a\n", "p.yaml:2: upstreams[0].endpoints: is missing: write endpoints: [https://a]"},
      {"upstreams:\n  - endpoints: [https://a]\n", "p.yaml:2: upstreams[0].name: is missing"},
      {"upstreams:\n  - name: a\n    endpoints:\n      - https://a\n      - a\n",
       "p.yaml:5: upstreams[0].endpoints[1]: 'a' is not an endpoint"},
      {"upstreams:\n  - name: A.example\n    endpoints: [https://a]\n",
       "p.yaml:2: upstreams[0].name: 'A.example' is not a host"},
      {upstream + "  - name: a.example\n    endpoints: [https://b]\n",
       "p.yaml:4: upstreams[1].name: 'a.example' is the name of upstreams[0] already"},
      {upstream + "    default: true\n  - name: b\n    endpoints: [https://b]\n    default: true\n",
       "p.yaml:7: upstreams[1].default: upstreams[0] is the default already"},
      {upstream + "    username: x\n", "p.yaml:4: upstreams[0].username: needs upstreams[0].password_file too"},
      {upstream + "    connections: 0\n", "p.yaml:4: upstreams[0].connections: is not between 1 and 64"},
      {upstream + "    deadlines: {stall: 0}\n", "p.yaml:4: upstreams[0].deadlines.stall: is 0"},
      {upstream + "    allow: [Paddle]\n", "p.yaml:4: upstreams[0].allow[0]: 'Paddle' is not a pattern"},
      {upstream + "    redirects: ['*']\n", "p.yaml:4: upstreams[0].redirects[0]: '*' is neither"},
      {upstream + "    trusted_realms: [https://x]\n",
       "p.yaml:4: upstreams[0].trusted_realms[0]: 'https://x' is not a host"},
      {"ingress:\n  connect_proxy:\n    ca_key: k\n", "p.yaml:3: ingress.connect_proxy.ca_key: needs"},
      {"warm:\n  - images: [x]\n", "p.yaml:2: warm[0].name: is missing"},
      {"warm:\n  - name: x\n  - name: x\n", "p.yaml:3: warm[1].name: 'x' is given twice"},
      {"[1, 2]\n", "p.yaml:1: expected keys such as 'server:', found a list"},
      {"hello\n", "p.yaml:1: expected keys such as 'server:', found a single value"},
      {"? [a]\n: b\n", "p.yaml:1: a key must be a word"},
      {"server: {\n", "p.yaml:2: not YAML: "},
      {"server:\n\tlisten: x\n", "p.yaml:2: not YAML: "},
      {"a: *nowhere\n", "p.yaml:1: not YAML: "},
      {"log: {}\n---\nlog: {}\n", "p.yaml:2: more than one YAML document"},
      {",", "p.yaml:1: more than one YAML document, or something left over"},
      {"{log: {}},\n", "p.yaml:1: more than one YAML document, or something left over"},
      {"---\n,\n", "p.yaml:2: more than one YAML document, or something left over"},
  }));
  CAPTURE(c.text);
  const std::string found = problems(c.text);
  CAPTURE(found);
  CHECK(found.find(c.line) != std::string::npos);
}

TEST_CASE("all problems are reported at once, a line each") {
  const std::string found = problems("sever: x\nlog:\n  level: loud\n  colour: red\nstorage:\n  max_size: 0\n");
  CHECK(std::count(found.begin(), found.end(), '\n') == 3);
  CHECK(found.find("p.yaml:1: ") != std::string::npos);
  CHECK(found.find("p.yaml:3: ") != std::string::npos);
  CHECK(found.find("p.yaml:4: ") != std::string::npos);
  CHECK(found.find("p.yaml:6: ") != std::string::npos);
}

TEST_CASE("very many problems are cut") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "key" + std::to_string(i) + ": x\n";
  const std::string found = problems(text);
  CHECK(std::count(found.begin(), found.end(), '\n') == 50);
  CHECK(found.ends_with("and 950 more"));
}

TEST_CASE("secrets in an endpoint do not come back in full in the error") {
  const std::string found = problems("upstreams:\n  - name: a\n    endpoints: [https://user:hunter2@a]\n");
  CHECK(found.find("password_file") != std::string::npos);
  CHECK(found.find("hunter2") == std::string::npos);
}

TEST_CASE("hostile text is refused quickly") {
  CHECK(problems(std::string(1U << 20U, '[')).find("not YAML") != std::string::npos);
  CHECK(problems(std::string((1U << 20U) + 1, ' ')) == "p.yaml: larger than 1 MiB, which no configuration is");
  CHECK(problems("log: {level: \xff}\n") == "p.yaml: not UTF-8 text");
  CHECK(problems(std::string("log: {}\0", 8)) == "p.yaml: not UTF-8 text");
  CHECK(problems("\xff\xfe"
                 "l\0o\0g\0")
            .find("not UTF-8") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  problems(deep.substr(0, 1U << 20U));
}

TEST_CASE("aliases work, and a bomb of them is limited") {
  CHECK(good("server: {listen: &a [\"127.0.0.1:7000\"]}\nadmin: {listen: 127.0.0.1:7001}\nlog: &l {level: warn}\n")
            .log.level == "warn");
  std::string bomb = "x: &u {name: a, endpoints: [https://a], allow: &w [";
  for (int i = 0; i < 5000; ++i) bomb += "a,";
  bomb += "a]}\nupstreams: [";
  for (int i = 0; i < 5000; ++i) bomb += "*u,";
  const std::string found = problems(bomb + "*u]\n");
  CHECK(found.find("more than 100000 values, aliases counted") != std::string::npos);
  problems("a: &a [*a]\nupstreams: *a\n");
}

TEST_CASE("files are loaded, and those that cannot be say why") {
  const TemporaryFolder folder;
  const auto file = folder.write("p.yaml", "log: {level: warn}\n");
  CHECK(load(file)->log.level == "warn");
  const auto missing = load(folder.path() / "none.yaml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().context.find("none.yaml: No such file") != std::string::npos);
  const auto directory = load(folder.path());
  REQUIRE_FALSE(directory);
  CHECK(directory.error().context.find("is a folder") != std::string::npos);
  const auto large = load(folder.write("large.yaml", std::string(3U << 20U, '#')));
  REQUIRE_FALSE(large);
  CHECK(large.error().context.find("larger than 1 MiB") != std::string::npos);
  const auto wrong = load(folder.write("wrong.yaml", "\nx: 1\n"));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().context == (folder.path() / "wrong.yaml").string() + ":2: unknown key 'x'");
}

TEST_CASE("flags win over the environment, that over the file, that over the defaults") {
  const TemporaryFolder folder;
  const auto file = folder.write("p.yaml", "log: {level: warn, format: json}\nserver: {threads: 2, drain: 5s}\n");
  const auto config =
      load(Sources{file, {{"PADDOCK_SERVER_THREADS", "3"}, {"PADDOCK_LOG_LEVEL", "error"}}, [](Config& c) {
                     c.server.threads = 4;
                   }});
  REQUIRE(config);
  CHECK(config->server.threads == 4);
  CHECK(config->log.level == "error");
  CHECK(config->log.format == "json");
  CHECK(config->server.drain == std::chrono::seconds{5});
  CHECK(config->admin == Config{}.admin);
}

TEST_CASE("the whole is checked after the flags, and a flag's mistake is not blamed on the file") {
  const TemporaryFolder folder;
  const auto file = folder.write("p.yaml", "server: {listen: 127.0.0.1:7000}\nadmin: {listen: nonsense}\n");
  const auto mended = load(Sources{file, {}, [](Config& c) { c.admin.listen = "127.0.0.1:0"; }});
  CHECK(mended);
  const auto broken = load(Sources{file, {}, [](Config& c) {
                                     c.admin.listen = "127.0.0.1:0";
                                     c.server.listen = {"rubbish"};
                                     c.upstreams[0].endpoints = {"x"};
                                   }});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().context.find("command line: server.listen[0]: 'rubbish'") != std::string::npos);
  CHECK(broken.error().context.find("command line: upstreams[0].endpoints[0]: 'x'") != std::string::npos);
  CHECK(broken.error().context.find("p.yaml") == std::string::npos);
}

TEST_CASE("without a file the defaults are valid and fit the contract") {
  const auto config = load(Sources{});
  REQUIRE(config);
  CHECK(*config == Config{});
  CHECK(config->server.listen == std::vector<std::string>{"127.0.0.1:5000"});
  CHECK(config->admin.listen == "127.0.0.1:5001");
  CHECK(config->storage.max_size == SizeLimit{0, 80});
  CHECK(config->storage.min_free == 5ULL << 30U);
  REQUIRE(config->upstreams.size() == 3);
  CHECK(config->upstreams[0].name == "registry.baidubce.com");
  CHECK(config->upstreams[0].is_default);
  CHECK(config->upstreams[0].stale_if_error == std::chrono::days{30});
  CHECK(config->upstreams[2].endpoints == std::vector<std::string>{"https://registry-1.docker.io"});
}

TEST_CASE("a mapping of the user's own names takes one value or several for each") {
  const auto load = [](const std::string& text) { return paddock::config::load_text(text, "p.yaml"); };
  const auto config = load("resolve:\n  a.example: 198.51.100.7\n  b.example: [198.51.100.8, '2001:db8::8']\n");
  REQUIRE(config);
  CHECK(config->resolve.at("a.example") == std::vector<std::string>{"198.51.100.7"});
  CHECK(config->resolve.at("b.example") == std::vector<std::string>{"198.51.100.8", "2001:db8::8"});
  CHECK(load("resolve: {}\n")->resolve.empty());
  CHECK(load("resolve:\n")->resolve.empty());
  struct Case {
    std::string text, says;
  };
  const auto c = GENERATE(values<Case>({
      {"resolve: x\n", "p.yaml:1: resolve: must be a mapping, found a single value"},
      {"resolve: [x]\n", "p.yaml:1: resolve: must be a mapping, found a list"},
      {"resolve:\n  a.example: {b: c}\n", "p.yaml:2: resolve.a.example: must be a single value"},
      {"resolve:\n  a.example: nonsense\n", "p.yaml:2: resolve.a.example: 'nonsense' is not an IP address"},
      {"resolve:\n  a.example: 1.2.3.4\n  a.example: 1.2.3.5\n", "p.yaml:3: key 'a.example' is given twice"},
      {"resolve:\n  [a]: 1.2.3.4\n", "p.yaml:2: a key must be a word"},
      {"resolve:\n  a.example:\n", "p.yaml:2: resolve.a.example: must be a single value, found nothing"},
  }));
  CAPTURE(c.text);
  const auto wrong = load(c.text);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().context.contains(c.says));
}
