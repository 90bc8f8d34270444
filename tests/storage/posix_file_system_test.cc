#include "storage/posix_file_system.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
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
  PosixFileSystem fs;
  const auto file = fs.open("/dev/full", FileSystem::Open::update);
  REQUIRE(file);
  const auto written = (*file)->write_at(0, bytes_of("x"));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::no_space);
  CHECK(written.error().context.find("/dev/full") != std::string::npos);
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
