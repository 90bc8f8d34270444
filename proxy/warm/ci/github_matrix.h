// The combinations of a GitHub Actions matrix: cross product, `exclude`, then `include` by GitHub's rules. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

using Combination = std::map<std::string, const YamlNode*, std::less<>>;

struct Matrix {
  std::vector<Combination> combinations;  // one empty one when there is no matrix
  const YamlNode* expression = nullptr;   // set: the whole matrix is what this expression says
  bool too_many = false;                  // more than the 256 that GitHub allows
};

Matrix read_matrix(const YamlNode* matrix);

}  // namespace paddock::ci
