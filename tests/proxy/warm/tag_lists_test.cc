#include "proxy/warm/tag_lists.h"

#include "tests/proxy/warm/warm_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

struct ListFixture : WarmFixture {
  Result<TagLists::Tags> get(TagLists& of) { return start(of.get(upstream, {"up.example", name})).get(); }
};

}  // namespace

TEST_CASE_METHOD(ListFixture, "all pages of a list are read, once a while") {
  const auto image = add_image({"x"});
  for (int i = 0; i < 2500; ++i) upstream->set_tag(name, "t" + std::to_string(i), image);
  CHECK(get(lists).value()->size() == 2500);
  CHECK(upstream->count("list_tags") == 3);
  clock.advance(59s);
  CHECK(get(lists).value()->size() == 2500);
  CHECK(upstream->count("list_tags") == 3);
  clock.advance(1s);
  CHECK(get(lists));
  CHECK(upstream->count("list_tags") == 6);
}

TEST_CASE_METHOD(ListFixture, "a list without an end is given up, one that cannot be had is asked for again") {
  const auto image = add_image({"x"});
  for (int i = 0; i < 30; ++i) upstream->set_tag(name, "t" + std::to_string(i), image);
  TagLists narrow(clock, {.limit = 20});
  CHECK(get(narrow).error().code == ErrorCode::too_large);
  upstream->fail_calls("list_tags", broken_connection);
  CHECK(get(lists).error().code == ErrorCode::unavailable);
  CHECK(get(lists));
}
