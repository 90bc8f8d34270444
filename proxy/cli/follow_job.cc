#include "proxy/cli/follow_job.h"

#include <optional>
#include <spdlog/fmt/fmt.h>

#include "proxy/cli/format.h"
#include "proxy/cli/interrupts.h"
#include "proxy/cli/job_view.h"
#include "proxy/cli/live_lines.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

using Clock = std::chrono::steady_clock;
// Where progress is shown.
class Display {
 public:
  Display(std::ostream& out, const FollowOptions& options) : out_(out), options_(options), lines_(out) {}

  void show(const JsonView& job) {
    if (options_.quiet) return;
    if (lines_.live()) {
      const auto room = LiveLines::room();
      return lines_.paint(progress_bars(job, room.columns, room.lines));
    }
    if (Clock::now() < next_ && job.text("state") == state_) return;
    next_ = Clock::now() + options_.line;
    state_ = job.text("state");
    if (!is_over(job)) out_ << progress_line(job) << std::endl;
  }
  void note(std::string_view text) {
    clear();
    if (!options_.quiet) out_ << text << std::endl;
  }
  void clear() { lines_.clear(); }

 private:
  std::ostream& out_;
  const FollowOptions options_;
  LiveLines lines_;
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
