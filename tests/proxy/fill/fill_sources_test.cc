#include "proxy/fill/fill_sources.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_upstream.h"

using namespace paddock;
using paddock::test::FakeUpstream;

namespace {

const Error away{ErrorCode::unavailable, Blame::upstream, "away"};
const Error refused{ErrorCode::denied, Blame::upstream, "refused"};

struct Line {
  std::shared_ptr<Upstream> one = std::make_shared<FakeUpstream>("one"), two = std::make_shared<FakeUpstream>("two"),
                            three = std::make_shared<FakeUpstream>("three");
  FillSources sources{{one, "a/b"}};

  std::string current() const { return sources.current()->upstream->name(); }
  // A request to the current one that fails.
  bool fail(const Error& why = away, bool brought = false) { return sources.turn(sources.current(), why, brought); }
};

}  // namespace

TEST_CASE_METHOD(Line, "a source that is alone is asked again and again, after a wait") {
  CHECK_FALSE(fail());
  CHECK_FALSE(fail(away, true));
  CHECK_FALSE(fail());
  CHECK(current() == "one");
}

TEST_CASE_METHOD(Line, "those who join are asked when those before them fail") {
  CHECK(sources.add({two, "a/b"}));
  CHECK(sources.add({three, "a/b"}));
  CHECK(current() == "one");
  CHECK(fail());
  CHECK(current() == "two");
  CHECK(fail());
  CHECK(current() == "three");
}

TEST_CASE_METHOD(Line, "when all have failed a new round begins, with a wait before it") {
  sources.add({two, "a/b"});
  CHECK(fail());
  CHECK_FALSE(fail());
  CHECK(current() == "one");
  CHECK(fail());
  CHECK(current() == "two");
  CHECK_FALSE(fail());
}

TEST_CASE_METHOD(Line, "one that joins late is asked before those that have failed") {
  sources.add({two, "a/b"});
  CHECK(fail());
  sources.add({three, "a/b"});
  CHECK(fail());
  CHECK(current() == "three");
}

TEST_CASE_METHOD(Line,
                 "one that brought something stands back for others that have not failed, but not for those that did") {
  sources.add({two, "a/b"});
  CHECK(fail());
  CHECK(current() == "two");
  CHECK_FALSE(fail(away, true));
  CHECK(current() == "two");
  sources.add({three, "a/b"});
  CHECK(fail(away, true));
  CHECK(current() == "three");
}

TEST_CASE_METHOD(Line, "connections that fail one after the other turn once") {
  sources.add({two, "a/b"});
  sources.add({three, "a/b"});
  const auto first = sources.current();
  CHECK(sources.turn(first, away, false));
  CHECK(sources.turn(first, away, false));
  CHECK(current() == "two");
}

TEST_CASE_METHOD(Line, "a pair of upstream and repository stands in line once") {
  CHECK_FALSE(sources.add({one, "a/b"}));
  CHECK(sources.add({one, "c/d"}));
  CHECK(sources.add({two, "a/b"}));
  CHECK_FALSE(sources.add({one, "c/d"}));
}

TEST_CASE_METHOD(Line, "the line has an end") {
  std::size_t added = 0;
  for (int i = 0; i < 100; ++i) added += sources.add({two, "r" + std::to_string(i)}) ? 1 : 0;
  CHECK(added == FillSources::most - 1);
}

TEST_CASE_METHOD(Line, "one that was dropped is not asked again, but the last one stays") {
  sources.add({two, "a/b"});
  sources.add({three, "a/b"});
  const auto first = sources.current();
  CHECK(sources.drop(first));
  CHECK(current() == "two");
  CHECK(sources.turn(first, away, false));  // a connection to it that was still open
  CHECK(current() == "two");
  CHECK(fail());
  CHECK(current() == "three");
  CHECK(sources.drop(sources.current()));
  CHECK(current() == "two");
  CHECK_FALSE(sources.drop(sources.current()));
  CHECK(current() == "two");
}

TEST_CASE_METHOD(Line, "skipping goes to the next one, though it has failed") {
  sources.add({two, "a/b"});
  CHECK(fail());
  sources.skip(sources.current());
  CHECK(current() == "one");
}

TEST_CASE_METHOD(Line, "the verdict is the first one's own word, as long as it has said one") {
  CHECK(sources.verdict(away).code == ErrorCode::unavailable);
  sources.add({two, "a/b"});
  CHECK(fail(refused));
  CHECK_FALSE(fail(away));
  CHECK(sources.verdict(away).code == ErrorCode::denied);
  CHECK(sources.drop(sources.current()));
  CHECK(sources.verdict(away).code == ErrorCode::unavailable);
}
