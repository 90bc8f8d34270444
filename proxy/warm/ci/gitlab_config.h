// A GitLab pipeline with its includes merged: jobs with what they extend, !reference, defaults.
//
// Views into the workspace's files. Single-threaded.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/ci/gitlab_include.h"

namespace paddock::ci {

// The mappings that make up a job, the one that counts first.
using Layers = std::vector<const YamlNode*>;

class GitlabConfig {
 public:
  GitlabConfig(std::vector<GitlabPart> parts, Collector& collector);

  [[nodiscard]] const std::vector<GitlabPart>& parts() const { return parts_; }
  // In the order in which they stand in the files, hidden ones too.
  [[nodiscard]] std::vector<std::string> jobs() const;
  // What the files say below a top-level key, without what it extends.
  [[nodiscard]] const Layers& own_layers(std::string_view key) const;
  [[nodiscard]] Layers job_layers(const std::string& job) const;
  // A top-level key that is no job ("image"), the last file's.
  [[nodiscard]] const YamlNode* top(std::string_view key) const;

  // The first layer's that has it, references followed; nullptr when none does.
  [[nodiscard]] const YamlNode* lookup(const Layers& layers, std::string_view key) const;
  [[nodiscard]] const YamlNode* follow(const YamlNode* node, int depth = 0) const;
  // A list's items or a single value, lists within spliced in, references followed.
  [[nodiscard]] std::vector<const YamlNode*> flatten(const YamlNode* node) const;

 private:
  void extend(const std::string& job, std::vector<std::string>& open, Layers& out) const;
  void flatten(const YamlNode* node, int depth, std::vector<const YamlNode*>& out) const;

  std::vector<GitlabPart> parts_;
  std::map<std::string, Layers, std::less<>> top_level_;
  Collector& collector_;
};

}  // namespace paddock::ci
