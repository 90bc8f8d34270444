#include "proxy/upstream/redirect.h"

#include "proxy/oci/printable.h"
#include "proxy/upstream/host_class.h"

namespace paddock {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<RedirectStep> decide_redirect(const Url& endpoint, const RedirectStep& from,
                                     std::optional<std::string_view> location, const RedirectPolicy& policy) {
  if (from.hops >= policy.max_hops) {
    return fail(ErrorCode::protocol, Blame::upstream, "more than " + std::to_string(policy.max_hops) + " redirects");
  }
  if (!location || location->empty())
    return fail(ErrorCode::protocol, Blame::upstream, "a redirect without a Location");
  auto url = from.url.resolve(*location);
  if (!url) return fail(ErrorCode::protocol, Blame::upstream, "a redirect to nowhere: " + url.error().context);
  url->user.clear();
  url->password.clear();

  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::denied, Blame::upstream, "a redirect to " + quote(url->origin()) + ", " + std::string(why));
  };
  const bool own_host = url->host == endpoint.host;
  const bool allowed = host_in(policy.allow, url->host);
  if (policy.only_allowed && !allowed && !own_host) return refuse("which the configuration does not allow");
  if (!url->tls && endpoint.tls && !allowed) return refuse("from https to http");
  const bool from_public = !is_private_host(endpoint.host) && !own_host && !allowed;
  if (from_public && is_private_host(url->host)) return refuse("a private address, from a public upstream");
  const bool authorized = from.authorized && url->same_origin(from.url);
  return RedirectStep{*std::move(url), authorized, from_public, from.hops + 1};
}

}  // namespace paddock
