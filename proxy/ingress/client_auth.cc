#include "proxy/ingress/client_auth.h"

#include <random>
#include <utility>

namespace paddock {
namespace {

std::string random_secret() {
  std::random_device source;
  std::string secret;
  for (int i = 0; i < 8; ++i) secret += std::to_string(source()) + ' ';
  return secret;
}

}  // namespace

ClientAuth::ClientAuth(BlockingPool& passwords, Options options)
    : passwords_(passwords), options_(options), secret_(random_secret()) {}

void ClientAuth::require(std::optional<Htpasswd> file, bool anonymous) {
  auto made = file ? std::make_shared<Rules>(*std::move(file), anonymous, options_.remembered) : nullptr;
  const MutexLock lock(mutex_);
  asks_ = made != nullptr;
  rules_ = std::move(made);
}

std::shared_ptr<ClientAuth::Rules> ClientAuth::rules() const {
  const MutexLock lock(mutex_);
  return rules_;
}

bool ClientAuth::Rules::knows(const Digest& key) {
  const MutexLock lock(mutex);
  return known.find(key) != nullptr;
}

void ClientAuth::Rules::remember(const Digest& key) {
  const MutexLock lock(mutex);
  known.put(key, true);
}

// A crowd that comes with one password is one check.
bool ClientAuth::verify(Rules& rules, const Digest& key, const BasicCredentials& credentials) {
  if (rules.knows(key)) return true;
  if (!rules.file.verify(credentials.user, credentials.password)) return false;
  rules.remember(key);
  return true;
}

Task<ClientAuth::Verdict> ClientAuth::check(std::optional<std::string> authorization) {
  const auto rules = this->rules();
  if (!rules) co_return Verdict::allowed;
  if (!authorization) co_return rules->anonymous ? Verdict::allowed : Verdict::missing;
  const auto key = Digest::of(secret_ + *authorization);
  if (rules->knows(key)) co_return Verdict::allowed;
  const auto credentials = parse_basic(*authorization);
  if (!credentials) co_return rules->anonymous ? Verdict::allowed : Verdict::wrong;  // for somebody else perhaps
  if (waiting_.fetch_add(1) >= options_.waiting) {
    --waiting_;
    co_return Verdict::busy;
  }
  const auto passed = co_await passwords_.run(
      [&rules, &key, &credentials]() -> Result<bool> { return verify(*rules, key, *credentials); });
  --waiting_;
  if (!passed) co_return Verdict::busy;
  co_return *passed ? Verdict::allowed : Verdict::wrong;
}

}  // namespace paddock
