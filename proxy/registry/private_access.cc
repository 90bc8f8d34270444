#include "proxy/registry/private_access.h"

#include <algorithm>
#include <utility>

#include "proxy/ingress/random_secret.h"
#include "proxy/upstream/private_key.h"
#include "proxy/upstream/private_upstream.h"

namespace paddock {
namespace {

constexpr std::chrono::seconds yes_holds{60}, no_holds{15}, closed_for{60};
constexpr std::chrono::minutes client_is_kept{10};
constexpr std::size_t most_clients = 200, most_answers = 10'000;

}  // namespace

PrivateAccess::PrivateAccess(const Clock& clock)
    : clock_(clock), secret_(random_secret()), refused_(most_answers), admitted_(most_answers), closed_(most_answers) {}

Digest PrivateAccess::key_of(const RepositoryRequest& request, const BasicCredentials& credentials) const {
  std::string text = secret_;
  for (const auto& part : {request.repository.upstream, credentials.user, credentials.password}) {
    text.append(std::to_string(part.size())).append(":").append(part);
  }
  return Digest::of(text);
}

std::shared_ptr<Upstream> PrivateAccess::upstream_for(const RepositoryRequest& request, const Digest& key,
                                                      const BasicCredentials& credentials) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  const auto known = clients_.find(key);
  const bool good =
      known != clients_.end() && known->second.made_from == request.upstream->upstream && now < known->second.until;
  if (good) return known->second.upstream;
  if (!request.upstream->for_client) return nullptr;
  auto made = std::make_shared<PrivateUpstream>((*request.upstream->for_client)(credentials));
  if (clients_.size() >= most_clients) {
    clients_.erase(std::ranges::min_element(clients_, {}, [](const auto& entry) { return entry.second.until; }));
  }
  clients_.insert_or_assign(key, Client{request.upstream->upstream, made, now + client_is_kept});
  return made;
}

Task<Result<void>> PrivateAccess::ask(std::shared_ptr<Upstream> upstream, std::string repository, Route::Kind kind,
                                      std::string reference) {
  const auto outcome = [](const auto& answer) {
    return answer ? Result<void>() : Result<void>(std::unexpected(answer.error()));
  };
  if (kind == Route::Kind::manifest) co_return outcome(co_await upstream->head_manifest(repository, reference));
  const auto digest = Digest::parse(reference);
  if (kind == Route::Kind::blob && digest) co_return outcome(co_await upstream->head_blob(repository, *digest));
  co_return outcome(co_await upstream->list_tags(repository, 1, ""));
}

Task<Result<RepositoryRequest>> PrivateAccess::enter(RepositoryRequest request, Route::Kind kind,
                                                     BasicCredentials credentials) {
  const auto client = key_of(request, credentials);
  const auto upstream = upstream_for(request, client, credentials);
  if (!upstream)
    co_return fail(ErrorCode::unavailable, Blame::us, "credentials cannot be checked: there is no upstream");
  const auto question = Digest::of(client.to_string() + request.repository.repository);
  const auto known = [&] {
    const MutexLock lock(mutex_);
    auto* const until = admitted_.find(question);
    return until != nullptr && clock_.now() < *until;
  };
  if (!known()) {
    if (auto error = refusal_of(question)) co_return std::unexpected(*std::move(error));
    auto answer = co_await ask(upstream, request.repository.repository, kind, request.reference);
    const auto now = clock_.now();
    const MutexLock lock(mutex_);
    if (answer) {
      admitted_.put(question, now + yes_holds);
    } else {
      const auto code = answer.error().code;
      const bool no = code == ErrorCode::denied || code == ErrorCode::unauthorized;
      if (no) refused_.put(question, {answer.error(), now + no_holds});
      co_return std::unexpected(std::move(answer).error());
    }
  }
  request.repository = private_key(std::move(request.repository));
  auto entry = std::make_shared<UpstreamSet::Entry>(*request.upstream);
  entry->upstream = upstream;
  request.upstream = std::move(entry);
  co_return request;
}

std::optional<Error> PrivateAccess::refusal_of(const Digest& question) {
  const MutexLock lock(mutex_);
  auto* const refusal = refused_.find(question);
  if (refusal == nullptr || refusal->until <= clock_.now()) return std::nullopt;
  return refusal->error;
}

void PrivateAccess::forget_idle() {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  std::erase_if(clients_, [now](const auto& entry) { return entry.second.until <= now; });
}

bool PrivateAccess::is_closed(const RepositoryKey& repository) {
  const MutexLock lock(mutex_);
  auto* const until = closed_.find(Digest::of(repository.upstream + " " + repository.repository));
  return until != nullptr && clock_.now() < *until;
}

void PrivateAccess::note_closed(const RepositoryKey& repository) {
  const MutexLock lock(mutex_);
  closed_.put(Digest::of(repository.upstream + " " + repository.repository), clock_.now() + closed_for);
}

}  // namespace paddock
