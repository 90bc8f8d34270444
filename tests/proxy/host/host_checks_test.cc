#include "proxy/host/host_checks.h"

#include <catch2/catch.hpp>

#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
const CacheAddress cache{.host = "cache.lan", .authority = "cache.lan:5000", .tls = true};

std::string text(const Finding& finding) { return test::text_of({finding}); }

std::unexpected<Error> refused() { return fail(ErrorCode::unavailable, Blame::upstream, "connection refused"); }

TEST_CASE("the data folder needs room beside what stays free") {
  CHECK_THAT(text(data_room_finding("var", Room{100 * gib, 50 * gib}, 5 * gib)),
             StartsWith("ok disk: 50.0 GiB of 100.0 GiB free for the data folder var"));
  CHECK_THAT(text(data_room_finding("var", Room{100 * gib, 10 * gib}, 5 * gib)), StartsWith("warning disk: "));
  CHECK_THAT(text(data_room_finding("var", Room{100 * gib, 5 * gib}, 5 * gib)),
             StartsWith("wrong disk: ") && Contains("storage.min_free"));
  CHECK_THAT(text(data_room_finding("var", Room{100 * gib, 0}, 5 * gib)), StartsWith("wrong disk: "));
  CHECK_THAT(text(data_room_finding("/none", fail(ErrorCode::io, Blame::us, "Permission denied"), 0)),
             StartsWith("wrong disk: the data folder /none: Permission denied"));
}

TEST_CASE("an engine needs room to unpack") {
  CHECK_THAT(text(engine_room_finding("/var/lib/docker", {100 * gib, 30 * gib})), StartsWith("ok disk: "));
  CHECK_THAT(text(engine_room_finding("/var/lib/docker", {100 * gib, 29 * gib})),
             StartsWith("warning disk: 29.0 GiB of 100.0 GiB free in /var/lib/docker") && Contains("prune"));
}

TEST_CASE("dates of HTTP are read to the second") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") ==
        std::chrono::system_clock::time_point(std::chrono::seconds(784111777)));
  CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"));
  for (const auto* date :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:61:37 GMT",
        "Sun, 06 Nov 19x4 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT"}) {
    INFO(date);
    CHECK_FALSE(parse_http_date(date));
  }
}

TEST_CASE("a clock that is off is found") {
  const auto at = [](std::int64_t offset) {
    return text(clock_finding("Sun, 06 Nov 1994 08:49:37 GMT", "docker.io",
                              std::chrono::system_clock::time_point(std::chrono::seconds(784111777 + offset))));
  };
  CHECK_THAT(at(0), StartsWith("ok clock: "));
  CHECK_THAT(at(-30), StartsWith("ok clock: "));
  CHECK_THAT(at(31), StartsWith("warning clock: this machine's is 31 s ahead of that of docker.io"));
  CHECK_THAT(at(-300), StartsWith("warning clock: this machine's is 300 s behind that of docker.io"));
  CHECK_THAT(at(-301), StartsWith("wrong clock: ") && Contains("timedatectl"));
  CHECK_THAT(text(clock_finding("now", "docker.io", {})), StartsWith("warning clock: docker.io does not say"));
}

TEST_CASE("an endpoint answers, refuses, or cannot be reached, and what to do is said") {
  EndpointTrial trial{.endpoint = "https://registry.baidubce.com", .status = 200};
  const auto found = [&](bool credentials = false) { return text(endpoint_finding("baidu", trial, credentials)); };
  CHECK(found() == "ok upstream: baidu at https://registry.baidubce.com answers\n");
  trial.proxy = "http://proxy.lan:3128";
  CHECK_THAT(found(), Contains("answers through the proxy http://proxy.lan:3128"));
  trial.status = 401;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("username and password_file"));
  trial.wants = EndpointTrial::Wants::password;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("wants a user and password"));
  CHECK_THAT(found(true), StartsWith("ok upstream: ") && Contains("for which there are credentials"));
  trial.wants = EndpointTrial::Wants::token;
  CHECK_THAT(found(), StartsWith("ok upstream: ") && Contains("wants a token; none are configured"));
  trial.auth_error = Error{ErrorCode::unauthorized, Blame::upstream, "https://x answers 401"};
  CHECK_THAT(found(true), StartsWith("wrong upstream: ") && Contains("refuses the credentials: https://x answers 401"));
  trial.auth_error = Error{ErrorCode::unavailable, Blame::upstream, "https://x: connection refused"};
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("gives no token: https://x: connection refused"));
  trial.status = 403;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("refuses this machine"));
  trial.status = 404;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("answers 404") && Contains("without a path"));
  trial.status = 407;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("HTTPS_PROXY=http://USER:PASSWORD"));
  trial.status = 429;
  CHECK_THAT(found(), StartsWith("warning upstream: ") && Contains("too often"));
  trial.status = 503;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("in trouble itself") && !Contains("no registry"));
  trial.status = refused();
  trial.untrusted = true;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("upstreams[].ca_file"));
  trial.untrusted = false;
  CHECK_THAT(found(), StartsWith("wrong upstream: ") && Contains("connection refused: look at the proxy"));
  trial.proxy.clear();
  CHECK_THAT(found(), Contains("HTTPS_PROXY") && Contains("offline: true"));
  trial.name_error = "Name or service not known";
  CHECK_THAT(found(), Contains("cannot be resolved (Name or service not known)") && Contains("/etc/resolv.conf"));
}

TEST_CASE("the cache answers, or not") {
  CHECK(text(cache_finding(cache, 200, true)) == "ok cache: answers at https://cache.lan:5000\n");
  CHECK_THAT(text(cache_finding(cache, 401, true)), StartsWith("ok cache: ") && Contains("a name and a password"));
  CHECK_THAT(text(cache_finding(cache, 503, true)), StartsWith("wrong cache: ") && Contains("until it is ready"));
  CHECK_THAT(text(cache_finding(cache, 500, true)), StartsWith("wrong cache: ") && Contains("look at its log"));
  for (const int status : {200, 401, 404}) {
    INFO(status);
    CHECK_THAT(text(cache_finding(cache, status, false)),
               StartsWith("wrong cache: ") && Contains("is not paddock") && Contains("--cache URL"));
  }
  CHECK_THAT(text(cache_finding(cache, refused(), false)), Contains("paddock serve") && Contains("connection refused"));
}

TEST_CASE("somebody here trusts the cache's certificate, or nobody does") {
  CHECK_THAT(text(trust_finding(cache, {})), StartsWith("ok certificate: this system trusts"));
  CertificateTrust trust{.system = refused(), .docker = Result<void>{}};
  CHECK_THAT(text(trust_finding(cache, trust)), StartsWith("ok certificate: dockerd trusts"));
  trust.docker.reset();
  CHECK_THAT(text(trust_finding(cache, trust)),
             StartsWith("wrong certificate: ") && Contains("update-ca-certificates") && !Contains("certs.d"));
  trust.docker_installed = true;
  CHECK_THAT(text(trust_finding(cache, trust)), Contains("/etc/docker/certs.d/cache.lan:5000/ca.crt"));
  trust.docker = Result<void>(refused());
  CHECK_THAT(text(trust_finding(cache, trust)), StartsWith("wrong certificate: "));
  trust.docker = fail(ErrorCode::unavailable, Blame::upstream, "its certificate is not trusted: hostname mismatch");
  CHECK_THAT(text(trust_finding(cache, trust)), Contains("make one for cache.lan") && !Contains("CA's"));
  trust.docker =
      fail(ErrorCode::unavailable, Blame::upstream, "its certificate is not trusted: certificate has expired");
  CHECK_THAT(text(trust_finding(cache, trust)), Contains("make a new one") && !Contains("CA's"));
}

}  // namespace
}  // namespace paddock
