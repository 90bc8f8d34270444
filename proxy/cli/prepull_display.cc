#include "proxy/cli/prepull_display.h"

#include <utility>

#include "proxy/cli/prepull_view.h"

namespace paddock {

void PrepullDisplay::begin(std::string image) {
  image_ = std::move(image);
  rate_ = {};
  next_ = {};
}

void PrepullDisplay::show(const PullProgress& progress) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  rate_.sample(progress.downloaded(), now);
  if (now < next_) return;
  next_ = now + (lines_.live() ? std::chrono::milliseconds(frame) : interval);
  if (lines_.live()) {
    const auto room = LiveLines::room();
    return lines_.paint(progress_bars(image_, progress, rate_.rate(), room.columns, room.lines));
  }
  out_ << image_ << ": " << progress_line(progress, rate_.rate()) << std::endl;
}

void PrepullDisplay::say(const std::string& line) {
  clear();
  if (!quiet_) out_ << line << std::endl;
}

}  // namespace paddock
