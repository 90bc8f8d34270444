// A data folder on the real disk with a small store in it: what recovery tests damage, and the check that all is there.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <string>
#include <vector>

#include "storage/disk_blob_store.h"
#include "storage/manifest_store.h"
#include "storage/posix_file_system.h"
#include "storage/recovery.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"

namespace paddock {

// In memory where the system has such a folder: these tests restart a hundred times, and every start syncs.
class QuickFolder {
 public:
  QuickFolder() {
    std::string name = (std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                                  : std::filesystem::temp_directory_path()) /
                       "paddock-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~QuickFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  QuickFolder(const QuickFolder&) = delete;
  QuickFolder& operator=(const QuickFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct RecoveryFixture {
  RecoveryFixture() { spdlog::set_level(spdlog::level::off); }  // every case would log hundreds of warnings
  ~RecoveryFixture() { spdlog::set_level(spdlog::level::info); }
  RecoveryFixture(const RecoveryFixture&) = delete;
  RecoveryFixture& operator=(const RecoveryFixture&) = delete;

  QuickFolder folder;
  PosixFileSystem disk;
  FaultFileSystem fs{disk};
  ManualClock clock;
  DataPaths paths = DataFolder::open(fs, folder / "data").value().paths();
  CatalogAccess access = rocks_catalog_access(paths, clock);
  RecoveryOptions options;

  // One run of the server on the folder.
  struct Run {
    Run(RecoveryFixture& f, Recovered recovered)
        : catalog(std::move(recovered.catalog)),
          report(recovered.report),
          blobs(f.fs, f.paths, *catalog, *f.space, f.clock, {}),
          records(f.fs, f.paths.records()),
          store(blobs, records, *catalog) {}
    std::unique_ptr<Catalog> catalog;
    RecoveryReport report;
    DiskBlobStore blobs;
    RecordFiles records;
    ManifestStore store;
  };

  std::unique_ptr<Space> space;
  Result<Recovered> try_start() {
    space = std::make_unique<Space>(fs, Space::Options{.folder = folder.path()});
    return recover(fs, paths, *space, clock, access, options);
  }
  std::unique_ptr<Run> start() {
    auto recovered = try_start();
    if (!recovered) FAIL(recovered.error().context);
    CHECK(space->usage().stored == recovered->report.bytes);
    return std::make_unique<Run>(*this, *std::move(recovered));
  }

  const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
  const RepositoryKey other{"docker.io", "paddlepaddle/paddle"};
  const std::vector<std::string> layers{"layer one", "layer two", std::string(100'000, 'x'), ""};
  const std::string manifest = R"({"schemaVersion":2,"layers":[]})";
  const std::string index = R"({"schemaVersion":2,"manifests":[]})";
  const ManifestRecord manifest_record{"application/vnd.oci.image.manifest.v1+json", manifest, digests(layers)};
  const ManifestRecord index_record{"application/vnd.oci.image.index.v1+json", index, {Digest::of(manifest)}};
  const PinRecord pin{paddle, "2.6.1", Digest::of(index), std::nullopt};
  const std::uint64_t bytes = 9 + 9 + 100'000 + manifest.size() + index.size();

  static std::vector<Digest> digests(const std::vector<std::string>& contents) {
    std::vector<Digest> out;
    for (const auto& content : contents) out.push_back(Digest::of(content));
    return out;
  }

  void fill(Run& run) {
    for (const auto& layer : layers) REQUIRE(run.blobs.put(Digest::of(layer), layer));
    REQUIRE(run.store.put(paddle, Digest::of(manifest), manifest_record));
    REQUIRE(run.store.put(other, Digest::of(manifest), manifest_record));
    REQUIRE(run.store.put(paddle, Digest::of(index), index_record));
    REQUIRE(run.store.put_tag(paddle, "2.6.1", Digest::of(index), clock.wall()));
    REQUIRE(run.store.put_tag(paddle, "latest", Digest::of(index), clock.wall()));
    REQUIRE(run.store.put_tag(other, "latest", Digest::of(manifest), clock.wall()));
    REQUIRE(run.store.put_pin(pin));
  }
  // Filled, with the catalog both in a table and in a log.
  void make_store() {
    fill(*start());
    const auto run = start();
    REQUIRE(run->store.put_tag(paddle, "latest", Digest::of(manifest), clock.wall()));
    REQUIRE(run->catalog->flush());
  }

  // Of a store made by make_store().
  void check_all_there(Run& run) {
    for (const auto& layer : layers) {
      const auto blob = run.blobs.open(Digest::of(layer));
      REQUIRE(blob);
      CHECK(blob->size == layer.size());
      CHECK(read_file(disk, paths.blob(Digest::of(layer)), 1'000'000).value() == layer);
      CHECK(run.catalog->linked(paddle, Digest::of(layer)).value());
      CHECK(run.catalog->linked(other, Digest::of(layer)).value());
    }
    CHECK(run.catalog->manifest(Digest::of(manifest)).value() == manifest_record);
    CHECK(run.catalog->manifest(Digest::of(index)).value() == index_record);
    CHECK(run.catalog->linked(paddle, Digest::of(index)).value());
    CHECK_FALSE(run.catalog->linked(other, Digest::of(index)).value());
    CHECK(digest_of_tag(run, paddle, "2.6.1") == Digest::of(index));
    CHECK(digest_of_tag(run, paddle, "latest") == Digest::of(manifest));
    CHECK(digest_of_tag(run, other, "latest") == Digest::of(manifest));
    CHECK(run.catalog->pins().value() == std::vector{pin});
    CHECK(run.catalog->repositories({}, 10).value() == std::vector{other, paddle});
    CHECK(run.report.blobs == 6);
    CHECK(run.report.bytes == bytes);
    CHECK(run.report.manifests == 3);
    CHECK(run.report.tags == 3);
    CHECK(run.report.pins == 1);
    CHECK(run.report.quarantined + run.report.broken_records + run.report.dropped_records == 0);
  }
  static std::optional<Digest> digest_of_tag(Run& run, const RepositoryKey& repository, const std::string& tag) {
    const auto record = run.catalog->tag(repository, tag).value();
    return record ? std::optional(record->digest) : std::nullopt;
  }

  static void write(const std::filesystem::path& path, std::string_view content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  static std::vector<std::filesystem::path> files_under(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> out;
    if (!std::filesystem::exists(path)) return out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) out.push_back(entry.path());
    }
    std::ranges::sort(out);
    return out;
  }
  std::size_t quarantined_files() { return files_under(paths.root() / "quarantine").size(); }
};

}  // namespace paddock
