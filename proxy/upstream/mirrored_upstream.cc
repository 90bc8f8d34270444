#include "proxy/upstream/mirrored_upstream.h"

#include <chrono>
#include <optional>
#include <utility>

namespace paddock {
namespace {

constexpr std::chrono::seconds remembered{60}, away_for{30}, distrusted_for{300};
constexpr std::size_t most_sources = 1000;

bool is_refusal(const Error& error) { return error.code == ErrorCode::denied || error.code == ErrorCode::unauthorized; }

// The same, that takes no more than its share of the time for it and the `left` behind it.
std::shared_ptr<Upstream> hurried(const std::shared_ptr<Upstream>& member, SteadyTime deadline, std::size_t left) {
  const auto now = std::chrono::steady_clock::now();
  auto limited = member->until(now + (deadline - now) / static_cast<std::int64_t>(left));
  return limited ? limited : member;
}

}  // namespace

MirroredUpstream::MirroredUpstream(std::vector<Member> members, const Clock& clock, Budgets budgets)
    : members_(std::move(members)),
      budgets_(budgets),
      without_(clock, remembered),
      away_(clock, away_for),
      distrusted_(clock, distrusted_for) {}

std::vector<std::shared_ptr<Upstream>> MirroredUpstream::in_order(const std::string& repository, Question question) {
  std::vector<std::shared_ptr<Upstream>> order, last;
  for (const auto& [member, allows] : members_) {
    if (allows && !allows(repository)) continue;
    const bool doubtful =
        away_.contains(member->name()) || (question == Question::bytes && distrusted_.contains(member->name()));
    (doubtful ? last : order).push_back(member);
  }
  order.insert(order.end(), last.begin(), last.end());
  return order;
}

template <typename T>
Task<Result<T>> MirroredUpstream::over_members(Question question, std::string repository, std::string what,
                                               Ask<T> ask) {
  const auto deadline =
      std::chrono::steady_clock::now() + (question == Question::bytes ? budgets_.blob : budgets_.metadata);
  const auto order = in_order(repository, question);
  std::vector<std::string> lacking;
  std::optional<Error> own_error, missing;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool is_own = order[i] == own();
    std::string key = order[i]->name();
    key.append(" ").append(repository).append(" ").append(what);
    Result<T> answer =
        fail(ErrorCode::not_found, Blame::upstream, order[i]->name() + " has just said that it has none");
    if (!without_.contains(key)) {
      const auto member = hurried(order[i], deadline, order.size() - i);
      answer = co_await ask(member);
      if (!answer && answer.error().code == ErrorCode::not_found) lacking.push_back(key);
    }
    if (answer) {
      for (const auto& name : lacking) without_.add(name);
      co_return answer;
    }
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout) away_.add(order[i]->name());
    if (is_own && is_refusal(error)) co_return std::unexpected(std::move(error));
    const bool said_no = error.code == ErrorCode::not_found || is_refusal(error);
    if (is_own) {
      own_error = std::move(error);
    } else if (!said_no && !missing) {
      missing = std::move(error);
    }
  }
  // Whoever could not be asked may have it.
  if (missing && own_error->code == ErrorCode::not_found) co_return std::unexpected(*std::move(missing));
  co_return std::unexpected(*std::move(own_error));
}

Task<Result<ManifestInfo>> MirroredUpstream::head_manifest(std::string repository, std::string reference) {
  if (!Digest::parse(reference)) co_return co_await own()->head_manifest(repository, reference);
  Ask<ManifestInfo> ask = [=](const auto& member) { return member->head_manifest(repository, reference); };
  co_return co_await over_members<ManifestInfo>(Question::access, repository, reference, std::move(ask));
}

Task<Result<FetchedManifest>> MirroredUpstream::get_manifest(std::string repository, std::string reference) {
  if (!Digest::parse(reference)) co_return co_await own()->get_manifest(repository, reference);
  Ask<FetchedManifest> ask = [=](const auto& member) { return member->get_manifest(repository, reference); };
  co_return co_await over_members<FetchedManifest>(Question::access, repository, reference, std::move(ask));
}

Task<Result<BlobInfo>> MirroredUpstream::head_blob(std::string repository, Digest digest) {
  Ask<BlobInfo> ask = [=](const auto& member) { return member->head_blob(repository, digest); };
  co_return co_await over_members<BlobInfo>(Question::access, repository, digest.to_string(), std::move(ask));
}

Task<Result<BlobTransfer>> MirroredUpstream::get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                                      std::optional<std::uint64_t> length) {
  Ask<BlobTransfer> ask = [=, this](const auto& member) {
    return noting_source(member, repository, digest, offset, length);
  };
  co_return co_await over_members<BlobTransfer>(Question::bytes, repository, digest.to_string(), std::move(ask));
}

Task<Result<BlobTransfer>> MirroredUpstream::noting_source(std::shared_ptr<Upstream> member, std::string repository,
                                                           Digest digest, std::uint64_t offset,
                                                           std::optional<std::uint64_t> length) {
  auto transfer = co_await member->get_blob(std::move(repository), digest, offset, length);
  if (transfer) {
    const MutexLock lock(mutex_);
    if (sources_.size() >= most_sources) sources_.clear();
    sources_.insert_or_assign(transfer->source, member->name());
  }
  co_return transfer;
}

void MirroredUpstream::distrust(const std::string& source, Doubt doubt) {
  for (const auto& [member, allows] : members_) member->distrust(source, doubt);
  if (doubt != Doubt::certain) return;  // another endpoint of the same member may do
  const MutexLock lock(mutex_);
  if (const auto found = sources_.find(source); found != sources_.end()) distrusted_.add(found->second);
}

Task<Result<TagPage>> MirroredUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  return own()->list_tags(std::move(repository), limit, std::move(last));
}

Task<Result<std::string>> MirroredUpstream::referrers(std::string repository, Digest digest) {
  return own()->referrers(std::move(repository), digest);
}

}  // namespace paddock
