#include "proxy/host/run_program.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "proxy/host/child_process.h"
#include "proxy/oci/printable.h"
#include "storage/file_descriptor.h"

namespace paddock {
namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;

std::unexpected<Error> too_slow() { return fail(ErrorCode::timeout, Blame::us, "does not come to an end"); }

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
  ChildProcess child({.arguments = arguments, .output = writing.get()});
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
