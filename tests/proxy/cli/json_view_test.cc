#include "proxy/cli/json_view.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("members are read by their type") {
  const nlohmann::ordered_json json = {{"text", "t"},  {"number", 7u},          {"real", 0.5},
                                       {"flag", true}, {"list", {"a", 1, "b"}}, {"inner", {{"text", "deep"}}}};
  const JsonView view(json);
  CHECK(view.text("text") == "t");
  CHECK(view.number("number") == 7);
  CHECK(view.real("real") == 0.5);
  CHECK(view.flag("flag"));
  CHECK(view.texts("list") == std::vector<std::string>{"a", "b"});
  CHECK(view.items("list").size() == 3);
  CHECK(view.at("inner").text("text") == "deep");
}

TEST_CASE("what is absent or of another type reads as nothing") {
  for (const auto* text : {"null", "[]", "7", "\"text\"", "{}",
                           R"({"text": 1, "number": -1, "real": "x", "flag": "yes", "list": {}, "inner": 5})"}) {
    const auto json = nlohmann::ordered_json::parse(text);
    const JsonView view(json);
    CHECK(view.text("text").empty());
    CHECK(view.number("number") == 0);
    CHECK(view.real("real") == 0.0);
    CHECK_FALSE(view.flag("flag"));
    CHECK(view.items("list").empty());
    CHECK(view.at("inner").at("deeper").text("text").empty());
  }
}

}  // namespace
}  // namespace paddock
