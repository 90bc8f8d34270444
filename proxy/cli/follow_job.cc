#include "proxy/cli/follow_job.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include "proxy/admin/text.h"
#include "proxy/cli/format.h"
#include "proxy/cli/job_view.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t most_bars = 12;

volatile std::sig_atomic_t interrupted = 0;

// While it lives Ctrl-C is only noted.
class Interrupts {
 public:
  Interrupts() {
    interrupted = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };
    ::sigaction(SIGINT, &action, &int_);
    ::sigaction(SIGTERM, &action, &term_);
  }
  ~Interrupts() {
    ::sigaction(SIGINT, &int_, nullptr);
    ::sigaction(SIGTERM, &term_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // False when it came.
  static bool sleep(std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds step{50};
    for (const auto until = Clock::now() + time; interrupted == 0 && Clock::now() < until;) {
      std::this_thread::sleep_for(std::min(step, time));
    }
    return interrupted == 0;
  }

 private:
  struct sigaction int_{}, term_{};
};

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

// Where progress is shown.
class Display {
 public:
  Display(std::ostream& out, const FollowOptions& options)
      : out_(out), options_(options), live_(&out == &std::cout && ::isatty(STDOUT_FILENO) != 0) {}

  void show(const JsonView& job) {
    if (options_.quiet) return;
    if (live_) return paint(job);
    if (Clock::now() < next_ && job.text("state") == state_) return;
    next_ = Clock::now() + options_.line;
    state_ = job.text("state");
    if (!is_over(job)) out_ << progress_line(job) << std::endl;
  }
  void note(std::string_view text) {
    clear();
    if (!options_.quiet) out_ << text << std::endl;
  }
  void clear() {
    if (lines_ > 0) out_ << fmt::format("\x1b[{}A\x1b[J", lines_) << std::flush;
    lines_ = 0;
  }

 private:
  void paint(const JsonView& job) {
    const auto [columns, rows] = terminal_size();
    const auto lines = progress_bars(job, columns - 1, std::clamp<std::size_t>(rows - 1, 1, most_bars));
    clear();
    for (const auto& line : lines) out_ << line << '\n';
    out_ << std::flush;
    lines_ = lines.size();
  }

  std::ostream& out_;
  const FollowOptions options_;
  const bool live_;
  std::size_t lines_ = 0;
  Clock::time_point next_{};
  std::string state_;
};

bool is_away(const Error& error) { return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout; }

std::unexpected<Error> stopped_looking(const std::string& id) {
  return fail(ErrorCode::cancelled, Blame::client,
              fmt::format("job {0} goes on; follow it with: paddock jobs {0} --follow, cancel it with: paddock jobs "
                          "--cancel {0}",
                          id));
}

}  // namespace

Result<nlohmann::ordered_json> follow_job(const AdminClient& client, const std::string& id, Console& console,
                                          FollowOptions options) {
  const Interrupts interrupts;
  Display display(console.out, options);
  std::optional<Clock::time_point> away_since;
  for (;;) {
    auto job = client.get("/api/v1/jobs/" + percent_encode(id));
    if (job) {
      away_since.reset();
      const JsonView view(*job);
      display.show(view);
      if (is_over(view)) {
        display.clear();
        return job;
      }
    } else if (!is_away(job.error()) || (away_since && Clock::now() - *away_since > options.patience)) {
      display.clear();
      return job;
    } else if (!away_since) {
      away_since = Clock::now();
      display.note("the server is away; waiting for it");
    }
    if (!Interrupts::sleep(options.look)) {
      display.clear();
      return stopped_looking(id);
    }
  }
}

void report_end(const nlohmann::ordered_json& job, Console& console, bool as_json) {
  const JsonView view(job);
  if (as_json) console.out << job.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  for (const auto& line : failures(view)) console.err << "paddock: " << line << "\n";
  if (!as_json) console.out << printable(view.text("state")) << ": " << progress_line(view) << "\n";
  console.out << std::flush;
  if (!is_complete(view)) console.status = exit_failed;
}

}  // namespace paddock
