#include "storage/records.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <set>

#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/rendezvous.h"

namespace paddock {
namespace {

const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
const WallTime noon{std::chrono::seconds(1'700'000'000)};

struct Seen {
  std::vector<ManifestFact> manifests;
  std::vector<TagFact> tags;
  std::vector<PinFact> pins;
  std::vector<std::pair<std::filesystem::path, Error>> broken;
};

struct Fixture {
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  RecordFiles records{fs, "/data/records"};

  Fixture() { REQUIRE(disk.create_directories("/data/records")); }

  Seen all() {
    Seen seen;
    REQUIRE(records.for_each(
        [&](const Fact& fact) {
          if (const auto* manifest = std::get_if<ManifestFact>(&fact)) seen.manifests.push_back(*manifest);
          if (const auto* tag = std::get_if<TagFact>(&fact)) seen.tags.push_back(*tag);
          if (const auto* pin = std::get_if<PinFact>(&fact)) seen.pins.push_back(*pin);
          return Result<void>();
        },
        [&](const std::filesystem::path& path, const Error& error) {
          seen.broken.emplace_back(path, error);
          return Result<void>();
        },
        1));
    return seen;
  }

  std::vector<std::filesystem::path> files() {
    std::vector<std::filesystem::path> out;
    for (const auto& folder : disk.list("/data/records").value()) {
      const auto path = std::filesystem::path("/data/records") / folder.name;
      for (const auto& entry : disk.list(path).value()) out.push_back(path / entry.name);
    }
    return out;
  }

  void overwrite(const std::filesystem::path& path, std::string_view content) {
    REQUIRE(disk.create_directories(path.parent_path()));
    REQUIRE(write_file_durably(disk, path, content));
  }
};

TagFact tag_fact(std::string tag, std::string_view content = "m") {
  return {paddle, std::move(tag), Digest::of(content), noon};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a tag's last recorded confirmation comes back, and is not made up", "[records]") {
  TagFact confirmed = tag_fact("confirmed");
  confirmed.validated = noon + std::chrono::hours(48);
  REQUIRE(records.put(confirmed));
  REQUIRE(records.put(tag_fact("never")));
  const auto tags = all().tags;
  REQUIRE(tags.size() == 2);
  for (const auto& tag : tags) {
    CHECK(tag.changed == noon);
    CHECK(tag.validated == (tag.tag == "never" ? WallTime() : confirmed.validated));
  }
}

TEST_CASE_METHOD(Fixture, "no record is put in place of a folder that went away", "[records]") {
  REQUIRE(disk.rename("/data", "/elsewhere"));
  const auto put = records.put(tag_fact("latest"));
  REQUIRE_FALSE(put);
  CHECK(put.error().code == ErrorCode::io);  // nobody may take it for a missing tag
  CHECK_FALSE(disk.list("/data"));
  REQUIRE(disk.rename("/elsewhere", "/data"));
  CHECK(records.put(tag_fact("latest")));
}

TEST_CASE_METHOD(Fixture, "every kind of record comes back as it was put", "[records]") {
  const ManifestFact manifest{paddle,
                              Digest::of("m", Digest::Algorithm::sha512),
                              "application/vnd.oci.image.index.v1+json",
                              {Digest::of("config"), Digest::of("layer", Digest::Algorithm::sha512)}};
  const PinRecord forever{paddle, "2.6.1", Digest::of("m"), std::nullopt};
  const PinRecord until{paddle, "2.6.2", Digest::of("m"), noon, "nightly"};
  REQUIRE(records.put(manifest));
  REQUIRE(records.put(TagFact{paddle, "2.6.1", Digest::of("m"), noon}));
  REQUIRE(records.put(PinFact{forever}));
  REQUIRE(records.put(PinFact{until}));

  auto seen = all();
  CHECK(seen.broken.empty());
  REQUIRE(seen.manifests.size() == 1);
  CHECK(seen.manifests[0].repository == paddle);
  CHECK(seen.manifests[0].digest == manifest.digest);
  CHECK(seen.manifests[0].media_type == manifest.media_type);
  CHECK(seen.manifests[0].children == manifest.children);
  REQUIRE(seen.tags.size() == 1);
  CHECK(seen.tags[0].repository == paddle);
  CHECK(seen.tags[0].tag == "2.6.1");
  CHECK(seen.tags[0].digest == Digest::of("m"));
  CHECK(seen.tags[0].changed == noon);
  REQUIRE(seen.pins.size() == 2);
  if (seen.pins[0].pin.until) std::swap(seen.pins[0], seen.pins[1]);
  CHECK(seen.pins[0].pin == forever);
  CHECK(seen.pins[1].pin == until);
}

TEST_CASE_METHOD(Fixture, "a record of the same key replaces the older one", "[records]") {
  REQUIRE(records.put(tag_fact("latest", "old")));
  REQUIRE(records.put(tag_fact("latest", "new")));
  CHECK(files().size() == 1);
  CHECK(all().tags.at(0).digest == Digest::of("new"));
}

TEST_CASE_METHOD(Fixture, "keys that read alike get files of their own", "[records]") {
  REQUIRE(records.put(TagFact{{"a", "b/c"}, "d", Digest::of("m"), noon}));
  REQUIRE(records.put(TagFact{{"a/b", "c"}, "d", Digest::of("m"), noon}));
  REQUIRE(records.put(PinFact{{{"a", "b/c"}, "d", Digest::of("m"), noon}}));
  CHECK(files().size() == 3);
}

TEST_CASE_METHOD(Fixture, "an erased record is gone, and erasing an absent one is fine", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  REQUIRE(records.erase(tag_fact("latest", "any")));
  CHECK(all().tags.empty());
  REQUIRE(records.erase(tag_fact("latest")));
  REQUIRE(records.erase(tag_fact("never")));
  CHECK(all().tags.empty());
}

TEST_CASE_METHOD(Fixture, "a record survives a power cut once put has returned", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  disk.drop_unsynced();
  CHECK(all().tags.size() == 1);
  REQUIRE(records.erase(tag_fact("latest")));
  disk.drop_unsynced();
  CHECK(all().tags.empty());
}

TEST_CASE_METHOD(Fixture, "a put that fails anywhere leaves the old record or the new one", "[records]") {
  REQUIRE(records.put(tag_fact("latest", "old")));
  const std::uint64_t before = fs.calls();
  REQUIRE(records.put(tag_fact("latest", "old")));
  const std::uint64_t steps = fs.calls() - before;
  REQUIRE(steps >= 4);
  for (std::uint64_t step = 0; step < steps; ++step) {
    fs.fail_from(fs.calls() + step, ErrorCode::no_space);
    const auto result = records.put(tag_fact("latest", "new"));
    fs.clear();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::no_space);
    disk.drop_unsynced();
    const auto seen = all();
    CHECK(seen.broken.empty());
    REQUIRE(seen.tags.size() == 1);
    CHECK((seen.tags[0].digest == Digest::of("old") || seen.tags[0].digest == Digest::of("new")));
    REQUIRE(records.put(tag_fact("latest", "old")));
  }
}

TEST_CASE_METHOD(Fixture, "text that is not UTF-8 is refused, not thrown", "[records]") {
  const auto result = records.put(ManifestFact{paddle, Digest::of("m"), "text/\xff\xfe", {}});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::invalid_argument);
  CHECK(files().empty());
}

TEST_CASE_METHOD(Fixture, "a record that could not be read back is refused", "[records]") {
  const auto result =
      records.put(ManifestFact{paddle, Digest::of("m"), std::string(RecordFiles::max_file_size, 'x'), {}});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::too_large);
}

TEST_CASE_METHOD(Fixture, "broken records are reported and the good ones still visited", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  const auto good = files().at(0);
  const std::string content = read_file(disk, good, 10'000).value();
  const auto replaced = [&](std::string_view what, std::string_view by) {
    std::string out = content;
    const auto at = out.find(what);
    REQUIRE(at != std::string::npos);
    return out.replace(at, what.size(), by);
  };
  const std::string bad = GENERATE_COPY(
      std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\xff\xfe"),
      std::string("{\"version\": 1}"), std::string(100'000, '['), replaced("\"version\": 1", "\"version\": 2"),
      replaced("\"tag\",", "\"tug\","), replaced("sha256:", "sha257:"), replaced("\"latest\"", "7"),
      replaced("1700000000", "\"soon\""), replaced("1700000000", "1e300"),
      content);  // the last: good content under another's name
  overwrite("/data/records/00/whatever.json", bad);
  const auto seen = all();
  CHECK(seen.tags.size() == 1);
  REQUIRE(seen.broken.size() == 1);
  CHECK(seen.broken[0].first == "/data/records/00/whatever.json");
  CHECK(seen.broken[0].second.code == ErrorCode::corrupt);
}

TEST_CASE_METHOD(Fixture, "a cut or flipped record is never taken for another fact", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  const auto path = files().at(0);
  const std::string content = read_file(disk, path, 10'000).value();
  for (std::size_t i = 0; i < content.size(); ++i) {
    overwrite(path, content.substr(0, i));
    CHECK(all().tags.empty());
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    std::string flipped = content;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    overwrite(path, flipped);
    for (const auto& tag : all().tags) {  // what is not in the key may change: that is the catalog's to compare
      CHECK(tag.repository == paddle);
      CHECK(tag.tag == "latest");
    }
  }
}

TEST_CASE_METHOD(Fixture, "an oversized record is reported unread", "[records]") {
  overwrite("/data/records/00/big.json", std::string(RecordFiles::max_file_size + 1, ' '));
  const auto seen = all();
  REQUIRE(seen.broken.size() == 1);
  CHECK(seen.broken[0].second.code == ErrorCode::too_large);
}

TEST_CASE_METHOD(Fixture, "an unreadable record is reported with the disk's error", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  fs.fail_all(FaultFileSystem::Op::read);
  auto seen = all();
  REQUIRE(seen.broken.size() == 1);
  CHECK(seen.broken[0].second.code == ErrorCode::io);
  fs.clear();
  CHECK(all().tags.size() == 1);
}

TEST_CASE_METHOD(Fixture, "temporary files and strange names are passed over", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  overwrite("/data/records/stray", "x");
  overwrite("/data/records/00/half.json.7.tmp", "{");
  const auto seen = all();
  CHECK(seen.tags.size() == 1);
  CHECK(seen.broken.empty());
}

TEST_CASE_METHOD(Fixture, "several threads read records at a time, visited one at a time", "[records]") {
  for (int i = 0; i < 100; ++i) REQUIRE(records.put(tag_fact(std::to_string(i))));
  overwrite("/data/records/00/bad.json", "{");
  Rendezvous two(2);
  fs.on_list([&](const auto& path) {
    if (path != "/data/records") two.meet();
  });
  std::set<std::string> tags;
  std::atomic<int> visitors{0};
  int broken = 0;
  const auto alone = [&](const auto& visit) {
    CHECK(++visitors == 1);
    visit();
    --visitors;
    return Result<void>();
  };
  REQUIRE(records.for_each(
      [&](const Fact& fact) { return alone([&] { CHECK(tags.insert(std::get<TagFact>(fact).tag).second); }); },
      [&](const auto&, const Error&) { return alone([&] { ++broken; }); }, 4));
  CHECK(two.met());
  CHECK(tags.size() == 100);
  CHECK(broken == 1);
}

TEST_CASE_METHOD(Fixture, "reading records ends with the first failure of a visitor", "[records]") {
  for (int i = 0; i < 20; ++i) REQUIRE(records.put(tag_fact(std::to_string(i))));
  overwrite("/data/records/00/bad.json", "{");
  const auto full = [](const auto&...) { return Result<void>(fail(ErrorCode::no_space, Blame::us, "no room")); };
  const auto fine = [](const auto&...) { return Result<void>(); };
  int visits = 0;
  const auto count = [&](const Fact& fact) {
    ++visits;
    return full(fact);
  };
  const auto done = records.for_each(count, fine, 1);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::no_space);
  CHECK(visits == 1);
  CHECK_FALSE(records.for_each(fine, full, 1));
}

TEST_CASE_METHOD(Fixture, "a folder of records that cannot be read, or known, is reported", "[records]") {
  REQUIRE(records.put(tag_fact("latest")));
  const auto folder = files().at(0).parent_path();
  fs.fail_path(folder, ErrorCode::io);
  auto seen = all();
  CHECK(seen.tags.empty());
  REQUIRE(seen.broken.size() == 1);
  CHECK(seen.broken[0].first == folder);
  fs.clear();
  fs.hide_path(folder);
  seen = all();
  REQUIRE(seen.broken.size() == 1);
  CHECK(seen.broken[0].second.code == ErrorCode::io);
}

TEST_CASE("records of a folder that is not there are none", "[records]") {
  MemoryFileSystem disk;
  RecordFiles records(disk, "/nowhere/records");
  const auto unexpected = [](const auto&...) { return Result<void>(fail(ErrorCode::io, Blame::us, "visited")); };
  CHECK(records.for_each(unexpected, unexpected, 2));
  CHECK(records.erase(tag_fact("latest")));
}

}  // namespace paddock
