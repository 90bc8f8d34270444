// What clients see of a blob when the store, or a fill begun for somebody else, fails.
#include <catch2/catch.hpp>

#include "proxy/upstream/upstream_options.h"
#include "tests/proxy/registry/registry_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

const Error away{ErrorCode::unavailable, Blame::upstream, "away", true};

struct Fixture : RegistryFixture {
  ~Fixture() { shut_down(); }

  std::future<Received> ask(const std::string& target, Headers headers = {}) {
    return start(exchange(make_request("GET", target, std::move(headers))));
  }
  // A fill of the layer from another upstream, which waits there until hub->release().
  std::shared_ptr<Fill> hold_fill_of_another() {
    hub->add_blob("library/x", layer);
    hub->hold("get_blob");
    auto fill = fills.fetch({hub, "library/x", layer_digest});
    REQUIRE(hub->wait_for_held());
    return fill;
  }
  // A client that has joined that fill.
  std::future<Received> join(const std::shared_ptr<Fill>& fill) {
    const auto holders = fill.use_count();
    auto client = ask(blob_path(layer_digest));
    while (fill.use_count() == holders) std::this_thread::yield();
    return client;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a blob that the upstream vouches for is served though that cannot be written down") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  REQUIRE(get(blob_path(layer_digest)).body == layer);
  REQUIRE(fills.stop(30s));
  upstream->add_blob("a/b", layer);
  upstream->hold("head_blob a/b");
  auto client = ask("/v2/a/b/blobs/" + layer_digest.to_string());
  REQUIRE(upstream->wait_for_held());
  catalog.fail_with(Error{ErrorCode::io, Blame::us, "read-only"});
  upstream->release();
  const auto received = client.get();
  CHECK(received.status == 200);
  CHECK(received.body == layer);
}

TEST_CASE_METHOD(Fixture, "a catalog that cannot be read keeps nobody from what the upstream has") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  REQUIRE(get(blob_path(layer_digest)).body == layer);
  REQUIRE(fills.stop(30s));
  for (const auto code : {ErrorCode::io, ErrorCode::corrupt}) {
    CAPTURE(to_string(code));
    catalog.fail_with(Error{code, Blame::us, "bad block"});
    for (const auto& [path, body] : {std::pair(manifest_path("2.6"), manifest),
                                     {manifest_path(manifest_digest.to_string()), manifest},
                                     {blob_path(layer_digest), layer}}) {
      CAPTURE(path);
      const auto received = get(path);
      CHECK(received.status == 200);
      CHECK(received.body == body);
      CHECK(received.header("X-Paddock-Cache") == "bypass");
      CHECK(head(path).status == 200);
    }
    CHECK(get("/v2/a/b/blobs/" + layer_digest.to_string()).status == 404);  // nobody vouches for it there
    CHECK(get(manifest_path("none")).status == 404);
  }
  catalog.fail_with(std::nullopt);
  CHECK(get(blob_path(layer_digest)).header("X-Paddock-Cache") == "hit");
}

TEST_CASE_METHOD(Fixture, "with neither catalog nor upstream it is said to be the upstream that is away") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  catalog.fail_with(Error{ErrorCode::io, Blame::us, "bad block"});
  upstream->fail_calls("", away, 0);
  CHECK(get(manifest_path("2.6")).status == 502);
  CHECK(get(manifest_path(manifest_digest.to_string())).status == 502);
  CHECK(get(blob_path(layer_digest)).status == 502);
}

TEST_CASE_METHOD(Fixture, "whatever keeps the store from taking a blob, it passes through") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  for (const auto code : {ErrorCode::denied, ErrorCode::io, ErrorCode::no_space, ErrorCode::conflict}) {
    CAPTURE(to_string(code));
    fs.fail_all(FaultFileSystem::Op::create, code);
    const auto received = get(blob_path(layer_digest));
    CHECK(received.status == 200);
    CHECK(received.body == layer);
    CHECK(received.header("X-Paddock-Cache") == "bypass");
    fs.clear();
  }
  CHECK(get(blob_path(layer_digest)).header("X-Paddock-Cache") == "fill");
}

TEST_CASE_METHOD(
    Fixture, "readers of a fill that breaks on our disk go on from the upstream, and the next one's passes through") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  fs.fail_after_bytes(100'000, ErrorCode::io);
  const auto broken = get(blob_path(layer_digest));
  CHECK_FALSE(broken.aborted);
  CHECK(broken.body == layer);
  const auto again = get(blob_path(layer_digest));
  CHECK(again.status == 200);
  CHECK_FALSE(again.aborted);
  CHECK(again.body == layer);
  CHECK(again.header("X-Paddock-Cache") == "bypass");
}

TEST_CASE_METHOD(Fixture, "corrupt bytes that pass through are never received whole, of whatever range") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  std::string other = layer;
  other[199'995] ^= 1;
  upstream->add_blob_as(repo, layer_digest, other);
  space.set_limits(100'000, 0);
  for (const Headers& headers : {Headers{}, Headers{{"Range", "bytes=199000-"}}}) {
    const auto received = get(blob_path(layer_digest), headers);
    REQUIRE(received.aborted);
    CHECK(received.aborted->code == ErrorCode::digest_mismatch);
    CHECK(received.body.size() < layer.size());
    CHECK_FALSE(received.body.ends_with(other.substr(199'000)));
  }
}

TEST_CASE_METHOD(Fixture, "a client is not failed by the fill of another upstream that it joined") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  for (const auto code : {ErrorCode::unavailable, ErrorCode::denied, ErrorCode::digest_mismatch}) {
    CAPTURE(to_string(code));
    auto mine = join(hold_fill_of_another());
    hub->fail_calls("get_blob", Error{code, Blame::upstream, "no"});
    hub->release();
    const auto received = mine.get();
    CHECK(received.status == 200);
    CHECK(received.body == layer);
    while (!fills.fills().empty()) std::this_thread::yield();
    REQUIRE(blobs.erase(layer_digest));
  }
}

TEST_CASE_METHOD(Fixture, "after the fill of another upstream the client's own upstream has the last word") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  auto mine = join(hold_fill_of_another());
  hub->fail_calls("get_blob", Error{ErrorCode::denied, Blame::upstream, "no"});
  upstream->fail_calls("get_blob", away, 0);
  hub->release();
  CHECK(mine.get().status == 502);
  const auto asked = upstream->count("get_blob");  // by the joined fill, by one of its own, or both
  CHECK((asked == 1 || asked == 2));
}

TEST_CASE_METHOD(Fixture, "an index opens nothing: what it names is asked of the upstream") {
  // Somebody's private layer, cached.
  REQUIRE(get(manifest_path("2.6")).status == 200);
  REQUIRE(get(blob_path(layer_digest)).body == layer);
  const std::string index =
      nlohmann::json{
          {"schemaVersion", 2},
          {"mediaType", "application/vnd.oci.image.index.v1+json"},
          {"manifests", {{{"mediaType", image_type}, {"digest", layer_digest.to_string()}, {"size", layer.size()}}}}}
          .dump();
  upstream->add_manifest("a/b", index, "application/vnd.oci.image.index.v1+json", "sparse");
  REQUIRE(get("/v2/a/b/manifests/sparse").status == 200);
  const auto stolen = get("/v2/a/b/blobs/" + layer_digest.to_string());
  CHECK(stolen.status == 404);
  CHECK(stolen.body != layer);
}

TEST_CASE_METHOD(Fixture, "a transfer that is silent for longer than its upstream is given is aborted") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstreams.replace(std::make_shared<const UpstreamSet>(UpstreamSet{UpstreamSelector({{"up.example", {"**"}, true}}),
                                                                    {{"up.example", {upstream, {}, 0ms}}},
                                                                    "up.example",
                                                                    false,
                                                                    {}}));
  upstream->hold_blobs_at(100'000);
  const auto received = get(blob_path(layer_digest));
  REQUIRE(received.aborted);
  CHECK(received.aborted->code == ErrorCode::timeout);
  CHECK(received.body.size() <= 100'000);
  upstream->release();
}

TEST_CASE_METHOD(Fixture, "a blob without any size is awaited for a while, then the client is told to come back") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->hide_sizes(true);
  upstream->fail_calls("head_blob", Error{ErrorCode::protocol, Blame::upstream, "no size"}, 0);
  upstream->hold_blobs_at(100'000);
  auto patient = ask(blob_path(layer_digest));
  REQUIRE(upstream->wait_for_held());
  RegistryHandler impatient{{pool, catalog, blobs, fills, uncached, manifests, tags, upstreams, 0ms}};
  const auto request = make_request("GET", blob_path(layer_digest), {});
  const auto answer = start(impatient.handle(request)).get();
  CHECK(answer.status == 503);
  CHECK(answer.headers.get("Retry-After"));
  upstream->release();
  CHECK(patient.get().body == layer);
  CHECK(upstream->count("get_blob") == 1);
}

TEST_CASE_METHOD(Fixture, "the time limits of a fill are shorter than the 30 s after which clients give up") {
  const RegistryContext context{pool, catalog, blobs, fills, uncached, manifests, tags, upstreams};
  CHECK(context.first_byte < 28s);
  CHECK(UpstreamOptions{}.blob_budget < context.first_byte);  // so that it is the upstream's own reason
}

TEST_CASE_METHOD(Fixture, "a blob whose GET has no size is streamed by the size that HEAD gives") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->hide_sizes(true);
  const auto received = get(blob_path(layer_digest), {{"Range", "bytes=100-199"}});
  CHECK(received.status == 206);
  CHECK(received.body == layer.substr(100, 100));
}
