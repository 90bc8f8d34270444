// Rules: which images are to be warm at all times, as configured, and what they mean at the moment.
//
// A rule names images by patterns over the tags that its upstreams list, and by the CI files that it reads on this
// machine; one that learns, by patterns over the tags that clients pull. The set is replaced by a reload; who is at
// work with a rule keeps the one it began with. Thread-safe; expand() on any event loop. Errors of expand: not_found
// (no such rule; names those there are), those of listing tags, too_large (see match_rule).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/ingress/upstream_set.h"
#include "proxy/warm/job.h"
#include "proxy/warm/pull_history.h"
#include "proxy/warm/rule_match.h"
#include "proxy/warm/schedule.h"
#include "proxy/warm/tag_lists.h"
#include "storage/blocking_pool.h"
#include "storage/catalog.h"
#include "storage/mutex.h"

namespace paddock {

// Images are those that clients asked for `within` so long, and due `ahead` of the hour in which they usually do.
struct Learning {
  std::chrono::days within{28};
  std::chrono::seconds ahead{std::chrono::minutes(30)};
};

struct WarmRule {
  RuleSelection selection;
  std::vector<std::string> platforms;
  std::chrono::seconds pin{0};
  std::optional<Schedule> schedule{};
  std::vector<std::filesystem::path> from_ci{};
  std::optional<Learning> learning{};  // without from_ci
};
using RuleSet = std::map<std::string, WarmRule>;  // by name

class Rules {
 public:
  struct Parts {
    BlockingPool& pool;
    Catalog& catalog;
    TagLists& lists;
    const CurrentUpstreams& upstreams;
    PullHistory& pulls;
  };

  Rules(Parts parts, RuleSet rules);

  void replace(RuleSet rules);
  [[nodiscard]] std::shared_ptr<const RuleSet> get() const;
  // Platforms and pin of a request that names a rule, where it does not say them itself. CI files name images of
  // elsewhere too.
  Result<void> fill_in(WarmRequest& request) const;
  // The images that a rule means now.
  Task<Result<std::vector<std::string>>> expand(std::string name) const;
  // Of a rule that learns: the images to fetch now, when those of the hour of `covered` were the last. Often none.
  // Blocks.
  [[nodiscard]] Result<std::vector<std::string>> due(const WarmRule& rule, WallTime covered, WallTime now) const;

 private:
  [[nodiscard]] Result<WarmRule> find(const std::string& name) const;
  Task<Result<std::vector<RepositoryTags>>> list(const RuleSelection& selection) const;
  Task<Result<std::vector<RepositoryKey>>> repositories(const ImagePattern& pattern) const;

  const Parts parts_;
  mutable Mutex mutex_;
  std::shared_ptr<const RuleSet> rules_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock
