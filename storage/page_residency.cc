#include "storage/page_residency.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "storage/recent_misses.h"

namespace paddock {
namespace {

constexpr std::size_t most_pages = 1024;  // looked at in one call
constexpr long cachestat_number = 451;    // headers older than 6.5 do not have it

constinit RecentMisses misses;  // of everybody in this process
std::atomic<bool> cachestat_works{true};

std::uint64_t page_size() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

// mincore(2) says of somebody else's file that all of it is in memory.
bool may_look_into(const struct stat& status) {
  const auto user = ::geteuid();
  return user == 0 || status.st_uid == user;
}

std::uint64_t number_of(const struct stat& status) {
  return std::uint64_t{status.st_ino} ^ (std::uint64_t{status.st_dev} << 40U);
}

}  // namespace

PageResidency::PageResidency(int descriptor, const struct stat& status, Ask ask)
    : descriptor_(descriptor), ask_(ask), file_(number_of(status)), ours_(may_look_into(status)) {}

PageResidency::~PageResidency() {
  if (begin_ != MAP_FAILED) ::munmap(begin_, mapped_);
}

void PageResidency::note_miss() const { misses.note(file_, std::chrono::steady_clock::now()); }

PageResidency::Wait::Wait(const PageResidency& of) : file_(of.file_) { misses.begin(file_); }

PageResidency::Wait::~Wait() { misses.end(file_); }

bool PageResidency::doubtful() const { return misses.has(file_, std::chrono::steady_clock::now()); }

void PageResidency::note_failure() { cachestat_works.store(false, std::memory_order_relaxed); }

bool PageResidency::counts() { return cachestat_works.load(std::memory_order_relaxed); }

std::uint64_t PageResidency::in_memory(std::uint64_t offset, std::uint64_t length) const {
  if (!ours_ || length == 0) return 0;
  const auto page = page_size();
  const std::uint64_t skipped = offset % page;
  const std::uint64_t pages = std::min<std::uint64_t>((skipped + length + page - 1) / page, most_pages);
  const auto wanted = std::min(pages * page - skipped, length);
  // Asked last: where it is not there, the kernel begins to read it.
  if (all_counted(offset - skipped, pages * page) && is_ready(offset) && is_ready(offset + wanted - 1)) return wanted;
  std::array<unsigned char, most_pages> present;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  if (!look(offset - skipped, pages * page, present.data())) return 0;
  const auto looked_at = std::span(present).first(pages);
  const auto run = static_cast<std::uint64_t>(
      std::ranges::find_if(looked_at, [](unsigned char in) { return (in & 1U) == 0; }) - looked_at.begin());
  // A file system may still make us wait: for a lock that a writer holds, for a server.
  const auto ready = run == 0 || !is_ready(offset) ? 0 : std::min(run * page - skipped, wanted);
  if (ready < wanted) note_miss();
  return ready;
}

bool PageResidency::is_ready(std::uint64_t offset) const {
  std::byte probe{};
  const iovec into{.iov_base = &probe, .iov_len = 1};
  return ::preadv2(descriptor_, &into, 1, static_cast<off_t>(offset), RWF_NOWAIT) == 1;
}

bool PageResidency::all_counted(std::uint64_t offset, std::uint64_t size) const {
  const bool fits = ask_ == Ask::count || (ask_ == Ask::as_it_fits && !doubtful());
  if (!fits || !counts()) return false;
  struct {
    std::uint64_t offset, length;
  } range{offset, size};
  struct {
    std::uint64_t cached, dirty, written_back, evicted, recently_evicted;
  } pages{};
  if (::syscall(cachestat_number, descriptor_, &range, &pages, 0) != 0) {
    if (errno == ENOSYS || errno == EPERM) note_failure();  // an old kernel, a sandbox
    return false;
  }
  return pages.cached * page_size() >= size;
}

bool PageResidency::look(std::uint64_t offset, std::uint64_t size, unsigned char* present) const {
  std::call_once(made_, [this] {
    struct stat status{};
    if (::fstat(descriptor_, &status) < 0 || status.st_size <= 0) return;
    mapped_ = static_cast<std::uint64_t>(status.st_size) + page_size();
    begin_ = ::mmap(nullptr, mapped_, PROT_NONE, MAP_SHARED, descriptor_, 0);
  });
  if (begin_ == MAP_FAILED || offset + size > mapped_) return look_apart(offset, size, present);
  return ::mincore(static_cast<std::byte*>(begin_) + offset, size, present) == 0;
}

// A file that has grown.
bool PageResidency::look_apart(std::uint64_t offset, std::uint64_t size, unsigned char* present) const {
  void* const mapped = ::mmap(nullptr, size, PROT_NONE, MAP_SHARED, descriptor_, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return false;
  const bool known = ::mincore(mapped, size, present) == 0;
  ::munmap(mapped, size);
  return known;
}

}  // namespace paddock
