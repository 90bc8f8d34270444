#include "proxy/cli/format.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using std::chrono::seconds;

TEST_CASE("durations show their two largest units") {
  CHECK(format_duration(seconds(0)) == "0s");
  CHECK(format_duration(seconds(59)) == "59s");
  CHECK(format_duration(seconds(60)) == "1m 0s");
  CHECK(format_duration(seconds(3599)) == "59m 59s");
  CHECK(format_duration(seconds(3 * 86400 + 4 * 3600 + 59)) == "3d 4h");
  CHECK(format_duration(seconds(400 * 86400)) == "400d 0h");
  CHECK(format_duration(seconds(-5)) == "0s");
}

TEST_CASE("columns are as wide as their widest cell and lines end without spaces") {
  CHECK(format_table({{"A", "LONG", "C"}, {"aaaa", "b", ""}}) == "A     LONG  C\naaaa  b\n");
  CHECK(format_table({}).empty());
  CHECK(format_table({{"one", "row", "more"}, {"x"}}) == "one  row  more\nx\n");
}

TEST_CASE("cells lose control characters before they are measured and printed") {
  CHECK(format_table({{"a\nb\x1b[2J", "x"}}) == "a?b?[2J  x\n");
  CHECK(printable("ok \x7f\xc3\xa9") == "ok ???");
}

}  // namespace
}  // namespace paddock
