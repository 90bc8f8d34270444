#include "proxy/host/line_splitter.h"

#include <catch2/catch.hpp>
#include <vector>

namespace paddock {
namespace {

std::vector<std::string> lines_of(const std::vector<std::string>& pieces, std::size_t limit = 100) {
  LineSplitter splitter(limit);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  for (const auto& piece : pieces) splitter.feed(piece, take);
  splitter.finish(take);
  return lines;
}

TEST_CASE("lines come whole, however their bytes came") {
  CHECK(lines_of({"one\ntwo\n"}) == std::vector<std::string>{"one", "two"});
  CHECK(lines_of({"o", "ne", "\r", "\n\n", "two"}) == std::vector<std::string>{"one", "two"});
  CHECK(lines_of({"", "\n\n"}).empty());
}

TEST_CASE("of a line without end the beginning is kept") {
  CHECK(lines_of({std::string(1000, 'x'), std::string(1000, 'x') + "\nshort\n"}, 10) ==
        std::vector<std::string>{std::string(10, 'x'), "short"});
}

}  // namespace
}  // namespace paddock
