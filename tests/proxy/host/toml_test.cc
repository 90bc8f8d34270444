#include "proxy/host/toml.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

std::vector<TomlTable> parsed(std::string_view text) { return parse_toml(text).value(); }

TEST_CASE("a hosts.toml is read") {
  const auto tables = parsed(R"(# containerd
server = "https://registry.baidubce.com"

[host."http://cache.lan:5000"]
  capabilities = ["pull", 'resolve']   # both
  dial_timeout = "1s"
  skip_verify = false
  override_path = true
)");
  REQUIRE(tables.size() == 2);
  CHECK(tables[0].path.empty());
  CHECK(tables[0].text("server") == "https://registry.baidubce.com");
  CHECK(tables[1].path == std::vector<std::string>{"host", "http://cache.lan:5000"});
  CHECK_FALSE(tables[1].element);
  CHECK(tables[1].texts("capabilities") == std::vector<std::string>{"pull", "resolve"});
  CHECK(tables[1].flag("override_path"));
  CHECK_FALSE(tables[1].flag("skip_verify"));
  CHECK(tables[1].has("skip_verify"));
}

TEST_CASE("a registries.conf is read, its mirrors behind their registry") {
  const auto tables = parsed(R"(unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "registry.baidubce.com"
[[registry.mirror]]
location = "cache.lan:5000/registry.baidubce.com"
insecure = true
[[registry]]
location='quay.io'
)");
  REQUIRE(tables.size() == 4);
  CHECK(tables[1].element);
  CHECK(tables[2].path == std::vector<std::string>{"registry", "mirror"});
  CHECK(tables[2].flag("insecure"));
  CHECK(tables[3].text("location") == "quay.io");
}

TEST_CASE("values of other kinds are passed over") {
  const auto tables = parsed(
      "version = 2\nwhen = 1979-05-27T07:32:00Z\nf = -1.5e+3\nt = {a = 1, b.c = [\"x\"]}\n"
      "n = [[1, 2], [\"a\"]]\nx.y = \"dotted\"\nempty = []\nlast = \"one\"");
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].text("last") == "one");
  CHECK(tables[0].text("version").empty());
  CHECK_FALSE(tables[0].flag("version"));
  CHECK(tables[0].texts("empty").empty());
  CHECK_FALSE(tables[0].has("x"));
}

TEST_CASE("arrays may have many lines, strings escapes, lines Windows' ends") {
  const auto tables = parsed("a = [\r\n  \"x\", # one\r\n  \"y\",\r\n]\r\nb = \"C:\\\\x \\\"y\\\"\"\r\nc = '\\n'\r\n");
  CHECK(tables[0].texts("a") == std::vector<std::string>{"x", "y"});
  CHECK(tables[0].text("b") == "C:\\x \"y\"");
  CHECK(tables[0].text("c") == "\\n");
  CHECK(parsed(R"(a = "\t\u0041\U0001F600\e")")[0].text("a") == "\tA?\x1b");
  CHECK(parsed("m = \"\"\"say \"x\"\"\"\"\nn = 'x'")[0].text("m") == "say \"x\"");
  CHECK(parsed("m = \"\"\"one\ntwo\"\"\"\nn = '''x'''")[0].text("m") == "one\ntwo");
}

TEST_CASE("nothing is nothing") {
  CHECK(parsed("").size() == 1);
  CHECK(parsed("\n \t# only a comment").size() == 1);
}

TEST_CASE("what is no TOML is refused with its line") {
  for (const auto* text : {"a",
                           "a =",
                           "= 1",
                           "[a",
                           "[]",
                           "[[a]",
                           "a = \"x",
                           "a = [1",
                           "a = [1 2]",
                           "a = {b = 1",
                           "a = 1 b = 2",
                           "[a] b = 1",
                           "a = \"\\q\"",
                           "a = \"\\u00g1\"",
                           "a = \"\\u41\"",
                           "a = \"\\",
                           "a = \"\\\"",
                           "a.=1",
                           "a = '''x",
                           "<html>",
                           "\"a = 1"}) {
    INFO(text);
    const auto tables = parse_toml(std::string("ok = 1\n") + text);
    REQUIRE_FALSE(tables);
    CHECK_THAT(tables.error().context, Catch::Matchers::Contains("line ") && Catch::Matchers::Contains("is not TOML"));
  }
  CHECK(parse_toml("a = 1\n\nb").error().context == "line 3 is not TOML");
}

TEST_CASE("nesting and the number of tables are limited") {
  CHECK_FALSE(parse_toml("a = " + std::string(100'000, '[')).has_value());
  std::string deep;
  for (int at = 0; at < 100'000; ++at) deep += "{a=";
  CHECK_FALSE(parse_toml("a = " + deep).has_value());
  std::string many;
  for (int at = 0; at < 10'001; ++at) many += "[a]\n";
  CHECK_FALSE(parse_toml(many).has_value());
}

}  // namespace
}  // namespace paddock
