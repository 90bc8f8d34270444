// Parameters of Tekton and Argo objects, by the levels at which they are declared and given.
//
// Views into YAML trees that must outlive them. Single-threaded.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/ci/reading.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

// Tekton: one level, inside `outer`. A value that is given, by whichever level, wins over defaults.
class TektonParameters {
 public:
  TektonParameters(const TektonParameters* outer, const YamlNode& node, ExpansionBudget& budget);
  // "params.x", "tasks.t.results.r": what stands in $(...).
  [[nodiscard]] Readings evaluate(std::string_view expression) const;

 private:
  void read(const YamlNode* list);
  [[nodiscard]] const Readings* find(std::string_view name,
                                     std::map<std::string, Readings, std::less<>> TektonParameters::* kind) const;

  const TektonParameters* outer_;
  ExpansionBudget& budget_;
  std::map<std::string, Readings, std::less<>> values_;
  std::map<std::string, Readings, std::less<>> defaults_;
};

// Argo: the workflow's arguments, and what callers within it pass to a template.
class ArgoParameters {
 public:
  // `workflow`: the mapping that holds `templates`.
  ArgoParameters(const YamlNode& workflow, ExpansionBudget& budget);
  // What stands in {{...}} within the template of this name.
  [[nodiscard]] Readings evaluate(const std::string& of_template, std::string_view expression) const;

 private:
  struct Call {
    const YamlNode* step;
    std::string caller;
  };
  void find_calls(const YamlNode& node, const std::string& caller);
  [[nodiscard]] Readings evaluate(const std::string& of_template, std::string_view expression, int depth) const;
  [[nodiscard]] Readings input(const std::string& of_template, std::string_view name, int depth) const;
  [[nodiscard]] Readings passed(const Call& call, const YamlNode& parameter, int depth) const;

  const YamlNode& workflow_;
  ExpansionBudget& budget_;
  std::map<std::string, const YamlNode*, std::less<>> templates_;
  std::map<std::string, std::vector<Call>, std::less<>> calls_;
  mutable int evaluations_ = 0;  // callers of callers multiply
};

}  // namespace paddock::ci
