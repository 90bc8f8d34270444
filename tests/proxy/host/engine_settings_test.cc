#include "proxy/host/engine_settings.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

const CacheAddress cache{.host = "cache.lan", .authority = "cache.lan:5000"};

TEST_CASE("the cache is known by its host and port, however it is written") {
  for (const auto* text : {"cache.lan:5000", "http://cache.lan:5000", "https://cache.lan:5000/", "CACHE.lan:5000",
                           "cache.lan:5000/registry.baidubce.com", "http://user:pw@cache.lan:5000/x?y"}) {
    INFO(text);
    CHECK(names_cache(text, cache));
  }
  for (const auto* text : {"", "cache.lan", "cache.lan:500", "cache.lan:50000", "http://other:5000", "xcache.lan:5000",
                           "http://other/cache.lan:5000"}) {
    INFO(text);
    CHECK_FALSE(names_cache(text, cache));
  }
}

TEST_CASE("the scheme's port may be written or not") {
  const CacheAddress plain{.host = "cache.lan", .authority = "cache.lan"};
  CHECK(names_cache("http://cache.lan:80", plain));
  CHECK(names_cache("http://cache.lan", plain));
  CHECK_FALSE(names_cache("http://cache.lan:443", plain));
  const CacheAddress tls{.host = "cache.lan", .authority = "cache.lan", .tls = true};
  CHECK(names_cache("https://cache.lan:443", tls));
  CHECK(names_cache("cache.lan:443", tls));
  CHECK_FALSE(names_cache("cache.lan:80", tls));
}

TEST_CASE("an origin says how the cache is spoken to") {
  CHECK(cache.origin() == "http://cache.lan:5000");
  CHECK(CacheAddress{.authority = "cache.lan", .tls = true}.origin() == "https://cache.lan");
}

}  // namespace
}  // namespace paddock
