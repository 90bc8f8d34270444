#include "proxy/admin/text.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace paddock {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_time;

TEST_CASE("hostile text becomes printable ASCII on one line") {
  CHECK(escape_hostile("plain text/1.0", 100) == "plain text/1.0");
  CHECK(escape_hostile("a\nb\rc\td", 100) == R"(a\nb\rc\td)");
  CHECK(escape_hostile("\x1b[31mred\x7f", 100) == R"(\x1b[31mred\x7f)");
  CHECK(escape_hostile("say \"hi\" \\", 100) == R"(say \"hi\" \\)");
  CHECK(escape_hostile("\xc3\xa9\xff", 100) == R"(\xc3\xa9\xff)");
  CHECK(escape_hostile(std::string_view("a\0b", 3), 100) == R"(a\x00b)");
}

TEST_CASE("hostile text is cut at the limit and shows that it was") {
  CHECK(escape_hostile("12345", 5) == "12345");
  CHECK(escape_hostile("123456", 5) == "12345...");
  CHECK(escape_hostile(std::string(100'000, '\n'), 10).size() == 2 * 10 + 3);
}

TEST_CASE("HTML special characters are escaped") {
  CHECK(escape_html("<script>alert('x') & \"y\"</script>") ==
        "&lt;script&gt;alert(&#39;x&#39;) &amp; &quot;y&quot;&lt;/script&gt;");
  CHECK(escape_html("").empty());
}

TEST_CASE("any bytes make a JSON string that parses and is ASCII") {
  for (const std::string_view text :
       {std::string_view("plain"), std::string_view("\"quoted\" \\ \n \x01"), std::string_view("\xff\xfe broken"),
        std::string_view("a\0b", 3), std::string_view("\xe2\x80\xa8 separator")}) {
    const auto json = json_string(text);
    CHECK(nlohmann::json::accept(json));
    CHECK(json.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                 "abcdefghijklmnopqrstuvwxyz{|}~") == std::string::npos);
  }
  CHECK(nlohmann::json::parse(json_string("a\n\"b\"")) == "a\n\"b\"");
}

TEST_CASE("times are written in UTC as RFC 3339") {
  const sys_time<milliseconds> time(milliseconds(1'700'000'000'042));
  CHECK(utc_seconds(time) == "2023-11-14T22:13:20Z");
  CHECK(utc_milliseconds(time) == "2023-11-14T22:13:20.042Z");
  CHECK(utc_seconds({}) == "1970-01-01T00:00:00Z");
  CHECK(utc_milliseconds(sys_time<milliseconds>(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("nothing is at 100 percent before all is there") {
  CHECK(percent_of(0, 0) == 100);
  CHECK(percent_of(0, 10) == 0);
  CHECK(percent_of(1, 3) == 33.3);
  CHECK(percent_of(999'999, 1'000'000) == 99.9);
  CHECK(percent_of(10, 10) == 100);
  CHECK(percent_of(UINT64_MAX - 1, UINT64_MAX) <= 100);
}

}  // namespace
}  // namespace paddock
