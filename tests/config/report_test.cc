#include "config/report.h"

#include <catch2/catch.hpp>
#include <string>

using paddock::config::Report;

TEST_CASE("a new report is empty") {
  const Report report;
  CHECK(report.empty());
  CHECK(report.text().empty());
}

TEST_CASE("problems are lines in the order they were found, each once") {
  Report report;
  report.add("f:2", "two");
  report.add("f:1", "one");
  report.add("f:2", "two");
  report.add("", "nowhere");
  CHECK_FALSE(report.empty());
  CHECK(report.text() == "f:2: two\nf:1: one\nnowhere");
}

TEST_CASE("a problem with a value is placed where the value came from, else where what surrounds it did") {
  Report report;
  report.note_origin("upstreams", "f:1");
  report.note_origin("upstreams[0]", "f:2");
  report.note_origin("upstreams[0].name", "f:3");
  report.note_origin("upstreams[0].allow[1]", "f:9");
  CHECK(report.origin("upstreams[0].name") == "f:3");
  CHECK(report.origin("upstreams[0].endpoints") == "f:2");
  CHECK(report.origin("upstreams[0].deadlines.stall") == "f:2");
  CHECK(report.origin("upstreams[0].allow[1]") == "f:9");
  CHECK(report.origin("upstreams[0].allow[0]") == "f:2");
  CHECK(report.origin("upstreams[7].name") == "f:1");
  CHECK(report.origin("server.listen").empty());
  report.add_at("upstreams[0].name", "is odd");
  report.add_at("server.listen", "is odd");
  CHECK(report.text() == "f:3: upstreams[0].name: is odd\nserver.listen: is odd");
}

TEST_CASE("a later source takes the place of an earlier one") {
  Report report;
  report.note_origin("log.level", "f:1");
  report.note_origin("log.level", "PADDOCK_LOG_LEVEL");
  CHECK(report.origin("log.level") == "PADDOCK_LOG_LEVEL");
}

TEST_CASE("origins below a prefix are forgotten") {
  Report report;
  report.note_origin("server.listen", "f:1");
  report.note_origin("server.listen[0]", "f:2");
  report.note_origin("server.listen[1]", "f:3");
  report.note_origin("server.drain", "f:4");
  report.forget_origins("server.listen[");
  CHECK(report.origin("server.listen[1]") == "f:1");
  CHECK(report.origin("server.drain") == "f:4");
}

TEST_CASE("after fifty problems the rest is counted") {
  Report report;
  for (int i = 0; i < 53; ++i) report.add("", std::to_string(i));
  CHECK(report.text().ends_with("\n49\nand 3 more"));
}
