// Report: what is wrong with a configuration, all of it, and where each value came from. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace paddock::config {

class Report {
 public:
  // `where` is "paddock.yaml:12", an environment variable, or nothing.
  void add(std::string_view where, std::string_view problem);
  // A problem with the value of `path`, at the place it (or else what surrounds it) came from.
  void add_at(std::string_view path, std::string_view problem);
  void note_origin(std::string path, std::string where) { origins_[std::move(path)] = std::move(where); }
  void forget_origins(std::string_view prefix);
  [[nodiscard]] std::string origin(std::string_view path) const;

  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] std::string text() const;  // a line a problem

 private:
  std::vector<std::string> problems_;
  std::size_t left_out_ = 0;
  std::map<std::string, std::string, std::less<>> origins_;
};

}  // namespace paddock::config
