#include "storage/data_folder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "storage/posix_file_system.h"
#include "tests/storage/file_system_conformance.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Op = FaultFileSystem::Op;

bool mentions(const Error& error, std::string_view text) { return error.context.find(text) != std::string::npos; }

TEST_CASE("a new data folder gets its lock, its format and its folders") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto data = DataFolder::open(fs, folder / "deep" / "data");
  REQUIRE(data);
  CHECK(names_in(fs, folder / "deep" / "data") ==
        std::vector<std::string>{"FORMAT", "LOCK", "blobs", "catalog", "jobs", "partial", "records"});
  CHECK(read_file(fs, data->paths().format(), 100) == "paddock-store 1\n");
  CHECK(names_in(fs, data->paths().partial()).empty());
}

TEST_CASE("a data folder is opened again with what it holds") {
  MemoryFileSystem fs;
  const Digest digest = Digest::of("x");
  {
    const auto data = DataFolder::open(fs, "/data");
    REQUIRE(data);
    REQUIRE(fs.create_directories(data->paths().blob(digest).parent_path()));
    REQUIRE(write_file_durably(fs, data->paths().blob(digest), "x"));
  }
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE(data);
  CHECK(read_file(fs, data->paths().blob(digest), 10) == "x");
}

TEST_CASE("a data folder that another has taken the place of says so, until it is back") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto first = DataFolder::open(fs, folder / "data");
  REQUIRE(first);
  CHECK(first->present(fs));
  std::filesystem::rename(folder / "data", folder / "away");
  CHECK(first->present(fs).error().code == ErrorCode::io);
  {
    const auto second = DataFolder::open(fs, folder / "data");
    REQUIRE(second);
    CHECK(second->present(fs));
    const auto replaced = first->present(fs);
    REQUIRE_FALSE(replaced);
    CHECK(replaced.error().code == ErrorCode::conflict);
    CHECK(mentions(replaced.error(), (folder / "data").string() + " was replaced"));
  }
  std::filesystem::remove_all(folder / "data");
  std::filesystem::rename(folder / "away", folder / "data");
  CHECK(first->present(fs));
}

TEST_CASE("a pipe for a lock or a format is refused, by its name") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  for (const char* name : {"LOCK", "FORMAT"}) {
    REQUIRE(DataFolder::open(fs, folder / "data"));
    std::filesystem::remove(folder / "data" / name);
    REQUIRE(::mkfifo((folder / "data" / name).c_str(), 0600) == 0);
    const auto opened = DataFolder::open(fs, folder / "data");
    REQUIRE_FALSE(opened);
    CHECK(mentions(opened.error(), (folder / "data" / name).string() + " is not a regular file"));
    std::filesystem::remove_all(folder / "data");
  }
}

TEST_CASE("a data folder that is in use is refused, with its holder and what to do") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  auto first = DataFolder::open(fs, folder.path());
  REQUIRE(first);
  const auto second = DataFolder::open(fs, folder.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().context == "the data folder " + folder.path().string() + " is in use by process " +
                                      std::to_string(::getpid()) + ": stop it, or give another --data");
  first = fail(ErrorCode::cancelled, Blame::us, "dropped");
  CHECK(DataFolder::open(fs, folder.path()));
}

TEST_CASE("a refused second opener changes nothing") {
  MemoryFileSystem memory;
  FaultFileSystem fs(memory);
  const auto first = DataFolder::open(fs, "/data");
  REQUIRE(first);
  const auto renames = fs.count(Op::rename);
  const auto creates = fs.count(Op::create);
  CHECK_FALSE(DataFolder::open(fs, "/data"));
  CHECK(fs.count(Op::rename) == renames);
  CHECK(fs.count(Op::create) == creates);
}

TEST_CASE("another format is refused by name and left alone") {
  MemoryFileSystem fs;
  REQUIRE(fs.create_directories("/data"));
  const std::string line = GENERATE("paddock-store 2\n", "paddock-store 11\n");
  REQUIRE(write_file_durably(fs, "/data/FORMAT", line));
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE_FALSE(data);
  CHECK(data.error().code == ErrorCode::unsupported);
  CHECK(mentions(data.error(), "/data"));
  CHECK(mentions(data.error(), "--data"));
  CHECK(mentions(data.error(), "\"" + line.substr(0, line.size() - 1) + "\""));
  CHECK_FALSE(mentions(data.error(), "echo"));  // it must not be talked into the wrong format
  CHECK(read_file(fs, "/data/FORMAT", 100) == line);
  CHECK(names_in(fs, "/data") == std::vector<std::string>{"FORMAT", "LOCK"});
}

TEST_CASE("a damaged format file is refused with what to do, and its bytes are shown harmlessly") {
  using namespace std::string_literals;
  MemoryFileSystem fs;
  REQUIRE(fs.create_directories("/data"));
  const auto [line, shown] = GENERATE(table<std::string, std::string>({
      {"", "holds \"\":"},
      {"paddock-store 1", "\"paddock-store 1\""},
      {"paddock-store \n", "\"paddock-store \\x0a\""},
      {"paddock-store 1x\n", "\"paddock-store 1x\\x0a\""},
      {"junk\0\xff\x1b[31m\"\\\n"s, R"("junk\x00\xff\x1b[31m\x22\x5c\x0a")"},
      {std::string(100, 'a'), "\"" + std::string(40, 'a') + "\"...:"},
      {std::string(5000, 'a'), "is damaged: if"},
  }));
  REQUIRE(write_file_durably(fs, "/data/FORMAT", line));
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE_FALSE(data);
  CHECK(data.error().code == ErrorCode::unsupported);
  CAPTURE(data.error().context);
  CHECK(mentions(data.error(), "/data/FORMAT"));
  CHECK(mentions(data.error(), shown));
  CHECK(mentions(data.error(), "echo 'paddock-store 1' > '/data/FORMAT'"));
  CHECK(mentions(data.error(), "--data"));
  CHECK(std::ranges::all_of(data.error().context, [](char c) { return c >= 0x20 && c < 0x7f; }));
  REQUIRE(write_file_durably(fs, "/data/FORMAT", "paddock-store 1\n"));  // what the advice does
  CHECK(DataFolder::open(fs, "/data"));
}

TEST_CASE("a folder with our names in it and without a format file is refused, with what to do") {
  MemoryFileSystem fs;
  REQUIRE(fs.create_directories("/home/blobs"));
  const auto data = DataFolder::open(fs, "/home");
  REQUIRE_FALSE(data);
  CHECK(data.error().code == ErrorCode::unsupported);
  CHECK(mentions(data.error(), "blobs"));
  CHECK(mentions(data.error(), "echo 'paddock-store 1' > '/home/FORMAT'"));
  CHECK_FALSE(fs.open("/home/FORMAT", FileSystem::Open::read));
}

TEST_CASE("a data folder that went away is told from one that is there") {
  MemoryFileSystem fs;
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE(data);
  CHECK(check_present(fs, data->paths()));
  REQUIRE(fs.rename("/data/FORMAT", "/elsewhere"));
  const auto gone = check_present(fs, data->paths());
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::io);
  CHECK(mentions(gone.error(), "/data is gone"));
  REQUIRE(fs.rename("/elsewhere", "/data/FORMAT"));
  CHECK(check_present(fs, data->paths()));
}

TEST_CASE("other people's files in a new folder do no harm") {
  MemoryFileSystem fs;
  REQUIRE(fs.create_directories("/data/lost+found"));
  CHECK(DataFolder::open(fs, "/data"));
}

TEST_CASE("a data folder that cannot be written says so, with its path") {
  MemoryFileSystem memory;
  FaultFileSystem fs(memory);
  const bool existed = GENERATE(false, true);
  if (existed) {
    REQUIRE(DataFolder::open(memory, "/data"));
  }
  fs.fail_all(Op::create, ErrorCode::denied);
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE_FALSE(data);
  CHECK(data.error().code == ErrorCode::denied);
  CHECK(mentions(data.error(), "/data"));
  CHECK(mentions(data.error(), "writable"));
  fs.clear();
  CHECK(DataFolder::open(fs, "/data"));  // the lock was given back
}

TEST_CASE("a data folder where a file is in the way fails") {
  MemoryFileSystem fs;
  REQUIRE(write_file_durably(fs, "/data", "a file"));
  const auto data = DataFolder::open(fs, "/data");
  REQUIRE_FALSE(data);
  CHECK(mentions(data.error(), "/data"));
}

TEST_CASE("making a data folder can be interrupted anywhere and taken up again") {
  MemoryFileSystem probe_memory;
  FaultFileSystem probe(probe_memory);
  REQUIRE(DataFolder::open(probe, "/data"));
  const auto cut = GENERATE(MemoryFileSystem::PowerCut::lose_all, MemoryFileSystem::PowerCut::lose_names);
  for (std::uint64_t step = 0; step < probe.calls(); ++step) {
    INFO("step " << step);
    MemoryFileSystem memory;
    FaultFileSystem fs(memory);
    fs.fail_from(step);
    CHECK_FALSE(DataFolder::open(fs, "/data"));
    memory.power_cut(cut);
    CHECK(DataFolder::open(memory, "/data"));
  }
}

TEST_CASE("a blob's path comes from its digest and leads back to it") {
  const auto algorithm = GENERATE(Digest::Algorithm::sha256, Digest::Algorithm::sha512);
  const Digest digest = Digest::of("abc", algorithm);
  const std::string hex = digest.hex();
  const auto path = blob_path("/data", digest);
  CHECK(path ==
        std::filesystem::path("/data/blobs") / digest.algorithm_name() / hex.substr(0, 2) / hex.substr(2, 2) / hex);
  CHECK(DataPaths("/data").blob(digest) == path);
  CHECK(digest_of_blob_file(digest.algorithm_name(), hex.substr(0, 2), hex.substr(2, 2), hex) == digest);
  CHECK(DataPaths("/data").partial(digest).filename() == std::string(digest.algorithm_name()) + "-" + hex);
}

TEST_CASE("a file that is no blob's, or not in its place, is told") {
  const std::string hex = Digest::of("abc").hex(), first = hex.substr(0, 2), second = hex.substr(2, 2);
  REQUIRE(digest_of_blob_file("sha256", first, second, hex));
  CHECK_FALSE(digest_of_blob_file("sha512", first, second, hex));
  CHECK_FALSE(digest_of_blob_file("", first, second, hex));
  CHECK_FALSE(digest_of_blob_file("sha256", "00", second, hex));
  CHECK_FALSE(digest_of_blob_file("sha256", first, "00", hex));
  CHECK_FALSE(digest_of_blob_file("sha256", first, "", hex));
  CHECK_FALSE(digest_of_blob_file("sha256", first, second, hex + ".tmp"));
  CHECK_FALSE(digest_of_blob_file("sha256", first, second, ""));
}

}  // namespace
}  // namespace paddock
