#include "config/text.h"

#include <catch2/catch.hpp>
#include <string>

using paddock::config::is_utf8;
using paddock::config::nearest;
using paddock::config::quote;
using paddock::config::suggestion;

TEST_CASE("the nearest word is found, and none where none is near") {
  const std::vector<std::string> words{"listen",  "threads",        "tls",  "auth", "drain",
                                       "tag_ttl", "stale_if_error", "where"};
  struct Case {
    std::string_view text, found;
  };
  const auto c = GENERATE(values<Case>({{"listen", "listen"},
                                        {"listne", "listen"},
                                        {"lisen", "listen"},
                                        {"tag_tll", "tag_ttl"},
                                        {"tagttl", "tag_ttl"},
                                        {"thread", "threads"},
                                        {"TLS", ""},
                                        {"tsl", "tls"},
                                        {"stale_on_error", "stale_if_error"},
                                        {"completely_different", ""},
                                        {"", ""},
                                        {"x", ""}}));
  CAPTURE(c.text);
  CHECK(nearest(c.text, words) == c.found);
}

TEST_CASE("the nearest of nothing, and of a monstrous word, is nothing") {
  CHECK(nearest("a", {}).empty());
  CHECK(nearest(std::string(100'000, 'a'), {"a"}).empty());
  CHECK(suggestion("x", {"yyyyyy"}).empty());
  CHECK(suggestion("lsten", {"listen"}) == " (did you mean 'listen'?)");
}

TEST_CASE("UTF-8 is told from what is not") {
  const auto* const good = GENERATE("", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x8e", "\xf4\x8f\xbf\xbf");
  CHECK(is_utf8(good));
  const auto* const bad =
      GENERATE("\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
               "\xf5\x80\x80\x80", "\xff\xfe", "a\xe2\x82", "\xf0\x80\x80\x80", "\xe2\x28\xa1");
  CAPTURE(bad);
  CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("quoted text stays on one line and short") {
  CHECK(quote("a\nb") == "'a?b'");
  CHECK(quote("https://user:hunter2@a/b") == "'https://...@a/b'");
  CHECK(quote("a@b://c") == "'a@b://c'");
  CHECK(quote(std::string(1000, 'x')).size() == 65);
}
