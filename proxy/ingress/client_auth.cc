#include "proxy/ingress/client_auth.h"

#include <utility>

#include "proxy/ingress/random_secret.h"

namespace paddock {
namespace {

// "192.0.2.7:51234" and "[2001:db8::1]:51234" without the port; "unix" as it is.
std::string address_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace

ClientAuth::Names::Names(Htpasswd from, std::size_t remembered)
    : file(std::move(from)), secret(random_secret()), right(remembered), wrong(remembered) {}

std::optional<ClientAuth::Verdict> ClientAuth::Names::known(const Digest& key) {
  const MutexLock lock(mutex);
  if (const auto* const verdict = right.find(key)) return *verdict;
  if (const auto* const verdict = wrong.find(key)) return *verdict;
  return std::nullopt;
}

// Apart from each other, so that guesses displace nobody.
void ClientAuth::Names::remember(const Digest& key, Verdict verdict) {
  const MutexLock lock(mutex);
  (verdict == Verdict::allowed ? right : wrong).put(key, verdict);
}

void ClientAuth::require(std::optional<Htpasswd> file, bool anonymous) {
  const MutexLock lock(mutex_);
  anonymous_ = anonymous;
  asks_ = file.has_value();
  if (file && names_ && names_->file == *file) return;
  names_ = file ? std::make_shared<Names>(*std::move(file), options_.remembered) : nullptr;
}

bool ClientAuth::enter(const std::string& address) {
  const MutexLock lock(mutex_);
  if (stopping_ || all_waiting_ >= options_.waiting) return false;
  auto& of_peer = waiting_[address];
  if (of_peer >= options_.waiting_of_peer) return false;
  ++of_peer;
  ++all_waiting_;
  return true;
}

void ClientAuth::leave(const std::string& address) {
  const MutexLock lock(mutex_);
  const auto found = waiting_.find(address);
  if (--found->second == 0) waiting_.erase(found);
  --all_waiting_;
}

Task<ClientAuth::Verdict> ClientAuth::check(std::optional<std::string> authorization, std::string peer) {
  std::shared_ptr<Names> names;
  bool anonymous = true;
  {
    const MutexLock lock(mutex_);
    names = names_;
    anonymous = anonymous_;
  }
  if (!names) co_return Verdict::allowed;
  if (!authorization) co_return anonymous ? Verdict::allowed : Verdict::missing;
  const auto key = Digest::of(names->secret + *authorization);
  if (const auto known = names->known(key)) co_return *known;
  auto credentials = parse_basic(*authorization);
  if (!credentials) co_return anonymous ? Verdict::allowed : Verdict::wrong;  // for somebody else perhaps
  const auto work = [this, names, key, credentials = *std::move(credentials),
                     address = address_of(peer)]() -> Task<Result<Verdict>> {
    if (!enter(address)) co_return Verdict::busy;
    auto verdict = co_await verify(names, key, credentials);
    leave(address);
    co_return verdict;
  };
  const auto verdict = co_await checks_.run(key, work, std::chrono::steady_clock::now() + options_.patience);
  co_return verdict.value_or(Verdict::busy);
}

Task<Result<ClientAuth::Verdict>> ClientAuth::verify(std::shared_ptr<Names> names, Digest key,
                                                     BasicCredentials credentials) {
  const auto deadline = std::chrono::steady_clock::now() + options_.patience;
  co_return co_await passwords_.run([&]() -> Result<Verdict> {
    if (stopping_ || std::chrono::steady_clock::now() > deadline) return Verdict::busy;
    const bool passed = names->file.verify(credentials.user, credentials.password);
    const auto verdict = passed ? Verdict::allowed : Verdict::wrong;
    names->remember(key, verdict);
    return verdict;
  });
}

}  // namespace paddock
