#include "storage/lru_cache.h"

#include <catch2/catch.hpp>
#include <string>

namespace paddock {
namespace {

using Cache = LruCache<std::string, int>;

TEST_CASE("what was used least recently goes first") {
  Cache cache(2);
  cache.put("a", 1);
  cache.put("b", 2);
  REQUIRE(cache.find("a") != nullptr);
  CHECK(*cache.find("a") == 1);
  cache.put("c", 3);
  CHECK(cache.find("b") == nullptr);
  CHECK(*cache.find("a") == 1);
  CHECK(*cache.find("c") == 3);
  CHECK(cache.size() == 2);
}

TEST_CASE("a peek is not a use") {
  Cache cache(2);
  cache.put("a", 1);
  cache.put("b", 2);
  REQUIRE(cache.peek("a") != nullptr);
  *cache.peek("a") = 7;
  CHECK(*cache.peek("a") == 7);
  cache.put("c", 3);
  CHECK(cache.peek("a") == nullptr);
  CHECK(cache.peek("nothing") == nullptr);
}

TEST_CASE("weights are kept below the capacity") {
  Cache cache(10);
  cache.put("a", 1, 4);
  cache.put("b", 2, 4);
  CHECK(cache.weight() == 8);
  cache.put("c", 3, 6);
  CHECK(cache.weight() == 10);
  CHECK(cache.find("a") == nullptr);
  CHECK(cache.find("b") != nullptr);
  cache.put("d", 4, 10);
  CHECK(cache.size() == 1);
  CHECK(cache.weight() == 10);
}

TEST_CASE("what is too heavy is not kept, and pushes nothing out but what it replaces") {
  Cache cache(10);
  cache.put("a", 1, 4);
  cache.put("b", 2, 4);
  cache.put("a", 3, 11);
  CHECK(cache.find("a") == nullptr);
  CHECK(*cache.find("b") == 2);
  CHECK(cache.weight() == 4);
}

TEST_CASE("replacing, erasing and giving all away give the weight back") {
  Cache cache(10);
  cache.put("a", 1, 4);
  cache.put("a", 2, 3);
  CHECK(*cache.find("a") == 2);
  CHECK(cache.weight() == 3);
  cache.erase("nothing");
  cache.erase("a");
  CHECK(cache.weight() == 0);
  CHECK(cache.size() == 0);
  cache.put("b", 1, 5);
  Cache other(0);
  cache.give_to(other);
  CHECK(other.weight() == 5);
  CHECK(*other.find("b") == 1);
  CHECK(cache.weight() == 0);
  CHECK(cache.find("b") == nullptr);
  cache.put("b", 1, 10);
  CHECK(cache.find("b") != nullptr);
}

}  // namespace
}  // namespace paddock
