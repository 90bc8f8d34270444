#include "proxy/upstream/token_cache.h"

#include <algorithm>
#include <utility>

namespace paddock {

TokenCache::TokenCache(const Clock& clock) : TokenCache(clock, Options{}) {}
TokenCache::TokenCache(const Clock& clock, Options options) : clock_(clock), options_(options) {}

Task<Result<HeldToken>> TokenCache::get(TokenKey key, std::string refused, Fetch fetch, SteadyTime deadline) {
  Result<HeldToken> token;
  // Twice, as a flight that was under way may bring the very token that was refused.
  for (int round = 0; round < 2; ++round) {
    if (auto known = lookup(key, refused)) co_return *std::move(known);
    SingleFlight<TokenKey, HeldToken>::Work work = [this, key, fetch] { return fill(key, fetch); };
    token = co_await flights_.run(key, std::move(work), deadline);
    if (!token || token->value != refused) co_return token;
  }
  co_return token;
}

std::optional<Result<HeldToken>> TokenCache::lookup(const TokenKey& key, const std::string& refused) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  const bool is_refused = found->second.token && found->second.token->value == refused;
  if (!is_refused && clock_.now() < found->second.good_until) return found->second.token;
  entries_.erase(found);
  return std::nullopt;
}

Task<Result<HeldToken>> TokenCache::fill(TokenKey key, Fetch fetch) {
  // Somebody may have landed between the look at the cache and this take-off.
  if (auto known = lookup(key, {})) co_return *std::move(known);
  auto token = co_await fetch();
  const auto now = clock_.now();
  store(key, token, now);
  if (!token) co_return std::unexpected(std::move(token).error());
  co_return HeldToken{std::move(token->value), now};
}

void TokenCache::store(const TokenKey& key, const Result<Token>& token, SteadyTime now) {
  // The request that needs the token will be tried again, and so must this be.
  if (!token && (token.error().code == ErrorCode::unavailable || token.error().code == ErrorCode::timeout)) return;
  Entry entry{HeldToken{}, now + options_.remember_failure};
  if (!token) {
    entry.token = std::unexpected(token.error());
  } else {
    const auto margin = std::min(token->lifetime / 4, std::chrono::seconds(30));
    entry = {HeldToken{token->value, now}, now + token->lifetime - margin};
  }
  const MutexLock lock(mutex_);
  if (entries_.size() >= options_.capacity) {
    std::erase_if(entries_, [&](const auto& old) { return old.second.good_until <= now; });
    if (entries_.size() >= options_.capacity) entries_.clear();
  }
  entries_.insert_or_assign(key, std::move(entry));
}

std::size_t TokenCache::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace paddock
