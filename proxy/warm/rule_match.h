// match_rule: which images does a rule mean, given the tags that exist?
//
// What globs match is narrowed by `where`, then to the `latest` newest versions of each repository, all tags of these
// versions. Fixed references are taken as they are: who names an image means it. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "proxy/oci/reference.h"
#include "proxy/warm/grammar/tag_filter.h"
#include "proxy/warm/image_pattern.h"
#include "storage/error.h"

namespace paddock {

struct RuleSelection {
  std::string rule;  // its name, for errors
  std::vector<ImagePattern> images;
  TagFilter where;
  std::size_t latest = 0;  // 0: all. Tags without a version, and "latest", are no version and drop out otherwise
  std::size_t max_images = 500;
};

struct RepositoryTags {
  std::string registry;
  std::string repository;
  std::vector<std::string> tags;
};

struct RuleMatch {
  // Each once; repository by repository in the order of the lists, the newest versions first. Fixed ones come first of
  // all.
  std::vector<ImageReference> images;
  std::vector<std::string> without_match;  // patterns that no tag fits, whatever `where` says: a typing error perhaps
};

// too_large, blames the client: it means more than max_images; says how many.
Result<RuleMatch> match_rule(const RuleSelection& rule, std::span<const RepositoryTags> lists);

}  // namespace paddock
