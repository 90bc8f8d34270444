#include "proxy/host/prepull/prepull.h"

#include <utility>

namespace paddock {
namespace {

class Run {
 public:
  Run(Engine& engine, const AskCache& ask_cache, PrepullOutcome& outcome)
      : engine_(engine), ask_cache_(ask_cache), outcome_(outcome) {}

  Result<PrepullState> run(const std::string& platform, const PullWatch::Options& options) {
    const auto& original = outcome_.image;
    auto kept = engine_.kept_as(original);
    if (!kept) return std::unexpected(std::move(kept).error());
    auto held = engine_.find(*kept);
    if (!held) return std::unexpected(std::move(held).error());
    if (original.digest && *held && (*held)->is(*original.digest)) {
      outcome_.digest = original.digest;
      return PrepullState::present;
    }
    auto given = ask_cache_(original);
    if (!given) return std::unexpected(unknown(std::move(given).error(), held->has_value()));
    outcome_.digest = given->digest;
    PullWatch watch(PullProgress(given->layers), options);
    const PullOrder order{*kept, given->digest, platform};
    const bool there = *held && given->is(**held);
    auto done = there ? Result<void>() : pull(order, *given, watch);
    if (there) engine_.tidy(order, watch);
    outcome_.notes = watch.notes();
    if (!done) return std::unexpected(std::move(done).error());
    if (kept->tag && original.digest) {
      outcome_.notes.push_back("it is kept as " + kept->to_string() + ": who writes the digest too has " +
                               engine_.name() + " ask the registry for the manifest once more");
    }
    return there ? PrepullState::present : PrepullState::pulled;
  }

 private:
  static Error unknown(Error error, bool held) {
    if (held) error.context += "; the engine has an image of that name, only the cache can say whether it is the one";
    return error;
  }

  Result<void> pull(const PullOrder& order, const CacheImage& expected, PullWatch& watch) {
    if (auto pulled = engine_.pull(order, watch); !pulled) return pulled;
    const auto held = engine_.find(order.image);
    if (!held) return std::unexpected(held.error());
    if (!*held) {
      return fail(ErrorCode::protocol, Blame::upstream,
                  engine_.name() + " says that it has pulled it, but does not have it");
    }
    if (expected.is(**held)) return {};
    // Engines that pull by tag may have got what the tag has moved to meanwhile.
    auto given = ask_cache_(outcome_.image);
    if (!given) return std::unexpected(std::move(given).error());
    if (!given->is(**held)) {
      return fail(ErrorCode::digest_mismatch, Blame::upstream,
                  engine_.name() + " has another image than the cache gives, " + given->digest.to_string());
    }
    outcome_.digest = given->digest;
    return {};
  }

  Engine& engine_;
  const AskCache& ask_cache_;
  PrepullOutcome& outcome_;
};

}  // namespace

std::string_view to_string(PrepullState state) {
  switch (state) {
    case PrepullState::present:
      return "present";
    case PrepullState::pulled:
      return "pulled";
    case PrepullState::failed:
      return "failed";
  }
  return "";
}

PrepullOutcome prepull(Engine& engine, const ImageReference& original, const AskCache& ask_cache,
                       const std::string& platform, const PullWatch::Options& options) {
  PrepullOutcome outcome{original};
  auto state = Run(engine, ask_cache, outcome).run(platform, options);
  if (state) {
    outcome.state = *state;
  } else {
    outcome.error = std::move(state).error();
  }
  return outcome;
}

}  // namespace paddock
