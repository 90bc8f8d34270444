#include "proxy/host/watch_program.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "proxy/host/child_process.h"
#include "proxy/host/line_splitter.h"
#include "storage/file_descriptor.h"

namespace paddock {
namespace {

constexpr std::size_t line_limit = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds look{100};
constexpr std::chrono::seconds goodbye{5};

std::unexpected<Error> failed(ErrorCode code, const std::string& name, int error) {
  return fail(code, Blame::us, name + ": " + std::strerror(error));
}

struct Ends {
  FileDescriptor ours{-1}, theirs{-1};
};

std::optional<Ends> open_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Ends{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::optional<Ends> open_terminal() {
  FileDescriptor ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (ours.get() < 0 || ::grantpt(ours.get()) != 0 || ::unlockpt(ours.get()) != 0 ||
      ::ptsname_r(ours.get(), name.data(), name.size()) != 0) {
    return std::nullopt;
  }
  FileDescriptor theirs(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  // Wide and high enough for all that one may want to paint.
  const winsize size{.ws_row = 200, .ws_col = 200, .ws_xpixel = 0, .ws_ypixel = 0};
  if (theirs.get() < 0 || ::ioctl(ours.get(), TIOCSWINSZ, &size) != 0) return std::nullopt;
  return Ends{std::move(ours), std::move(theirs)};
}

// One of its streams, as it comes out at our end.
class Stream {
 public:
  Stream(Ends ends, const std::function<void(std::string_view)>& take) : ends_(std::move(ends)), take_(take) {}

  [[nodiscard]] int theirs() const { return ends_.theirs.get(); }
  void started() { ends_.theirs.close(); }
  [[nodiscard]] pollfd watched() const { return {.fd = ends_.ours.get(), .events = POLLIN, .revents = 0}; }
  [[nodiscard]] bool open() const { return ends_.ours.get() >= 0; }
  void read() {
    std::array<char, 16384> piece{};
    const auto got = ::read(ends_.ours.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) return;
    const auto hand_on = [this](std::string_view line) {
      if (take_) take_(line);
    };
    if (got > 0) return lines_.feed({piece.data(), static_cast<std::size_t>(got)}, hand_on);
    lines_.finish(hand_on);
    ends_.ours.close();  // its end, or the error by which a terminal says so
  }

 private:
  Ends ends_;
  const std::function<void(std::string_view)>& take_;
  LineSplitter lines_{line_limit};
};

// False when it has been told to stop. A child of its own that keeps a stream open does not keep us.
bool follow(const ChildProcess& child, std::array<Stream*, 2> streams, const std::function<bool()>& go_on) {
  for (;;) {
    if (!go_on()) return false;
    const bool ended = child.ends_before(std::chrono::steady_clock::now());
    std::array<pollfd, 2> watched{streams[0]->watched(), streams[1]->watched()};
    const bool any = streams[0]->open() || streams[1]->open();
    const int ready = any ? ::poll(watched.data(), watched.size(), ended ? 0 : static_cast<int>(look.count())) : 0;
    for (std::size_t i = 0; ready > 0 && i < streams.size(); ++i) {
      if (watched[i].revents != 0) streams[i]->read();
    }
    if (ended && ready <= 0) return true;
    if (!any && child.ends_before(std::chrono::steady_clock::now() + look)) return true;
  }
}

}  // namespace

Result<int> watch_program(const WatchedProgram& program) {
  const auto& name = program.arguments.front();
  auto terminal = program.terminal ? open_terminal() : std::nullopt;
  const bool together = terminal.has_value();
  auto out = together ? std::move(terminal) : open_pipe();
  auto err = together ? Ends{} : open_pipe();
  if (!out || !err) return failed(ErrorCode::io, name, errno);
  Stream output(*std::move(out), program.output);
  Stream errors(*std::move(err), program.terminal ? program.output : program.errors);
  ChildProcess child({.arguments = program.arguments,
                      .environment = program.environment,
                      .output = output.theirs(),
                      .errors = together ? output.theirs() : errors.theirs(),
                      .goodbye = goodbye});
  output.started();
  errors.started();
  if (child.error() != 0) {
    return failed(child.error() == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable, name, child.error());
  }
  if (!follow(child, {&output, &errors}, program.go_on)) {
    return fail(ErrorCode::cancelled, Blame::client, name + " was told to end");
  }
  const int status = child.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace paddock
