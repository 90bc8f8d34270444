#include "proxy/warm/job_files.h"

#include <catch2/catch.hpp>

#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

using namespace paddock;

namespace {

struct FilesFixture {
  FilesFixture() { fs.create_directories("/jobs").value(); }

  void write(const std::string& name, std::string_view content) {
    write_file_durably(fs, std::filesystem::path("/jobs") / name, content).value();
  }

  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  JobFiles files{fs, "/jobs"};
};

WarmJobReport sample(std::string id = "0000abcd", std::int64_t created = 1000) {
  return {.id = std::move(id),
          .request = {.images = {"a/b:1", "c"},
                      .platforms = {"linux/arm64"},
                      .pin = std::chrono::hours(1),
                      .rule = "nightly",
                      .displaces = true},
          .state = WarmState::failed,
          .created = WallTime(std::chrono::seconds(created)),
          .finished = WallTime(std::chrono::seconds(created + 5)),
          .images = {{.reference = "a/b:1",
                      .name = "up/a/b:1",
                      .digest = "sha256:1",
                      .platforms = {"linux/arm64"},
                      .missing_platforms = {"x/y"},
                      .state = WarmState::failed,
                      .progress = {.total = 10, .stored = 4},
                      .error = "no such tag",
                      .nearest = {"2", "3"}}},
          .progress = {.total = 20, .stored = 14},
          .error = "why"};
}

}  // namespace

TEST_CASE_METHOD(FilesFixture, "a job that was kept comes back as it was") {
  const auto job = sample();
  REQUIRE(files.save(job));
  CHECK(files.load().value() == std::vector{job});
  REQUIRE(files.erase(job.id));
  CHECK(files.erase(job.id));
  CHECK(files.load().value().empty());
}

TEST_CASE_METHOD(FilesFixture, "jobs come back the oldest first") {
  for (const auto& job : {sample("0c", 30), sample("0a", 10), sample("0b", 20)}) REQUIRE(files.save(job));
  const auto loaded = files.load().value();
  REQUIRE(loaded.size() == 3);
  CHECK(loaded[0].id == "0a");
  CHECK(loaded[2].id == "0c");
}

TEST_CASE_METHOD(FilesFixture, "files that are no jobs are passed over, whatever is in them") {
  REQUIRE(files.save(sample()));
  write("0001.json", "{");
  write("0002.json", "[]");
  write("0003.json", R"({"version": 1, "id": "0003"})");
  write("0004.json", R"({"version": 2})");
  write("../jobs/0005.json", std::string(9U << 20U, ' '));
  write("schedule.json", "{}");
  write("notes.txt", "hello");
  CHECK(files.load().value().size() == 1);
}

TEST_CASE_METHOD(FilesFixture, "a pin longer than may be asked for is no job's") {
  auto job = sample("0a");
  job.request.pin = longest_pin;
  REQUIRE(files.save(job));
  CHECK(files.load().value().size() == 1);
  job.request.pin += std::chrono::seconds(1);
  REQUIRE(files.save(job));
  CHECK(files.load().value().empty());
}

TEST_CASE_METHOD(FilesFixture, "a job under another's name is not believed") {
  REQUIRE(files.save(sample("0a")));
  const auto text = read_file(fs, "/jobs/0a.json", 1 << 20).value();
  write("0b.json", text);
  CHECK(files.load().value().size() == 1);
}

TEST_CASE_METHOD(FilesFixture, "after a power cut at any step there is the old job or the new one") {
  for (std::uint64_t step = 0;; ++step) {
    MemoryFileSystem cut;
    FaultFileSystem faulty(cut);
    faulty.create_directories("/jobs").value();
    JobFiles kept(faulty, "/jobs");
    auto before = sample(), after = sample();
    before.state = WarmState::filling;
    REQUIRE(kept.save(before));
    const auto first = faulty.calls();
    faulty.fail_from(first + step);
    const bool done = kept.save(after).has_value();
    faulty.clear();
    cut.drop_unsynced();
    const auto loaded = kept.load().value();
    REQUIRE(loaded.size() == 1);
    CHECK((loaded[0] == before || loaded[0] == after));
    if (done) {
      CHECK(loaded[0] == after);
      break;
    }
    REQUIRE(step < 20);
  }
}

TEST_CASE_METHOD(FilesFixture, "what a crash left beside a job is removed") {
  write("0a.json.7.tmp", "half");
  CHECK(files.load().value().empty());
  CHECK(fs.list("/jobs").value().empty());
}

TEST_CASE("only what can be nothing but a file's name is a job's id") {
  for (const auto* good : {"0", "abc", "6748a1f0"}) CHECK(is_job_id(good));
  for (const auto* bad : {"", "-", "a-1", "..", "a/b", "A", "g", "a.json"}) CHECK_FALSE(is_job_id(bad));
  CHECK_FALSE(is_job_id(std::string(13, 'a')));
}
