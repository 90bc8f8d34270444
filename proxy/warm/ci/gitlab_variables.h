// The variables of a GitLab job: global ones, the job's, and those of each variant that its matrix and rules make.
//
// Values may name other variables; circles and explosions end as unknown. Single-threaded.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/ci/gitlab_config.h"
#include "proxy/warm/ci/reading.h"

namespace paddock::ci {

// $[[ inputs.x ]] of all files of a pipeline. A file included with several values has them all.
class GitlabInputs {
 public:
  explicit GitlabInputs(const std::vector<GitlabPart>& parts);
  [[nodiscard]] Readings expand(std::string_view text) const;
  // Of all of the pipeline's jobs together.
  [[nodiscard]] ExpansionBudget& budget() const { return budget_; }

 private:
  Variables values_;
  mutable ExpansionBudget budget_;
};

class GitlabVariables {
 public:
  GitlabVariables(const GitlabConfig& config, const Layers& layers, const GitlabInputs& inputs, bool with_globals);

  [[nodiscard]] std::size_t variants() const { return variants_.size(); }
  [[nodiscard]] bool too_many() const { return too_many_; }
  void choose(std::size_t variant) { variant_ = variant; }

  [[nodiscard]] Readings expand(std::string_view text) const;
  [[nodiscard]] std::optional<Readings> find(std::string_view name) const;

 private:
  using Values = std::map<std::string, const YamlNode*, std::less<>>;

  void multiply(const std::vector<Values>& alternatives);
  [[nodiscard]] std::vector<Values> matrix(const YamlNode* parallel) const;
  [[nodiscard]] std::vector<Values> rules(const YamlNode* list) const;
  [[nodiscard]] Readings expand(std::string_view text, int depth) const;
  [[nodiscard]] std::optional<Readings> find(std::string_view name, int depth) const;
  [[nodiscard]] const YamlNode* value_of(std::string_view name) const;

  const GitlabConfig& config_;
  const GitlabInputs& inputs_;
  std::vector<const YamlNode*> maps_;  // the first that has a name counts
  std::vector<Values> variants_{{}};
  std::size_t variant_ = 0;
  bool too_many_ = false;
  mutable int lookups_ = 0;
};

}  // namespace paddock::ci
