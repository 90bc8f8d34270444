#include "storage/posix_file_system.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/storage/file_system_conformance.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

TEST_CASE("posix: files conform") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  check_file_conformance(fs, folder.path());
}

TEST_CASE("posix: names conform") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  check_name_conformance(fs, folder.path());
}

TEST_CASE("posix: a descriptor is given out and is closed on exec") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "f", FileSystem::Open::create);
  REQUIRE(file);
  const int fd = (*file)->descriptor();
  REQUIRE(fd >= 0);
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("posix: what is in memory is counted up to the first page that is not") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "f", FileSystem::Open::create).value();
  constexpr std::uint64_t block = std::uint64_t{4} << 20U;  // larger than any page, so that none reaches into the hole
  const std::vector<std::byte> bytes(block, std::byte{7});
  REQUIRE(file->write_at(0, bytes));
  REQUIRE(file->write_at(2 * block, bytes));       // a hole before it, which nobody has read
  const auto counted = file->in_memory(0, block);  // no more than a look takes in at once
  CHECK(counted >= std::uint64_t{1} << 20U);
  CHECK(file->in_memory(block - counted, 3 * block) == counted);
  CHECK(file->in_memory(5, 100) == 100);
  CHECK(file->in_memory(block - 5, block) == 5);
  CHECK(file->in_memory(block, block) == 0);
  CHECK(file->in_memory(3 * block - 8193, block) == 8193);
  CHECK(file->in_memory(3 * block, block) == 0);
  CHECK(file->in_memory(0, 0) == 0);
}

TEST_CASE("posix: what a file has grown by since the first look is seen too") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "f", FileSystem::Open::create).value();
  const std::vector<std::byte> bytes(std::size_t{1} << 20U, std::byte{7});
  const bool empty_at_first = GENERATE(false, true);
  if (!empty_at_first) REQUIRE(file->write_at(0, bytes));
  CHECK(file->in_memory(0, 100) == (empty_at_first ? 0 : 100));
  for (std::uint64_t at : {std::uint64_t{1} << 20U, std::uint64_t{2} << 20U}) {
    REQUIRE(file->write_at(at, bytes));
    CHECK(file->in_memory(at + 5, 5000) == 5000);
  }
}

TEST_CASE("posix: of a long part that is in memory at least a megabyte is counted") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "f", FileSystem::Open::create).value();
  const std::vector<std::byte> bytes(std::size_t{16} << 20U, std::byte{7});
  REQUIRE(file->write_at(0, bytes));
  CHECK(file->in_memory(3, bytes.size()) >= std::uint64_t{1} << 20U);
}

TEST_CASE("posix: what is made is closed to strangers") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  REQUIRE(fs.create_directories(folder / "d"));
  REQUIRE(write_file_durably(fs, folder / "d" / "f", "secret"));
  struct stat status{};
  REQUIRE(::stat((folder / "d").c_str(), &status) == 0);
  CHECK((status.st_mode & 07U) == 0);
  REQUIRE(::stat((folder / "d" / "f").c_str(), &status) == 0);
  CHECK((status.st_mode & 07U) == 0);
}

TEST_CASE("posix: a full disk is no_space") {
  if (::access("/dev/full", W_OK) != 0) {
    WARN("skipped: no /dev/full here");
    return;
  }
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "full", FileSystem::Open::create);
  REQUIRE(file);
  const int full = ::open("/dev/full", O_RDWR | O_CLOEXEC);
  REQUIRE(full >= 0);
  REQUIRE(::dup3(full, (*file)->descriptor(), O_CLOEXEC) >= 0);
  ::close(full);
  const auto written = (*file)->write_at(0, bytes_of("x"));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::no_space);
  CHECK(written.error().context.find((folder / "full").string()) != std::string::npos);
}

TEST_CASE("posix: what is not a regular file is refused at once, and listed as such") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  REQUIRE(write_file_durably(fs, folder / "file", "x"));
  REQUIRE(fs.create_directories(folder / "d"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE(::mknod((folder / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  std::filesystem::create_symlink("/dev/zero", folder / "device");
  std::filesystem::create_symlink(folder / "file", folder / "link");
  std::filesystem::create_symlink(folder / "loop", folder / "loop");
  std::filesystem::create_symlink(folder / "d", folder / "link-to-d");
  for (const char* name : {"pipe", "socket", "device", "link", "loop"}) {
    CAPTURE(name);
    for (const auto how : {FileSystem::Open::read, FileSystem::Open::update, FileSystem::Open::create}) {
      const auto file = fs.open(folder / name, how);
      REQUIRE_FALSE(file);
      CHECK(file.error().code == ErrorCode::corrupt);
      CHECK(file.error().context == (folder / name).string() + " is not a regular file");
    }
    CHECK_FALSE(fs.lock(folder / name));
  }
  CHECK(read_file(fs, folder / "file", 10) == "x");
  std::set<std::string> folders, others;
  const auto entries = fs.list(folder.path());
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    if (entry.is_directory) folders.insert(entry.name);
    if (entry.is_other) others.insert(entry.name);
  }
  CHECK(entries->size() == 8);
  CHECK(folders == std::set<std::string>{"d"});
  CHECK(others == std::set<std::string>{"device", "link", "link-to-d", "loop", "pipe", "socket"});
}

// What `act` fails with in a process that is not root's.
template <typename Act>
ErrorCode error_unprivileged(Act act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || ::seteuid(65534) == 0;
    ::_exit(dropped ? static_cast<int>(act()) : 100);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return static_cast<ErrorCode>(WEXITSTATUS(status));
}

TEST_CASE("posix: a folder that denies writing is denied") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  CHECK(error_unprivileged([&] { return fs.open(folder / "f", FileSystem::Open::create).error().code; }) ==
        ErrorCode::denied);
  CHECK(error_unprivileged([&] { return fs.create_directories(folder / "d").error().code; }) == ErrorCode::denied);
  CHECK(error_unprivileged([&] { return fs.lock(folder / "LOCK").error().code; }) == ErrorCode::denied);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
}

// The parent's lock as another process sees it.
ErrorCode lock_in_child(const std::filesystem::path& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    PosixFileSystem fs;
    const auto lock = fs.lock(path);
    ::_exit(lock ? 100 : static_cast<int>(lock.error().code));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return static_cast<ErrorCode>(WEXITSTATUS(status));
}

TEST_CASE("posix: a lock holds against another process and goes with its holder") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  auto lock = fs.lock(folder / "LOCK");
  REQUIRE(lock);
  CHECK(lock_in_child(folder / "LOCK") == ErrorCode::conflict);
  lock->reset();
  CHECK(static_cast<int>(lock_in_child(folder / "LOCK")) == 100);
  CHECK(fs.lock(folder / "LOCK"));  // the child ended without giving it back
}

TEST_CASE("posix: one file is written and read by several threads at once") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const auto file = fs.open(folder / "f", FileSystem::Open::create);
  REQUIRE(file);
  constexpr std::size_t piece = 10'000;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::string text(piece, static_cast<char>('a' + i));
      (void)(*file)->write_at(i * piece, bytes_of(text));
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(read_text(**file, i * piece, piece) == std::string(piece, static_cast<char>('a' + i)));
  }
}

TEST_CASE("posix: relative paths work") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  PosixFileSystem fs;
  CHECK(fs.create_directories("a/b/"));
  CHECK(fs.create_directories("c"));
  CHECK(write_file_durably(fs, "a/b/f", "x"));
  CHECK(std::filesystem::exists(folder / "a" / "b" / "f"));
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace paddock
