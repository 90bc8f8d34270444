#include "proxy/host/run_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "proxy/oci/printable.h"
#include "storage/file_descriptor.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX names no header for it

namespace paddock {
namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;
constexpr std::chrono::seconds mourning{5};

bool readable_before(SteadyPoint deadline, int fd) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

std::unexpected<Error> too_slow() { return fail(ErrorCode::timeout, Blame::us, "does not come to an end"); }

// In a process group of its own, so that its children can be killed with it.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, int output) {
    ::posix_spawn_file_actions_t files;
    ::posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    error_ = ::posix_spawnp(&pid_, argv.front(), &files, &attributes, argv.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
  }
  ~Child() {
    if (error_ != 0 || reaped_) return;
    ::kill(-pid_, SIGKILL);
    // One that waits for a driver that hangs does not die of it: init will have it.
    if (ends_before(std::chrono::steady_clock::now() + mourning)) wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int error() const { return error_; }
  // Whether it has ended before `deadline`; it may have closed its output long before.
  [[nodiscard]] bool ends_before(SteadyPoint deadline) const {
    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    return process.get() < 0 || readable_before(deadline, process.get());
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return status;
  }

 private:
  ::pid_t pid_ = 0;
  int error_ = 0;
  bool reaped_ = false;
};

// Until its end, or an error.
Result<std::string> read_all(int fd, SteadyPoint deadline, std::size_t limit) {
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    if (!readable_before(deadline, fd)) return too_slow();
    const auto got = ::read(fd, piece.data(), piece.size());
    if (got == 0) return text;
    if (got < 0) return fail(ErrorCode::io, Blame::us, std::strerror(errno));
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limit) return fail(ErrorCode::too_large, Blame::us, "prints more than it should");
  }
}

}  // namespace

Result<std::string> run_program(const std::vector<std::string>& arguments, ProgramLimits limits) {
  const auto& name = arguments.front();
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorCode::io, Blame::us, name + ": " + std::strerror(errno));
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const auto deadline = std::chrono::steady_clock::now() + limits.patience;
  Child child(arguments, writing.get());
  writing.close();
  if (child.error() != 0) {
    return fail(child.error() == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable, Blame::us,
                name + ": " + std::strerror(child.error()));
  }
  auto output = read_all(reading.get(), deadline, limits.output);
  if (output && !child.ends_before(deadline)) output = too_slow();
  if (!output) return std::unexpected(std::move(output).error().with(name));
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const auto line = output->substr(0, output->find('\n'));
    return fail(ErrorCode::unavailable, Blame::us, name + " failed: " + quote(line, 200));
  }
  return output;
}

}  // namespace paddock
