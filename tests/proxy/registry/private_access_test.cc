// A registry that gives one repository to a client's credentials alone.
#include "proxy/registry/private_access.h"

#include <catch2/catch.hpp>

#include "proxy/ingress/registry_login.h"
#include "proxy/upstream/private_key.h"
#include "tests/proxy/registry/registry_fixture.h"

namespace paddock::test {
namespace {

constexpr auto right = "Basic Y2k6c2VjcmV0";  // ci:secret
constexpr auto wrong = "Basic Y2k6Z3Vlc3M=";  // ci:guess

const Error refused{ErrorCode::unauthorized, Blame::upstream, "the upstream answered 401"};

struct PrivateFixture : RegistryFixture {
  PrivateFixture() {
    upstream->fail_calls("", refused, 0);  // to the cache itself
    theirs->add_blob(repo, layer);
    theirs->add_blob(repo, config);
    theirs->add_manifest(repo, manifest, image_type, "2.6");
    nobody->fail_calls("", refused, 0);
    auto entry = UpstreamSet::Entry{upstream, {}};
    entry.for_client =
        std::make_shared<const UpstreamSet::Entry::ForClient>([this](const BasicCredentials& credentials) {
          ++made;
          return credentials.password == "secret" ? theirs : nobody;
        });
    upstreams.replace(std::make_shared<const UpstreamSet>(
        UpstreamSet{UpstreamSelector({{"up.example", {"**"}, true}, {"docker.io", {"**"}, false}}),
                    {{"up.example", entry}, {"docker.io", entry}},
                    "up.example",
                    false,
                    {}}));
  }

  Received ask(const std::string& target, const char* authorization = nullptr, bool connected = true) {
    Headers headers{{"Host", "up.example"}};
    if (authorization != nullptr) headers.add("Authorization", authorization);
    auto request = make_request("GET", target, std::move(headers));
    if (connected) request.connect_host = "up.example";
    return start(exchange_with(client_handler, std::move(request))).get();
  }
  Task<Received> exchange_with(RegistryHandler& which, Request request) {
    auto response = co_await which.handle(request);
    Received received{response.status, response.headers, {}, 0, {}};
    if (auto* text = std::get_if<std::string>(&response.body)) received.body = *text;
    if (auto* text = std::get_if<std::shared_ptr<const std::string>>(&response.body)) received.body = **text;
    if (auto* stream = std::get_if<BodyStream>(&response.body)) co_await drain(*stream, received);
    co_return received;
  }

  std::shared_ptr<FakeUpstream> theirs = std::make_shared<FakeUpstream>("up.example");
  std::shared_ptr<FakeUpstream> nobody = std::make_shared<FakeUpstream>("up.example");
  int made = 0;
  RegistryLogin login{clock};
  PrivateAccess access{clock};
  RegistryHandler client_handler{{.pool = pool,
                                  .catalog = catalog,
                                  .blobs = blobs,
                                  .fills = fills,
                                  .uncached = uncached,
                                  .manifests = manifests,
                                  .tags = tags,
                                  .upstreams = upstreams,
                                  .private_access = &access,
                                  .login = &login}};
};

TEST_CASE("a client's own credentials get it what the registry gives to them, and nobody else") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).body == f.manifest);
  CHECK(f.ask(f.blob_path(f.layer_digest), right).body == f.layer);
  // All of it is in the cache now.
  for (const auto& target : {f.manifest_path("2.6"), f.manifest_path(f.manifest_digest.to_string()),
                             f.blob_path(f.layer_digest), "/v2/" + repo + "/tags/list"}) {
    CAPTURE(target);
    const auto without = f.ask(target);
    CHECK(without.status == 401);
    CHECK(without.header("WWW-Authenticate").starts_with("Bearer realm="));
    CHECK(f.ask(target, wrong).status == 403);
    CHECK(f.ask(target, right, false).status == 403);  // by another way in they are nobody's credentials
    CHECK(f.ask(target, right).status == 200);
  }
}

TEST_CASE("a second client with credentials of its own has the blobs from the cache") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.ask(f.blob_path(f.layer_digest), right).status == 200);
  const auto before = f.theirs->count("get_blob");
  CHECK(f.ask(f.blob_path(f.layer_digest), "Basic b3BzOnNlY3JldA==").body == f.layer);  // ops:secret
  CHECK(f.theirs->count("get_blob") == before);
}

TEST_CASE("the registry is asked again after a minute, and its no counts") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  const auto asked = f.theirs->count("head_manifest");
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.theirs->count("head_manifest") == asked);
  f.clock.advance(std::chrono::seconds(61));
  f.theirs->fail_calls("", refused, 0);
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 403);
  CHECK(f.ask(f.blob_path(f.layer_digest), right).status == 403);
}

TEST_CASE("a wrong password is asked about once in a while, not for every layer") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), wrong).status == 403);
  const auto asked = f.nobody->count();
  CHECK(f.ask(f.manifest_path("2.6"), wrong).status == 403);
  CHECK(f.ask(f.blob_path(f.layer_digest), wrong).status == 403);
  CHECK(f.nobody->count() == asked);
  f.clock.advance(std::chrono::seconds(16));
  CHECK(f.ask(f.manifest_path("2.6"), wrong).status == 403);
  CHECK(f.nobody->count() > asked);
}

TEST_CASE("credentials are forgotten") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  f.clock.advance(std::chrono::minutes(9));
  f.access.forget_idle();
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.made == 1);
  f.clock.advance(std::chrono::minutes(1));
  f.access.forget_idle();
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.made == 2);
}

TEST_CASE("credentials for one registry are not sent to another") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6") + "?ns=docker.io", right).status == 421);
  CHECK(f.made == 0);
}

TEST_CASE("a registry that hides what is private is asked for it once credentials are there") {
  PrivateFixture f;
  f.upstream->clear_failures();
  f.upstream->fail_calls("", {ErrorCode::not_found, Blame::upstream, "manifest unknown"}, 0);
  CHECK(f.ask(f.manifest_path("2.6")).status == 401);
  CHECK(f.ask(f.manifest_path("2.6"), "Bearer anonymous").status == 404);
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
}

TEST_CASE("while the registry is away nobody can be asked, and nothing private is served") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  f.clock.advance(std::chrono::seconds(61));
  const Error away{ErrorCode::unavailable, Blame::upstream, "connection refused"};
  f.theirs->clear_failures();
  f.theirs->fail_calls("", away, 0);
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 502);
}

TEST_CASE("what is public is one thing in the cache, with credentials or without") {
  PrivateFixture f;
  f.upstream->clear_failures();
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.ask(f.manifest_path("2.6")).status == 200);
  CHECK(f.ask(f.blob_path(f.layer_digest), wrong).status == 200);
  CHECK(f.theirs->count() == 0);
  CHECK(f.made == 0);
}

TEST_CASE("a private repository is in no list that anybody sees") {
  PrivateFixture f;
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.ask("/v2/_catalog").json()["repositories"].empty());
  const auto keys = f.catalog.repositories(std::nullopt, 10).value();
  REQUIRE(keys.size() == 1);
  CHECK(is_private(keys[0].repository));
}

TEST_CASE("credentials are made into one upstream, however often they come") {
  PrivateFixture f;
  for (int i = 0; i < 5; ++i) CHECK(f.ask(f.manifest_path("2.6"), right).status == 200);
  CHECK(f.made == 1);
}

TEST_CASE("without an upstream to ask, credentials open nothing") {
  PrivateFixture f;
  auto entry = UpstreamSet::Entry{f.upstream, {}};
  f.upstreams.replace(std::make_shared<const UpstreamSet>(
      UpstreamSet{UpstreamSelector({{"up.example", {"**"}, true}}), {{"up.example", entry}}, "up.example", true, {}}));
  CHECK(f.ask(f.manifest_path("2.6"), right).status == 502);
}

}  // namespace
}  // namespace paddock::test
