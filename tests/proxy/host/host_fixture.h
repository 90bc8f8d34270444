// HostFixture: a machine's files in a folder of the test's own.
#pragma once

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/host/finding.h"
#include "proxy/host/host_files.h"
#include "tests/support/temporary_folder.h"

namespace paddock::test {

struct HostFixture {
  TemporaryFolder folder;
  HostFiles files{folder.path()};

  void write(const std::string& path, const std::string& content) const {
    const auto file = files.at(path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }

  // A process that started `seconds` after 1970.
  void run(const std::string& name, const std::string& environment, std::int64_t seconds) const {
    const auto ticks = std::to_string(::sysconf(_SC_CLK_TCK) * (seconds - 1000));
    write("/proc/stat", "cpu 1 2 3\nbtime 1000\n");
    write("/proc/77/comm", name + "\n");
    write("/proc/77/environ", environment);
    write("/proc/77/stat", "77 (a) b) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + ticks + " 0 0\n");
  }

  void age(const std::string& path, std::int64_t seconds) const {
    const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    if (::utimensat(AT_FDCWD, files.at(path).c_str(), times.data(), 0) != 0)
      throw std::runtime_error("cannot age " + path);
  }
};

// All of them, a line each: "warning docker: text: remedy".
inline std::string text_of(const Findings& findings) {
  std::string out;
  for (const auto& one : findings) {
    out += std::string(to_string(one.severity)) + " " + one.check + ": " + one.text;
    out += (one.remedy.empty() ? "" : ": " + one.remedy) + "\n";
  }
  return out;
}

}  // namespace paddock::test
