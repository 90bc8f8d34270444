#include "proxy/oci/printable.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>

using paddock::human_bytes;
using paddock::public_message;
using paddock::quote;

TEST_CASE("quoted text is short printable ASCII") {
  CHECK(quote("abc") == "'abc'");
  CHECK(quote("a\nb\x1b") == "'a?b?'");
  CHECK(quote("\x7f\xff").size() == 4);
  CHECK(quote("abcdef", 3) == "'abc...'");
  CHECK(quote("") == "''");
}

TEST_CASE("a public message hides what URLs and headers carry") {
  struct Case {
    std::string text, shown;
  };
  const auto c = GENERATE(values<Case>({
      {"plain text", "plain text"},
      {"GET https://h/v2/: timeout", "GET https://h/v2/: timeout"},
      {"https://h/b?sig=SECRET&x=1 failed", "https://h/b?... failed"},
      {"https://user:SECRET@h/b failed", "https://h/b failed"},
      {"https://user:SECRET@h?x", "https://h?..."},
      {"https://user:SE@CRET@h/p", "https://h/p"},
      {"from 'http://a?SECRET' to 'http://u@b'", "from 'http://a?...' to 'http://b'"},
      {"https://h/path@x", "https://h/path@x"},
      {"sent Authorization: Bearer eyJhbGciOiJSUzI1NiIsSECRET ok", "sent Authorization: Bearer [hidden] ok"},
      {"basic dXNlcjpTRUNSRVRTRUNSRVQ=", "basic [hidden]"},
      {"Bearer realm=https://auth.docker.io/token", "Bearer realm=https://auth.docker.io/token"},
      {"the bearer token", "the bearer token"},
      {"a\r\nb\tc\x01"
       "d\x7f",
       "a b cd"},
  }));
  CAPTURE(c.text);
  CHECK(public_message(c.text) == c.shown);
}

TEST_CASE("a public message is cut between characters") {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "\xc3\xa4";
  const std::string message = public_message("x" + text);
  CHECK(message.size() <= 603);
  CHECK(message.ends_with("\xc3\xa4..."));
}

TEST_CASE("a public message of broken text stays bounded") {
  CHECK(public_message(std::string(100'000, '\x80')).size() <= 603);
  CHECK(public_message("://://://?@?@").size() <= 20);
  CHECK(public_message("bearer ") == "bearer ");
}

TEST_CASE("sizes are written in the largest unit that keeps them at one or more") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.0 KiB");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(human_bytes(std::uint64_t{11} << 30) == "11.0 GiB");
  CHECK(human_bytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}
