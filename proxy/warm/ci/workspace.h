// The files of one scan: each read once, with limits, made uniform (no byte order mark, LF), and parsed once when it is
// YAML. What cannot be read becomes a problem in the report, once, and nullptr here.
//
// Sources live as long as the workspace. Single-threaded; blocks on the disk.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/warm/ci/collector.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

struct Source {
  std::filesystem::path path;
  std::string name;  // as it is reported
  std::string text;
  std::filesystem::path root;  // what "/" in an include means: the folder given to the scan
};

class Workspace {
 public:
  Workspace(Collector& collector, std::size_t file_limit) : collector_(collector), file_limit_(file_limit) {}

  // `quiet`: that it is too large or no text is not worth a problem (a folder holds many such files).
  const Source* load(const std::filesystem::path& path, const std::filesystem::path& root, bool quiet = false);
  // What could be parsed; the first problem of a file is reported once.
  const YamlFile& yaml(const Source& source);
  // Text within a file, a YAML document in a string for example; kept as long as the workspace.
  const YamlFile& inner_yaml(const std::string& name, std::string_view text, int first_line);

  Collector& collector() { return collector_; }

 private:
  Collector& collector_;
  std::size_t file_limit_;
  std::map<std::filesystem::path, std::unique_ptr<Source>> sources_;
  std::map<std::string, std::unique_ptr<YamlFile>> yaml_;
};

}  // namespace paddock::ci
