#include "storage/page_residency.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "storage/file_descriptor.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

PageResidency::Ask any_way() {
  return GENERATE(PageResidency::Ask::as_it_fits, PageResidency::Ask::count, PageResidency::Ask::each_page);
}

struct WrittenFile {
  explicit WrittenFile(std::uint64_t size)
      : descriptor(::open((folder / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string content(size, 'x');
    REQUIRE(::pwrite(descriptor.get(), content.data(), size, 0) == static_cast<ssize_t>(size));
    REQUIRE(::fsync(descriptor.get()) == 0);
    static std::vector<FileDescriptor> held;  // what is known of a file must not be taken for another's
    held.emplace_back(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
  }
  [[nodiscard]] struct stat status() const {
    struct stat status{};
    REQUIRE(::fstat(descriptor.get(), &status) == 0);
    return status;
  }
  // Out of memory with it; the kernel takes that as advice.
  void forget(std::uint64_t from, std::uint64_t size) const {
    ::posix_fadvise(descriptor.get(), static_cast<off_t>(from), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
  }

  TemporaryFolder folder;
  FileDescriptor descriptor;
};

TEST_CASE("this kernel counts pages") {
  const WrittenFile file(mebibyte);
  (void)PageResidency(file.descriptor.get(), file.status(), PageResidency::Ask::count).in_memory(0, mebibyte);
  if (!PageResidency::counts()) WARN("it does not: the others test mincore(2) alone");
}

TEST_CASE("what has just been written is in memory, whoever is asked") {
  const WrittenFile file(3 * mebibyte + 5);
  const PageResidency residency(file.descriptor.get(), file.status(), any_way());
  CHECK(residency.in_memory(0, 3 * mebibyte + 5) == 3 * mebibyte + 5);
  CHECK(residency.in_memory(mebibyte + 17, 100'000) == 100'000);
  CHECK(residency.in_memory(3 * mebibyte, 5) == 5);
  CHECK(residency.in_memory(3 * mebibyte + 5, 1) == 0);
  CHECK(residency.in_memory(0, 0) == 0);
}

TEST_CASE("a hole in what is in memory ends it, whoever is asked") {
  const WrittenFile file(12 * mebibyte);
  file.forget(4 * mebibyte, 4 * mebibyte);
  const auto ask = any_way();
  const PageResidency residency(file.descriptor.get(), file.status(), ask);
  if (residency.in_memory(5 * mebibyte, mebibyte) != 0) {
    WARN("skipped: this file system does not let go of pages");
    return;
  }
  CHECK(residency.in_memory(3 * mebibyte, 3 * mebibyte) == mebibyte);
  CHECK(residency.in_memory(4 * mebibyte - 10, 20) == 10);
  CHECK(residency.in_memory(8 * mebibyte, 2 * mebibyte) == 2 * mebibyte);
  // The ends are there, what is between them is not: a count of less than all must not be taken for all.
  CHECK(residency.in_memory(3 * mebibyte + mebibyte / 2, 4 * mebibyte) == mebibyte / 2);
}

TEST_CASE("a file of which pages were missing is doubtful, through whichever descriptor, and no other is") {
  const WrittenFile file(mebibyte), other(mebibyte);
  const PageResidency one(file.descriptor.get(), file.status()), same(file.descriptor.get(), file.status()),
      elsewhere(other.descriptor.get(), other.status());
  CHECK_FALSE(same.doubtful());
  {
    const PageResidency::Wait wait(one);
    CHECK(same.doubtful());
  }
  CHECK_FALSE(same.doubtful());
  one.note_miss();
  CHECK(same.doubtful());
  CHECK_FALSE(elsewhere.doubtful());
}

TEST_CASE("what is looked for and is not in memory makes a file doubtful, what is there does not") {
  const WrittenFile file(12 * mebibyte);
  const PageResidency residency(file.descriptor.get(), file.status());
  CHECK(residency.in_memory(0, mebibyte) == mebibyte);
  CHECK_FALSE(residency.doubtful());
  file.forget(4 * mebibyte, 4 * mebibyte);
  if (residency.in_memory(5 * mebibyte, mebibyte) != 0) {
    WARN("skipped: this file system does not let go of pages");
    return;
  }
  CHECK(residency.doubtful());
}

TEST_CASE("of what is not open nobody knows anything") {
  const PageResidency residency(-1, {}, any_way());
  CHECK(residency.in_memory(0, 100) == 0);
}

}  // namespace
}  // namespace paddock
