#include "proxy/host/child_process.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "storage/file_descriptor.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX names no header for it

namespace paddock {
namespace {

constexpr std::chrono::seconds mourning{5};
constexpr std::chrono::milliseconds poll_interval{10};

// Those that are running. Zero: a place that is free.
std::array<std::atomic<::pid_t>, 16> groups{};

void note_group(::pid_t before, ::pid_t now) {
  for (auto& place : groups) {
    auto found = before;
    if (place.compare_exchange_strong(found, now)) return;
  }
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<char*> merged_environment(const std::vector<std::string>& own) {
  auto out = pointers(own);
  out.pop_back();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const auto name = line.substr(0, line.find('=') + 1);
    if (std::ranges::none_of(own, [&](const auto& word) { return word.starts_with(name); })) out.push_back(*entry);
  }
  out.push_back(nullptr);
  return out;
}

void direct(::posix_spawn_file_actions_t& files, int from, int to) {
  if (from < 0) {
    ::posix_spawn_file_actions_addopen(&files, to, "/dev/null", O_WRONLY, 0);
  } else {
    ::posix_spawn_file_actions_adddup2(&files, from, to);
  }
}

}  // namespace

bool readable_before(std::chrono::steady_clock::time_point deadline, int fd) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

ChildProcess::ChildProcess(const Start& start) : goodbye_(start.goodbye), by_descriptor_(start.by_descriptor) {
  ::posix_spawn_file_actions_t files;
  ::posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  direct(files, start.output, STDOUT_FILENO);
  direct(files, start.errors, STDERR_FILENO);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  ::sigset_t not_ignored;  // as we may do with it
  ::sigemptyset(&not_ignored);
  ::sigaddset(&not_ignored, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &not_ignored);
  const auto argv = pointers(start.arguments);
  const auto environment = merged_environment(start.environment);
  error_ = ::posix_spawnp(&pid_, argv.front(), &files, &attributes, argv.data(), environment.data());
  if (error_ == 0) note_group(0, pid_);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
}

ChildProcess::~ChildProcess() {
  if (error_ != 0 || reaped_) return;
  if (goodbye_.count() > 0) {
    ::kill(-pid_, SIGTERM);
    static_cast<void>(ends_before(std::chrono::steady_clock::now() + goodbye_));
  }
  ::kill(-pid_, SIGKILL);
  // One that waits for a driver that hangs does not die of it: init will have it.
  if (ends_before(std::chrono::steady_clock::now() + mourning)) {
    wait();
  } else {
    note_group(pid_, 0);
  }
}

void ChildProcess::kill_all() noexcept {
  for (const auto& place : groups) {
    if (const auto group = place.load(); group > 0) ::kill(-group, SIGKILL);
  }
}

bool ChildProcess::ends_before(std::chrono::steady_clock::time_point deadline) const {
  const FileDescriptor process(by_descriptor_ ? static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)) : -1);
  if (process.get() >= 0) return readable_before(deadline, process.get());
  // An old kernel, a seccomp filter, or no descriptor left.
  for (;;) {
    ::siginfo_t ended{};
    const int asked = ::waitid(P_PID, static_cast<::id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (asked == 0 ? ended.si_pid != 0 : errno != EINTR) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(poll_interval);
  }
}

int ChildProcess::wait() {
  note_group(pid_, 0);  // which is somebody else's once we know of its end
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return status;
}

}  // namespace paddock
