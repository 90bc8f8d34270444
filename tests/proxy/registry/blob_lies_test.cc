// What clients see of a blob when the upstream lies about its size.
#include <catch2/catch.hpp>

#include "tests/proxy/registry/registry_fixture.h"

using namespace paddock;
using namespace paddock::test;

namespace {

const std::vector<Headers> ranges{
    {}, {{"Range", "bytes=0-0"}}, {{"Range", "bytes=-1"}}, {{"Range", "bytes=500-"}}, {{"Range", "bytes=500000-"}}};

struct Fixture : RegistryFixture {
  Fixture() { REQUIRE(get(manifest_path("2.6")).status == 200); }
  ~Fixture() { shut_down(); }

  void check_refused(const Received& received) {
    CHECK(received.status == 502);
    CHECK(received.json().contains("errors"));
    CHECK(received.headers.get("ETag") == std::nullopt);
  }
  void wait_for_fills() {
    while (!fills.fills().empty()) std::this_thread::yield();
  }
  // Answered by what the upstream has announced alone: its first byte comes, or fails to come, after the answer.
  Received get_before_bytes(const Headers& headers) {
    upstream->hold_blobs_at(0);
    auto received = get(blob_path(layer_digest), headers);
    upstream->release();
    wait_for_fills();
    return received;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty answer is nobody's blob, of whatever range") {
  upstream->add_blob_as(repo, layer_digest, "");
  for (const bool sized : {true, false}) {
    CAPTURE(sized);
    upstream->hide_sizes(!sized);
    for (const auto& headers : ranges) {
      check_refused(get_before_bytes(headers));
    }
  }
  CHECK_FALSE(blobs.open(layer_digest));
}

TEST_CASE_METHOD(Fixture, "an empty answer whose size nobody says is not served before its digest is known") {
  upstream->add_blob_as(repo, layer_digest, "");
  upstream->hide_sizes(true);
  upstream->fail_calls("head_blob", Error{ErrorCode::protocol, Blame::upstream, "no size"}, 0);
  check_refused(get(blob_path(layer_digest)));
}

TEST_CASE_METHOD(Fixture, "an empty answer does not pass through a full disk") {
  space.set_limits(100'000, 0);
  SECTION("as HEAD says too") { upstream->add_blob_as(repo, layer_digest, ""); }
  SECTION("though HEAD says otherwise") {
    upstream->add_blob_as(repo, layer_digest, "");
    upstream->announce_size(layer.size());
  }
  for (const auto& headers : ranges) {
    check_refused(get(blob_path(layer_digest), headers));
    wait_for_fills();
  }
}

TEST_CASE_METHOD(Fixture, "HEAD of a blob that is not empty never says so") {
  upstream->announce_size(0);
  CHECK(head(blob_path(layer_digest)).status == 502);
  upstream->announce_size(std::nullopt);
  CHECK(head(blob_path(layer_digest)).length == layer.size());
}

TEST_CASE_METHOD(Fixture, "a range beyond the end is not refused on the word of an upstream that turns out to lie") {
  upstream->add_blob_as(repo, layer_digest, layer.substr(0, 100'000));
  for (const auto& head_says : {std::optional<std::uint64_t>(layer.size()), std::optional<std::uint64_t>()}) {
    upstream->announce_size(head_says);
    upstream->hold_blobs_at(0);
    auto client = start(exchange(make_request("GET", blob_path(layer_digest), {{"Range", "bytes=150000-"}})));
    REQUIRE(upstream->wait_for_held());
    while (fills.fills().front().state != "streaming") std::this_thread::yield();
    upstream->release();
    check_refused(client.get());
    wait_for_fills();
    clock.advance(std::chrono::minutes(2));  // the lie is not held against it any more
  }
}

TEST_CASE_METHOD(Fixture, "a range beyond the end is refused once the digest vouches for the size") {
  const auto received = get(blob_path(layer_digest), {{"Range", "bytes=200000-"}});
  CHECK(received.status == 416);
  CHECK(received.header("Content-Range") == "bytes */200000");
}

TEST_CASE_METHOD(Fixture, "while the size is not sure a client with a range beyond it is told to come back") {
  upstream->hold_blobs_at(100'000);
  auto filling = start(exchange(make_request("GET", blob_path(layer_digest), {})));
  REQUIRE(upstream->wait_for_held());
  RegistryHandler impatient{
      {pool, catalog, blobs, fills, uncached, manifests, tags, upstreams, std::chrono::milliseconds(0)}};
  const auto request = make_request("GET", blob_path(layer_digest), {{"Range", "bytes=200000-"}});
  const auto answer = start(impatient.handle(request)).get();
  CHECK(answer.status == 503);
  CHECK(answer.headers.get("Retry-After"));
  upstream->release();
  CHECK(filling.get().body == layer);
}

TEST_CASE_METHOD(Fixture, "what passes through has the size of its transfer, or else the one that HEAD says") {
  space.set_limits(100'000, 0);
  for (const std::uint64_t size : {layer.size() - 1, layer.size() + 1, std::size_t{1}}) {
    CAPTURE(size);
    upstream->announce_size(size);
    upstream->hide_sizes(false);
    CHECK(get(blob_path(layer_digest)).body == layer);
    upstream->hide_sizes(true);
    const auto received = get(blob_path(layer_digest));
    CHECK((received.aborted || received.status == 502));
    CHECK(received.body.size() < layer.size());
    wait_for_fills();
  }
}
