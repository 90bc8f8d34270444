#include "tests/support/memory_file_system.h"

#include <catch2/catch.hpp>

#include "tests/storage/file_system_conformance.h"
#include "tests/support/fault_file_system.h"

namespace paddock {
namespace {

using Open = FileSystem::Open;
using Op = FaultFileSystem::Op;
using PowerCut = MemoryFileSystem::PowerCut;

struct Both {
  Both() { REQUIRE(memory.create_directories("/root")); }
  MemoryFileSystem memory;
  FaultFileSystem fs{memory};
};

TEST_CASE("memory behind faults: files conform") {
  Both both;
  check_file_conformance(both.fs, "/root");
}

TEST_CASE("memory behind faults: names conform") {
  Both both;
  check_name_conformance(both.fs, "/root");
}

TEST_CASE("a power cut loses bytes and names that were not synced") {
  Both both;
  FileSystem& fs = both.fs;
  REQUIRE(write_file_durably(fs, "/root/kept", "kept"));
  REQUIRE((*fs.open("/root/kept", Open::update))->write_at(4, bytes_of(" and more")));
  const auto file = fs.open("/root/new", Open::create);
  REQUIRE((*file)->write_at(0, bytes_of("new")));
  SECTION("everything") {
    both.memory.drop_unsynced();
    CHECK(read_file(fs, "/root/kept", 100) == "kept");
    CHECK(fs.open("/root/new", Open::read).error().code == ErrorCode::not_found);
  }
  SECTION("bytes but no names") {
    both.memory.power_cut(PowerCut::lose_bytes);
    CHECK(read_file(fs, "/root/kept", 100) == "kept" + std::string(9, '\0'));
    CHECK(read_file(fs, "/root/new", 100) == std::string(3, '\0'));
  }
  SECTION("names but no bytes") {
    both.memory.power_cut(PowerCut::lose_names);
    CHECK(read_file(fs, "/root/kept", 100) == "kept and more");
    CHECK_FALSE(fs.open("/root/new", Open::read));
  }
  SECTION("nothing that was synced") {
    REQUIRE((*file)->sync_data());
    REQUIRE(fs.sync_directory("/root"));
    both.memory.drop_unsynced();
    CHECK(read_file(fs, "/root/new", 100) == "new");
  }
}

TEST_CASE("a power cut undoes renames and removals in folders that were not synced") {
  Both both;
  REQUIRE(write_file_durably(both.fs, "/root/a", "a"));
  REQUIRE(write_file_durably(both.fs, "/root/b", "b"));
  REQUIRE(both.fs.rename("/root/a", "/root/c"));
  REQUIRE(both.fs.remove("/root/b"));
  both.memory.drop_unsynced();
  CHECK(names_in(both.fs, "/root") == std::vector<std::string>{"a", "b"});
  CHECK(read_file(both.fs, "/root/a", 10) == "a");
}

TEST_CASE("a full memory disk is no_space until its capacity grows") {
  Both both;
  both.memory.set_capacity(10);
  const auto file = both.fs.open("/root/f", Open::create);
  CHECK((*file)->write_at(0, bytes_of("0123456789")));
  CHECK((*file)->write_at(10, bytes_of("x")).error().code == ErrorCode::no_space);
  CHECK(both.fs.space("/root")->available == 0);
  both.memory.set_capacity(11);
  CHECK((*file)->write_at(10, bytes_of("x")));
}

TEST_CASE("the fault strikes exactly the call that was named") {
  Both both;
  both.fs.fail_call(1, ErrorCode::no_space);
  const auto file = both.fs.open("/root/f", Open::create);  // 0
  REQUIRE(file);
  CHECK((*file)->write_at(0, bytes_of("a")).error().code == ErrorCode::no_space);  // 1
  CHECK((*file)->write_at(0, bytes_of("a")));                                      // 2
  CHECK(both.fs.calls() == 3);
  CHECK(both.fs.count(Op::write) == 2);
}

TEST_CASE("after a fault from a call on nothing changes any more, but reading works") {
  Both both;
  REQUIRE(write_file_durably(both.fs, "/root/f", "f"));
  both.fs.fail_from(both.fs.calls());
  CHECK_FALSE(both.fs.open("/root/g", Open::create));
  CHECK_FALSE(both.fs.rename("/root/f", "/root/g"));
  CHECK_FALSE(both.fs.remove("/root/f"));
  CHECK_FALSE(both.fs.create_directories("/root/d"));
  CHECK_FALSE(both.fs.sync_directory("/root"));
  CHECK(read_file(both.fs, "/root/f", 10) == "f");
  both.fs.clear();
  CHECK(both.fs.remove("/root/f"));
}

TEST_CASE("a short write leaves what fitted") {
  Both both;
  const auto file = both.fs.open("/root/f", Open::create);
  both.fs.fail_after_bytes(5);
  CHECK((*file)->write_at(0, bytes_of("abc")));
  CHECK((*file)->write_at(3, bytes_of("defg")).error().code == ErrorCode::no_space);
  CHECK(read_file(both.fs, "/root/f", 10) == "abcde");
}

TEST_CASE("one kind of call fails until the faults are cleared") {
  Both both;
  const auto file = both.fs.open("/root/f", Open::create);
  both.fs.fail_all(Op::sync_data);
  both.fs.fail_all(Op::read, ErrorCode::corrupt);
  CHECK((*file)->sync_data().error().code == ErrorCode::io);
  CHECK((*file)->write_at(0, bytes_of("a")));
  CHECK(read_file(both.fs, "/root/f", 10).error().code == ErrorCode::corrupt);
  both.fs.clear();
  CHECK((*file)->sync_data());
}

TEST_CASE("a durable write that fails anywhere leaves the old content, also after a power cut") {
  for (std::uint64_t step = 0; step < 5; ++step) {
    INFO("step " << step);
    Both both;
    REQUIRE(write_file_durably(both.fs, "/root/f", "old"));
    both.fs.fail_from(both.fs.calls() + step);
    const auto replaced = write_file_durably(both.fs, "/root/f", "new");
    CHECK(replaced.has_value() == (step > 4));
    both.fs.clear();
    const auto seen = read_file(both.fs, "/root/f", 10);
    CHECK(seen == (step < 4 ? "old" : "new"));
    both.memory.drop_unsynced();
    CHECK(read_file(both.fs, "/root/f", 10) == "old");
  }
}

}  // namespace
}  // namespace paddock
