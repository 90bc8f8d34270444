#include "proxy/host/prepull/prepull.h"

#include <utility>

namespace paddock {
namespace {

class One {
 public:
  One(Engine& engine, PrepullRun& run, PrepullOutcome& outcome) : engine_(engine), run_(run), outcome_(outcome) {}

  Result<PrepullState> make_ready() {
    const auto& original = outcome_.image;
    auto kept = engine_.kept_as(original);
    if (!kept) return std::unexpected(std::move(kept).error());
    auto held = engine_.find(*kept, run_.platform);
    if (!held) return std::unexpected(std::move(held).error());
    if (original.digest && *held && (*held)->is(*original.digest) && is_same_platform((*held)->platform, platform())) {
      outcome_.digest = original.digest;
      run_.taken.insert(kept->to_string());
      return PrepullState::present;
    }
    auto given = run_.ask_cache(original);
    if (!given) return std::unexpected(unknown(std::move(given).error(), held->has_value()));
    outcome_.digest = given->digest;
    PullWatch watch(PullProgress(given->layers), run_.watch);
    const PullOrder order{*kept, given->digest, run_.platform};
    const bool there = *held && given->is(**held);
    if (!there && run_.taken.contains(kept->to_string())) return std::unexpected(name_is_taken(order));
    auto done = there ? Result<void>() : pull(order, *given, watch);
    if (there) engine_.tidy(order, watch);
    outcome_.notes = watch.notes();
    if (!done) return std::unexpected(std::move(done).error());
    run_.taken.insert(kept->to_string());
    if (kept->tag && original.digest) {
      outcome_.notes.push_back("it is kept as " + kept->to_string() + ": who writes the digest too has " +
                               engine_.name() + " ask the registry for the manifest once more");
    }
    return there ? PrepullState::present : PrepullState::pulled;
  }

 private:
  [[nodiscard]] std::string platform() const { return run_.platform.empty() ? this_platform() : run_.platform; }

  [[nodiscard]] Error name_is_taken(const PullOrder& order) const {
    return {ErrorCode::conflict, Blame::client,
            engine_.name() + " would keep it as " + order.image.to_string() +
                ", which another image of this run already is: leave one of them out"};
  }

  static Error unknown(Error error, bool held) {
    if (held) error.context += "; the engine has an image of that name, only the cache can say whether it is the one";
    return error;
  }

  Result<void> pull(const PullOrder& order, const CacheImage& expected, PullWatch& watch) {
    if (auto pulled = engine_.pull(order, watch); !pulled) return pulled;
    const auto held = engine_.find(order.image, order.platform);
    if (!held) return std::unexpected(held.error());
    if (!*held) {
      return fail(ErrorCode::protocol, Blame::upstream,
                  engine_.name() + " says that it has pulled it, but does not have it");
    }
    if (expected.is(**held)) return {};
    // Engines that pull by tag may have got what the tag has moved to meanwhile.
    auto given = run_.ask_cache(outcome_.image);
    if (!given) return std::unexpected(std::move(given).error());
    if (!given->is(**held)) {
      return fail(ErrorCode::digest_mismatch, Blame::upstream,
                  engine_.name() + " has another image than the cache gives, " + given->digest.to_string());
    }
    outcome_.digest = given->digest;
    return {};
  }

  Engine& engine_;
  PrepullRun& run_;
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
    case PrepullState::elsewhere:
      return "elsewhere";
  }
  return "";
}

PrepullOutcome prepull(Engine& engine, const ImageReference& original, PrepullRun& run) {
  PrepullOutcome outcome{original};
  auto state = One(engine, run, outcome).make_ready();
  if (state) {
    outcome.state = *state;
  } else {
    outcome.error = std::move(state).error();
  }
  return outcome;
}

}  // namespace paddock
