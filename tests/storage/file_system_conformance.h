// What every FileSystem must do, whatever it is made of. `root` is an existing, empty folder of it.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <unistd.h>
#include <vector>

#include "storage/file_system.h"

namespace paddock {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string read_text(const File& file, std::uint64_t offset, std::size_t count) {
  std::string text(count, '?');
  const auto got = file.read_at(offset, std::as_writable_bytes(std::span(text)));
  REQUIRE(got);
  text.resize(*got);
  return text;
}

inline void check_file_conformance(FileSystem& fs, const std::filesystem::path& root) {
  using Open = FileSystem::Open;
  SECTION("bytes come back from where they were written") {
    const auto file = fs.open(root / "f", Open::create);
    REQUIRE(file);
    REQUIRE((*file)->write_at(0, bytes_of("hello world")));
    REQUIRE((*file)->write_at(6, bytes_of("there")));
    REQUIRE((*file)->sync_data());
    CHECK(read_text(**file, 0, 11) == "hello there");
    CHECK(read_text(**file, 6, 100) == "there");
    CHECK(read_text(**file, 11, 5).empty());
    CHECK(read_text(**file, 4000, 5).empty());
    CHECK((*file)->size() == 11U);
  }
  SECTION("a hole reads as zeros") {
    const auto file = fs.open(root / "f", Open::create);
    REQUIRE((*file)->write_at(3, bytes_of("x")));
    CHECK(read_text(**file, 0, 4) == std::string("\0\0\0x", 4));
  }
  SECTION("read and update need the file, create cuts it") {
    for (const Open how : {Open::read, Open::update}) {
      const auto file = fs.open(root / "f", how);
      REQUIRE_FALSE(file);
      CHECK(file.error().code == ErrorCode::not_found);
      CHECK(file.error().context.find((root / "f").string()) != std::string::npos);
    }
    REQUIRE((*fs.open(root / "f", Open::create))->write_at(0, bytes_of("abc")));
    CHECK((*fs.open(root / "f", Open::read))->size() == 3U);
    REQUIRE((*fs.open(root / "f", Open::update))->write_at(1, bytes_of("X")));
    CHECK(read_file(fs, root / "f", 10) == "aXc");
    CHECK((*fs.open(root / "f", Open::create))->size() == 0U);
  }
  SECTION("a file opened for reading cannot be written") {
    REQUIRE(fs.open(root / "f", Open::create));
    CHECK_FALSE((*fs.open(root / "f", Open::read))->write_at(0, bytes_of("a")));
  }
  SECTION("an open file outlives its name") {
    REQUIRE((*fs.open(root / "f", Open::create))->write_at(0, bytes_of("abc")));
    const auto file = fs.open(root / "f", Open::read);
    REQUIRE(fs.rename(root / "f", root / "g"));
    CHECK(read_text(**file, 0, 3) == "abc");
    REQUIRE(fs.remove(root / "g"));
    CHECK(read_text(**file, 0, 3) == "abc");
  }
  SECTION("create needs the folder") {
    const auto file = fs.open(root / "no" / "f", Open::create);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::not_found);
  }
}

inline std::vector<std::string> names_in(FileSystem& fs, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs.list(folder).value_or(std::vector<DirectoryEntry>{})) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

inline void check_name_conformance(FileSystem& fs, const std::filesystem::path& root) {
  using Open = FileSystem::Open;
  SECTION("rename replaces, and removes the old name") {
    REQUIRE(write_file_durably(fs, root / "a", "new"));
    REQUIRE(write_file_durably(fs, root / "b", "old"));
    REQUIRE(fs.rename(root / "a", root / "b"));
    CHECK(read_file(fs, root / "b", 10) == "new");
    CHECK(names_in(fs, root) == std::vector<std::string>{"b"});
    CHECK(fs.rename(root / "a", root / "b").error().code == ErrorCode::not_found);
  }
  SECTION("remove takes a file, once, and no folder") {
    REQUIRE(write_file_durably(fs, root / "a", ""));
    REQUIRE(fs.remove(root / "a"));
    CHECK(fs.remove(root / "a").error().code == ErrorCode::not_found);
    REQUIRE(fs.create_directories(root / "d"));
    CHECK_FALSE(fs.remove(root / "d"));
    CHECK(names_in(fs, root) == std::vector<std::string>{"d"});
  }
  SECTION("folders are created with all above them, and again without harm") {
    REQUIRE(fs.create_directories(root / "x" / "y" / "z"));
    REQUIRE(fs.create_directories(root / "x" / "y" / "z"));
    REQUIRE(fs.sync_directory(root / "x" / "y"));
    CHECK(names_in(fs, root / "x" / "y") == std::vector<std::string>{"z"});
    REQUIRE(write_file_durably(fs, root / "file", ""));
    CHECK_FALSE(fs.create_directories(root / "file" / "below"));
    CHECK_FALSE(fs.create_directories(root / "file"));
  }
  SECTION("a listing tells folders from files and knows sizes") {
    REQUIRE(fs.create_directories(root / "d"));
    REQUIRE(write_file_durably(fs, root / "f", "12345"));
    auto entries = fs.list(root);
    REQUIRE(entries);
    std::ranges::sort(*entries, {}, &DirectoryEntry::name);
    REQUIRE(entries->size() == 2);
    CHECK((*entries)[0].is_directory);
    CHECK_FALSE((*entries)[1].is_directory);
    CHECK((*entries)[1].size == 5);
    CHECK(fs.list(root / "no").error().code == ErrorCode::not_found);
    CHECK_FALSE(fs.list(root / "f"));
    CHECK(fs.sync_directory(root / "no").error().code == ErrorCode::not_found);
  }
  SECTION("free space is at most the whole") {
    const auto space = fs.space(root);
    REQUIRE(space);
    CHECK(space->total > 0);
    CHECK(space->available <= space->total);
    CHECK_FALSE(fs.space(root / "no"));
  }
  SECTION("a lock is exclusive until it is dropped, and its file names the process") {
    auto first = fs.lock(root / "LOCK");
    REQUIRE(first);
    const auto second = fs.lock(root / "LOCK");
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::conflict);
    CHECK(second.error().context.find("process " + std::to_string(::getpid())) != std::string::npos);
    CHECK(read_file(fs, root / "LOCK", 32) == std::to_string(::getpid()) + "\n");
    first->reset();
    CHECK(fs.lock(root / "LOCK"));
  }
  SECTION("a lock knows whether its file is still in its place") {
    const auto lock = fs.lock(root / "LOCK");
    REQUIRE(lock);
    CHECK((*lock)->in_place());
    REQUIRE(fs.rename(root / "LOCK", root / "away"));
    CHECK_FALSE((*lock)->in_place());
    REQUIRE(write_file_durably(fs, root / "LOCK", "another's"));
    CHECK_FALSE((*lock)->in_place());
    REQUIRE(fs.rename(root / "away", root / "LOCK"));
    CHECK((*lock)->in_place());
  }
  SECTION("small files are replaced whole and read up to a limit") {
    REQUIRE(write_file_durably(fs, root / "f", "one"));
    REQUIRE(write_file_durably(fs, root / "f", "three"));
    CHECK(read_file(fs, root / "f", 5) == "three");
    CHECK(read_file(fs, root / "f", 4).error().code == ErrorCode::too_large);
    CHECK(read_file(fs, root / "no", 4).error().code == ErrorCode::not_found);
    CHECK(names_in(fs, root) == std::vector<std::string>{"f"});
  }
  SECTION("a file cannot be opened for writing where a folder is") {
    REQUIRE(fs.create_directories(root / "d"));
    CHECK_FALSE(fs.open(root / "d", Open::create));
  }
}

}  // namespace paddock
