#include "proxy/upstream/realm_trust.h"

#include <algorithm>

#include "proxy/oci/printable.h"
#include "proxy/upstream/host_class.h"

namespace paddock {

RealmDecision decide_realm(const Url& endpoint, const Url& realm, const std::vector<std::string>& trusted,
                           bool have_credentials) {
  using Kind = RealmDecision::Kind;
  const bool own_host = realm.host == endpoint.host;
  if (!realm.tls && endpoint.tls) {
    return {Kind::refused, false, "the token realm " + quote(realm.origin()) + " is not https"};
  }
  // A wildcard would trust strangers: only whole names count here.
  const bool listed = std::ranges::any_of(trusted, [&](const std::string& rule) {
    return !rule.contains('*') && !rule.starts_with('.') && host_in({rule}, realm.host);
  });
  const bool internal = is_private_host(realm.host);
  const bool from_public = !is_private_host(endpoint.host) && !own_host && !listed;
  if (from_public && internal) {
    return {Kind::refused, true, "the token realm " + quote(realm.origin()) + " is a private address"};
  }
  const bool safe = own_host || (listed && realm.tls);
  if (safe && have_credentials) return {Kind::with_credentials, from_public, {}};
  std::string reason;
  if (have_credentials) reason = "the token realm " + quote(realm.origin()) + " is not one of the trusted realms";
  return {Kind::anonymous, from_public, std::move(reason)};
}

}  // namespace paddock
