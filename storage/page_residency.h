// PageResidency: which bytes of a file are in memory, so that sending them by the kernel waits for no disk.
//
// cachestat(2), of Linux 6.5, counts a range's pages fifty times faster than mincore(2) looks at each; but it counts
// those too that are still being read, or could not be. So it is believed only of files of which nobody in this process
// has lately met pages that were not there, and where the range's ends are ready. Whatever it cannot say mincore(2)
// does. Thread-safe; never waits.
#pragma once

#include <cstdint>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>

namespace paddock {

class PageResidency {
 public:
  enum class Ask { as_it_fits, count, each_page };  // tests have no time to wait until it fits

  // `descriptor` must stay open; `status` is what fstat(2) says of it.
  PageResidency(int descriptor, const struct stat& status, Ask ask = Ask::as_it_fits);
  ~PageResidency();
  PageResidency(const PageResidency&) = delete;
  PageResidency& operator=(const PageResidency&) = delete;

  // How many of the `length` bytes at `offset` can be read without waiting, counted up to the first that cannot; 0
  // where nobody knows. Of long ranges the first 1024 pages are looked at.
  [[nodiscard]] std::uint64_t in_memory(std::uint64_t offset, std::uint64_t length) const;

  // A page of the file was not there: others may be on their way from the disk for a while, whoever asks.
  void note_miss() const;
  // Somebody waits for the disk to bring some.
  class Wait {
   public:
    explicit Wait(const PageResidency& of);
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    const std::uint64_t file_;
  };
  // Whether either was so lately, through whichever descriptor.
  [[nodiscard]] bool doubtful() const;
  // A disk could not be read: pages that stay unread must not be counted from now on.
  static void note_failure();
  [[nodiscard]] static bool counts();  // cachestat(2) is there, and nothing has failed

 private:
  [[nodiscard]] bool is_ready(std::uint64_t offset) const;  // the byte, in a page that has been read
  [[nodiscard]] bool all_counted(std::uint64_t offset, std::uint64_t size) const;
  // Which of these pages are in memory; false where nobody knows.
  bool look(std::uint64_t offset, std::uint64_t size, unsigned char* present) const;
  bool look_apart(std::uint64_t offset, std::uint64_t size, unsigned char* present) const;

  const int descriptor_;
  const Ask ask_;
  const std::uint64_t file_;  // which it is, whoever has it open
  const bool ours_;
  // The file's place in our address space, never touched: what mincore(2) wants to be asked about. Made when first
  // needed, as large as the file is then; changing what is mapped costs a lock that all threads share.
  mutable std::once_flag made_;
  mutable void* begin_ = MAP_FAILED;
  mutable std::uint64_t mapped_ = 0;
};

}  // namespace paddock
