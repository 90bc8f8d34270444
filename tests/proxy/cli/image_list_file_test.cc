#include "proxy/cli/image_list_file.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Images = std::vector<std::string>;

struct List {
  TemporaryFolder folder;
  [[nodiscard]] Result<Images> read(const std::string& text) const {
    std::ofstream(folder / "images") << text;
    return read_image_list(folder / "images");
  }
};

TEST_CASE("a list of images has one a line, and comments") {
  const List list;
  CHECK(list.read("# all\n\n  registry.baidubce.com/a/b:1  # why\r\ndebian\n").value() ==
        Images{"registry.baidubce.com/a/b:1", "debian"});
  CHECK(list.read("# nothing yet\n").value().empty());
  CHECK(list.read("debian:12").value() == Images{"debian:12"});
}

TEST_CASE("what is wrong with a list is said with its line") {
  const List list;
  for (const auto* text : {"debian\nUPPER:1\n", "debian\ndebian alpine\n", "debian\nhttps://host/a\n"}) {
    const auto read = list.read(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_argument);
    CHECK_THAT(read.error().context, Contains("images:2: "));
  }
  CHECK(list.read(std::string(2'000'000, '#')).error().code == ErrorCode::too_large);
  CHECK_THAT(read_image_list("/nowhere/images").error().context, Contains("/nowhere/images"));
}

}  // namespace
}  // namespace paddock
