// HostFiles: a machine's configuration files, below a root that need not be "/": a host's seen from a container, or a
// test's. Read with limits; nothing is ever written.
//
// Blocking; thread-safe. Errors: not_found, denied, too_large, io; they name the file.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

class HostFiles {
 public:
  explicit HostFiles(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // `path` as it is on that machine: "/etc/docker/daemon.json".
  [[nodiscard]] Result<std::string> read(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const;
  // The files right below a folder whose names end so, in order; at most a thousand.
  [[nodiscard]] std::vector<std::string> list(std::string_view folder, std::string_view suffix) const;
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> changed(std::string_view path) const;
  [[nodiscard]] std::filesystem::path at(std::string_view path) const;

 private:
  std::filesystem::path root_;
};

// A running process, by its name ("dockerd").
struct HostProcess {
  std::vector<std::string> environment;  // "NAME=value"; empty: may not be read
  std::chrono::system_clock::time_point started;
};
std::optional<HostProcess> find_process(const HostFiles& files, std::string_view name);

}  // namespace paddock
