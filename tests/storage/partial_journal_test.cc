#include "storage/partial_journal.h"

#include <catch2/catch.hpp>

#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

using namespace paddock;

namespace {

const std::filesystem::path partial = "/data/partial/sha256-x";
const Digest digest = Digest::of("a layer");

struct JournalFixture {
  MemoryFileSystem memory;
  FaultFileSystem fs{memory};
  JournalFixture() { REQUIRE(fs.create_directories(partial.parent_path())); }

  PartialJournal journal(std::string boot = "boot 1", const Digest& of = digest) {
    return {fs, partial, of, std::move(boot)};
  }
  void write(std::string_view suffix, std::string_view text) {
    auto path = partial;
    path += suffix;
    REQUIRE(write_file_durably(fs, path, text));
  }
};

PartialProgress progress(std::initializer_list<Extent> extents, std::uint64_t size = 1000) {
  PartialProgress made{.size = size, .extents = {}};
  for (const Extent& extent : extents) made.extents.add(extent);
  return made;
}

using Runs = std::map<std::uint64_t, std::uint64_t>;

}  // namespace

TEST_CASE_METHOD(JournalFixture, "a journal that has nothing knows nothing") { CHECK_FALSE(journal().read()); }

TEST_CASE_METHOD(JournalFixture, "what was written is known to the next process of the same boot") {
  REQUIRE(journal().note_written(progress({{0, 100}, {200, 300}})));
  const auto known = journal().read();
  REQUIRE(known);
  CHECK(known->size == 1000);
  CHECK(known->extents.runs() == Runs{{0, 100}, {200, 300}});
}

TEST_CASE_METHOD(JournalFixture, "after a restart of the machine only what was synced is believed") {
  REQUIRE(journal().note_synced(progress({{0, 100}})));
  REQUIRE(journal().note_written(progress({{0, 500}})));
  CHECK(journal("boot 2").read()->extents.runs() == Runs{{0, 100}});
  CHECK(journal().read()->extents.runs() == Runs{{0, 500}});
}

TEST_CASE_METHOD(JournalFixture, "a machine that does not name its boots never believes what was not synced") {
  REQUIRE(journal("").note_written(progress({{0, 500}})));
  CHECK_FALSE(journal("").read());
}

TEST_CASE_METHOD(JournalFixture, "a synced note outlives a power cut, whatever the disk loses") {
  const auto how = GENERATE(MemoryFileSystem::PowerCut::lose_all, MemoryFileSystem::PowerCut::lose_bytes,
                            MemoryFileSystem::PowerCut::lose_names);
  REQUIRE(journal().note_synced(progress({{0, 100}})));
  REQUIRE(journal().note_written(progress({{0, 300}})));
  memory.power_cut(how);
  CHECK(journal("boot 2").read()->extents.runs() == Runs{{0, 100}});
}

TEST_CASE_METHOD(JournalFixture, "both notes together are what is known") {
  REQUIRE(journal().note_written(progress({{200, 300}})));
  REQUIRE(journal().note_synced(progress({{0, 100}})));
  CHECK(journal().read()->extents.runs() == Runs{{0, 100}, {200, 300}});
}

TEST_CASE_METHOD(JournalFixture, "notes about different sizes are not mixed") {
  REQUIRE(journal().note_synced(progress({{0, 900}})));
  REQUIRE(journal().note_written(progress({{0, 100}}, 500)));
  CHECK(journal().read()->size == 500);
  CHECK(journal().read()->extents.runs() == Runs{{0, 100}});
}

TEST_CASE_METHOD(JournalFixture, "a journal of another digest is not believed") {
  REQUIRE(journal("boot 1", Digest::of("another")).note_synced(progress({{0, 100}})));
  CHECK_FALSE(journal().read());
}

TEST_CASE_METHOD(JournalFixture, "nonsense in a journal is no note at all") {
  const std::string start = R"({"version":1,"boot":"boot 1","digest":")" + digest.to_string() + R"(",)";
  const std::string text = GENERATE_COPY(
      std::string(), std::string("\0\0\0\0", 4), std::string("[]"), std::string("{}"), std::string("{\"version\":1}"),
      start + R"("size":-1,"extents":[]})", start + R"("size":"9","extents":[]})", start + R"("size":100})",
      start + R"("size":100,"extents":{}})", start + R"("size":100,"extents":[[0]]})",
      start + R"("size":100,"extents":[[0,101]]})", start + R"("size":100,"extents":[[5,5]]})",
      start + R"("size":100,"extents":[[9,3]]})", start + R"("size":100,"extents":[[-1,3]]})",
      start + R"("size":100,"extents":[[0,1.5]]})", start + R"("size":100,"extents":[["0","9"]]})",
      start + R"("size":100,"extents":[[0,9]])");
  write(".synced", text);
  write(".written", text);
  CHECK_FALSE(journal().read());
}

TEST_CASE_METHOD(JournalFixture, "a note that cannot be written leaves the last one") {
  REQUIRE(journal().note_written(progress({{0, 100}})));
  REQUIRE(journal().note_synced(progress({{0, 100}})));
  fs.fail_all(FaultFileSystem::Op::write, ErrorCode::no_space);
  CHECK(journal().note_written(progress({{0, 200}})).error().code == ErrorCode::no_space);
  CHECK(journal().note_synced(progress({{0, 200}})).error().code == ErrorCode::no_space);
  fs.clear();
  CHECK(journal().read()->extents.runs() == Runs{{0, 100}});
}

TEST_CASE_METHOD(JournalFixture, "an erased journal knows nothing, and erasing it twice is no error") {
  REQUIRE(journal().note_written(progress({{0, 100}})));
  REQUIRE(journal().note_synced(progress({{0, 100}})));
  REQUIRE(journal().erase());
  CHECK_FALSE(journal().read());
  CHECK(journal().erase());
}

TEST_CASE("a journal's files are told from partial blobs by their names") {
  CHECK(PartialJournal::is_journal("sha256-ab.written"));
  CHECK(PartialJournal::is_journal("sha256-ab.synced"));
  CHECK(PartialJournal::is_journal("sha256-ab.written.tmp"));
  CHECK(PartialJournal::is_journal("sha256-ab.synced.4.tmp"));
  CHECK_FALSE(PartialJournal::is_journal("sha256-ab"));
}

TEST_CASE("this machine's boot has a name") { CHECK(current_boot().size() == 36); }
