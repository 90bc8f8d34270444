// Collects what the scanners find, decides what is an image name, and drops what was said before.
//
// A scan has one; single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/oci/reference.h"
#include "proxy/warm/ci/reading.h"
#include "proxy/warm/ci/report.h"

namespace paddock::ci {

// As a client without a default registry of its own takes it: docker.io and library/ added, and "latest".
std::string full_reference(const ImageReference& image);
// 12 or 64 hexadecimal digits, or "sha256:" and some: an image on one machine.
bool is_image_id(std::string_view text);

class Collector {
 public:
  explicit Collector(std::size_t limit) : limit_(limit) {}

  // Each reading is an image, "docker://" in front or not, or a reason why not. Empty ones and "scratch" mean that
  // there is none.
  void images(const Place& place, std::string_view written, const Readings& readings);
  void unresolved(const Place& place, std::string_view written, const Unknown& unknown);
  void problem(std::string_view file, int line, std::string message);
  void count_file() { ++report_.files; }
  // Another way of reading this line had values for its variables: that they are not set elsewhere is not worth saying.
  void forget_unset(std::string_view file, int line) { answered_.emplace(file, line); }

  ScanReport take() &&;

 private:
  void one(const Place& place, std::string_view written, const Reading& reading);
  bool fresh(const Place& place, std::string_view what, std::string_view detail);

  std::size_t limit_;
  std::set<std::string> seen_;
  std::set<std::pair<std::string, int>> answered_;  // file, line
  bool full_ = false;
  ScanReport report_;
};

}  // namespace paddock::ci
