// DockerProgress: what Docker's Engine API says while it pulls (POST /images/create), a JSON object a line, taken into
// a PullProgress. Lines that make no sense are passed over.
//
// Pure; for one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "proxy/host/line_splitter.h"
#include "proxy/host/prepull/pull_progress.h"

namespace paddock {

class DockerProgress {
 public:
  explicit DockerProgress(PullProgress& progress) : progress_(&progress) {}

  void feed(std::string_view bytes);
  void finish();
  // Why the pull failed: a stream that began well is answered with 200 whatever comes. Empty: it did not say so.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void take(std::string_view line);

  PullProgress* progress_;
  LineSplitter lines_{std::size_t{64} * 1024};
  std::string error_;
};

}  // namespace paddock
