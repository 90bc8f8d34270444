#include "proxy/upstream/mirrored_upstream.h"

#include <chrono>
#include <optional>
#include <utility>

namespace paddock {
namespace {

constexpr std::chrono::seconds remembered{60}, away_for{10}, distrusted_for{300};
constexpr std::size_t most_sources = 1000;

bool is_refusal(const Error& error) { return error.code == ErrorCode::denied || error.code == ErrorCode::unauthorized; }

}  // namespace

MirroredUpstream::MirroredUpstream(std::vector<std::shared_ptr<Upstream>> members, const Clock& clock)
    : members_(std::move(members)),
      without_(clock, remembered),
      away_(clock, away_for),
      distrusted_(clock, distrusted_for) {}

std::vector<std::shared_ptr<Upstream>> MirroredUpstream::in_order() {
  std::vector<std::shared_ptr<Upstream>> order, last;
  for (const auto& member : members_) {
    const bool doubtful = away_.contains(member->name()) || distrusted_.contains(member->name());
    (doubtful ? last : order).push_back(member);
  }
  order.insert(order.end(), last.begin(), last.end());
  return order;
}

template <typename T>
Task<Result<T>> MirroredUpstream::over_members(std::string what,
                                               std::function<Task<Result<T>>(std::shared_ptr<Upstream>)> ask) {
  std::optional<Error> first;
  for (const auto& member : in_order()) {
    const std::string key = member->name() + ' ' + what;
    if (without_.contains(key)) {
      if (!first) first = Error{.code = ErrorCode::not_found, .blame = Blame::upstream, .context = "has just said so"};
      continue;
    }
    auto answer = co_await ask(member);
    if (answer) co_return answer;
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::not_found) without_.add(key);
    if (error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout) away_.add(member->name());
    const bool final = member == members_.front() && is_refusal(error);
    if (!first) first = std::move(error);
    if (final) break;
  }
  co_return std::unexpected(*std::move(first));
}

Task<Result<ManifestInfo>> MirroredUpstream::head_manifest(std::string repository, std::string reference) {
  if (!Digest::parse(reference)) co_return co_await members_.front()->head_manifest(repository, reference);
  co_return co_await over_members<ManifestInfo>(
      repository + '@' + reference, [=](const auto& member) { return member->head_manifest(repository, reference); });
}

Task<Result<FetchedManifest>> MirroredUpstream::get_manifest(std::string repository, std::string reference) {
  if (!Digest::parse(reference)) co_return co_await members_.front()->get_manifest(repository, reference);
  co_return co_await over_members<FetchedManifest>(
      repository + '@' + reference, [=](const auto& member) { return member->get_manifest(repository, reference); });
}

Task<Result<BlobInfo>> MirroredUpstream::head_blob(std::string repository, Digest digest) {
  co_return co_await over_members<BlobInfo>(repository + ' ' + digest.to_string(),
                                            [=](const auto& member) { return member->head_blob(repository, digest); });
}

Task<Result<BlobTransfer>> MirroredUpstream::get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                                      std::optional<std::uint64_t> length) {
  co_return co_await over_members<BlobTransfer>(repository + ' ' + digest.to_string(), [=, this](const auto& member) {
    return noting_source(member, repository, digest, offset, length);
  });
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

void MirroredUpstream::distrust(const std::string& source) {
  for (const auto& member : members_) member->distrust(source);
  const MutexLock lock(mutex_);
  if (const auto found = sources_.find(source); found != sources_.end()) distrusted_.add(found->second);
}

Task<Result<TagPage>> MirroredUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  return members_.front()->list_tags(std::move(repository), limit, std::move(last));
}

Task<Result<std::string>> MirroredUpstream::referrers(std::string repository, Digest digest) {
  return members_.front()->referrers(std::move(repository), digest);
}

}  // namespace paddock
