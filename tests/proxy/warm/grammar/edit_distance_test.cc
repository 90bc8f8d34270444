#include "proxy/warm/grammar/edit_distance.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

using paddock::did_you_mean;
using paddock::edit_distance;
using paddock::is_near;

TEST_CASE("each edit counts once, a swap of neighbours too") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("cuda", "cuda") == 0);
  CHECK(edit_distance("cuda", "cudda") == 1);
  CHECK(edit_distance("cuda", "cua") == 1);
  CHECK(edit_distance("cuda", "cuna") == 1);
  CHECK(edit_distance("cuda", "cdua") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the distance is the same in both directions and no shorter than the lengths differ") {
  std::mt19937 random(1);
  for (int round = 0; round < 2'000; ++round) {
    std::string a, b;
    for (unsigned length = random() % 12; length > 0; --length) a += static_cast<char>('a' + random() % 3);
    for (unsigned length = random() % 12; length > 0; --length) b += static_cast<char>('a' + random() % 3);
    const std::size_t edits = edit_distance(a, b);
    if (edits != edit_distance(b, a)) FAIL(a + " " + b);
    if ((edits == 0) != (a == b)) FAIL(a + " " + b);
    const std::size_t longer = std::max(a.size(), b.size());
    if (edits > longer || edits < longer - std::min(a.size(), b.size())) FAIL(a + " " + b);
  }
}

TEST_CASE("what shares less than half of its letters is another word") {
  CHECK(is_near("device", "devcie", 1));
  CHECK(is_near("abcdef", "abcxyz", 2));
  CHECK_FALSE(is_near("abcdef", "abcxyz", 3));
  CHECK_FALSE(is_near("os", "sm", 2));
  CHECK_FALSE(is_near("", "os", 2));
}

TEST_CASE("the nearest word is proposed, or none") {
  static constexpr std::array<std::string_view, 4> words{"cuda", "cudnn", "device", "os"};
  CHECK(did_you_mean("cudda", words) == " (did you mean 'cuda'?)");
  CHECK(did_you_mean("cudn", words) == " (did you mean 'cudnn'?)");
  CHECK(did_you_mean("devise", words) == " (did you mean 'device'?)");
  CHECK(did_you_mean("xyz", words).empty());
  CHECK(did_you_mean("", words).empty());
  CHECK(did_you_mean(std::string(100'000, 'x'), words).empty());
  CHECK(did_you_mean("cuda", {}).empty());
}
