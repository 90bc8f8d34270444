// May a token be asked for at the place that a registry names, and may our credentials go there?
//
// A registry's 401 names any URL it likes; believing it would hand the user's password to whoever controls (or
// intercepts) one answer. Credentials go to the endpoint's own host and to hosts that the configuration trusts, and
// elsewhere nothing or an anonymous request does. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "proxy/net/url.h"

namespace paddock {

struct RealmDecision {
  enum class Kind : std::uint8_t { with_credentials, anonymous, refused };
  Kind kind = Kind::refused;
  bool public_addresses_only = false;  // for the token request
  std::string reason;                  // why refused, or why without the credentials that there are
};

// `trusted` are exact host names, for https realms.
RealmDecision decide_realm(const Url& endpoint, const Url& realm, const std::vector<std::string>& trusted,
                           bool have_credentials);

}  // namespace paddock
