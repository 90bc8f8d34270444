#include "proxy/host/watch_program.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

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

// One of its streams, as it comes out at our end.
class Stream {
 public:
  Stream(int reading, int writing, const std::function<void(std::string_view)>& take)
      : reading_(reading), writing_(writing), take_(take) {}
  static std::unexpected<Error> no_pipe(const std::string& name) { return failed(ErrorCode::io, name, errno); }

  [[nodiscard]] int theirs() const { return writing_.get(); }
  void started() { writing_.close(); }
  [[nodiscard]] pollfd watched() const { return {.fd = reading_.get(), .events = POLLIN, .revents = 0}; }
  [[nodiscard]] bool open() const { return reading_.get() >= 0; }
  void read() {
    std::array<char, 16384> piece{};
    const auto got = ::read(reading_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) return;
    const auto hand_on = [this](std::string_view line) {
      if (take_) take_(line);
    };
    if (got > 0) return lines_.feed({piece.data(), static_cast<std::size_t>(got)}, hand_on);
    lines_.finish(hand_on);
    reading_.close();
  }

 private:
  FileDescriptor reading_, writing_;
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
  std::array<int, 2> out{-1, -1}, err{-1, -1};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) return Stream::no_pipe(name);
  Stream output(out[0], out[1], program.output);
  if (::pipe2(err.data(), O_CLOEXEC) != 0) return Stream::no_pipe(name);
  Stream errors(err[0], err[1], program.errors);
  ChildProcess child({.arguments = program.arguments,
                      .environment = program.environment,
                      .output = output.theirs(),
                      .errors = errors.theirs(),
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
