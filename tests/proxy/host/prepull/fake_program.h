// FakeProgram: a shell script in place of ctr or podman. It writes its arguments, a line a run, and what of its
// environment matters, to files.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_folder.h"

namespace paddock::test {

class FakeProgram {
 public:
  // `script` sees the folder as $HERE.
  explicit FakeProgram(const std::string& script) {
    std::ofstream(path()) << "#!/bin/sh\nHERE=" << folder_.path().string() << "\necho \"$*\" >> $HERE/calls\n"
                          << script;
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }

  [[nodiscard]] std::string path() const { return folder_ / "program"; }
  [[nodiscard]] std::string text(const std::string& file) const {
    std::ifstream in(folder_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::string calls() const { return text("calls"); }
  void put(const std::string& file, const std::string& content) const { std::ofstream(folder_ / file) << content; }

 private:
  TemporaryFolder folder_;
};

}  // namespace paddock::test
