#include "proxy/net/http.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("header names are compared without case and keep their order") {
  Headers headers{{"Accept", "a"}, {"X-Other", "o"}, {"accept", "b"}};
  CHECK(headers.get("ACCEPT") == "a");
  CHECK(headers.all("Accept") == std::vector<std::string_view>{"a", "b"});
  CHECK_FALSE(headers.get("Accept-Encoding").has_value());
  CHECK(headers.all("Nothing").empty());
}

TEST_CASE("setting a header replaces all of that name where the first one was") {
  Headers headers{{"Accept", "a"}, {"X-Other", "o"}, {"ACCEPT", "b"}};
  headers.set("accept", "c");
  const std::vector<Headers::Field> expected{{"Accept", "c"}, {"X-Other", "o"}};
  CHECK(std::vector<Headers::Field>(headers.begin(), headers.end()) == expected);
  headers.set("New", "n");
  CHECK(headers.get("new") == "n");
}

TEST_CASE("removing a header removes all of that name and no other") {
  Headers headers{{"A", "1"}, {"AA", "2"}, {"a", "3"}};
  headers.remove("a");
  CHECK(std::vector<Headers::Field>(headers.begin(), headers.end()) == std::vector<Headers::Field>{{"AA", "2"}});
}

TEST_CASE("query parameters are found and decoded") {
  struct Case {
    std::string query;
    std::string name;
    std::optional<std::string> value;
  };
  const auto c = GENERATE(values<Case>({
      {"ns=registry.example", "ns", "registry.example"},
      {"n=5&last=a%2Fb", "last", "a/b"},
      {"n=5&last=a", "n", "5"},
      {"n=1&n=2", "n", "1"},
      {"flag", "flag", ""},
      {"flag=", "flag", ""},
      {"a=b=c", "a", "b=c"},
      {"artifactType=application/vnd.x+json", "artifactType", "application/vnd.x+json"},
      {"artifactType=application%2Fvnd.x%2Bjson", "artifactType", "application/vnd.x+json"},
      {"%6Es=host", "ns", "host"},
      {"&&n=1&", "n", "1"},
      {"", "n", std::nullopt},
      {"m=1", "n", std::nullopt},
      {"N=1", "n", std::nullopt},
      {"n=%zz", "n", "%zz"},
      {"n=%00", "n", "%00"},
  }));
  Request request;
  request.query = c.query;
  CAPTURE(c.query);
  CHECK(request.parameter(c.name) == c.value);
}

}  // namespace
}  // namespace paddock
