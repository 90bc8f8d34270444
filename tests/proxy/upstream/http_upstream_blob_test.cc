#include <catch2/catch.hpp>

#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

struct Fixture : UpstreamFixture {
  std::string content = sample(300'000);
  Digest digest = registry.add_blob(repository, content);

  Result<BlobTransfer> open(std::uint64_t offset = 0, std::optional<std::uint64_t> length = {}) {
    return run(up().get_blob(repository, digest, offset, length));
  }
  Result<BlobInfo> info() { return run(up().head_blob(repository, digest)); }
  SeenRequest last() { return registry.requests().back(); }
};

TEST_CASE_METHOD(Fixture, "a blob comes whole, without a Range") {
  const auto got = blob(digest);
  REQUIRE(got);
  CHECK_FALSE(got->error);
  CHECK(got->bytes == content);
  CHECK(last().header("Range").empty());
  CHECK(last().header("Accept-Encoding") == "identity");
  const auto transfer = open();
  CHECK(transfer->offset == 0);
  CHECK(transfer->size == content.size());
  CHECK(transfer->source == registry.host());
}

TEST_CASE_METHOD(Fixture, "a blob comes from an offset on, and in pieces") {
  const auto rest = blob(digest, 100'000);
  REQUIRE(rest);
  CHECK(rest->bytes == content.substr(100'000));
  CHECK(last().header("Range") == "bytes=100000-");

  const auto piece = blob(digest, 5, 10);
  REQUIRE(piece);
  CHECK(piece->bytes == content.substr(5, 10));
  CHECK(last().header("Range") == "bytes=5-14");

  const auto start = blob(digest, 0, 1);
  REQUIRE(start);
  CHECK(start->bytes == content.substr(0, 1));
  CHECK(last().header("Range") == "bytes=0-0");

  const auto transfer = open(7);
  CHECK(transfer->offset == 7);
  CHECK(transfer->size == content.size());
}

TEST_CASE_METHOD(Fixture, "a transfer comes with the upstream's bandwidth, and in portions that fit it") {
  auto with = options();
  with.bandwidth = std::make_shared<TokenBucket>(500'000);
  use(with);
  auto transfer = open();
  REQUIRE(transfer);
  CHECK(transfer->bandwidth == with.bandwidth);
  std::string bytes(content.size(), '\0');
  std::size_t there = 0;
  while (there < bytes.size()) {
    const auto got = run(transfer->read(std::as_writable_bytes(std::span(bytes).subspan(there))));
    REQUIRE(got);
    REQUIRE(*got > 0);
    REQUIRE(*got <= 10'000);
    there += *got;
  }
  CHECK(bytes == content);
}

TEST_CASE_METHOD(Fixture, "an upstream that ignores the range starts at zero, and says so") {
  registry.script("/blobs/", {.ignore_range = true}, 0);
  const auto transfer = open(100'000, 5);
  REQUIRE(transfer);
  CHECK(transfer->offset == 0);
  CHECK(transfer->size == content.size());
  CHECK(blob(digest, 100'000)->bytes == content);
}

TEST_CASE_METHOD(Fixture, "a 206 for other bytes than asked for is a protocol error") {
  for (const std::string range :
       {"bytes 0-299899/300000", "bytes 99-299999/300000", "bytes 101-299999/300000", "bytes 100-99/300000",
        "bytes 100-299999/1000", "items 100-299999/300000", "bytes 100-299998/300000", "nonsense", ""}) {
    CAPTURE(range);
    registry.script("/blobs/", {.headers = {{"Content-Range", range}}});
    CHECK(code_of(open(100)) == ErrorCode::protocol);
  }
  registry.script("/blobs/", {.omit = {"Content-Range"}});
  CHECK(code_of(open(100)) == ErrorCode::protocol);
  registry.script("/blobs/", {.headers = {{"Content-Range", "bytes 100-299999/*"}}});
  const auto open_ended = open(100);
  REQUIRE(open_ended);
  CHECK_FALSE(open_ended->size);
}

TEST_CASE_METHOD(Fixture, "statuses that make no sense for a blob are protocol errors") {
  registry.script("/blobs/", {.status = 206});
  CHECK(code_of(open()) == ErrorCode::protocol);
  registry.script("/blobs/", {.status = 204});
  CHECK(code_of(open()) == ErrorCode::protocol);
  CHECK(code_of(open(content.size())) == ErrorCode::protocol);  // 416
  registry.script("/blobs/", {.headers = {{"Content-Encoding", "zstd"}}});
  CHECK(code_of(open()) == ErrorCode::protocol);
}

TEST_CASE_METHOD(Fixture, "a range of an empty blob falls back to the whole of it") {
  const auto empty = registry.add_blob(repository, "");
  const auto got = blob(empty, 0, 10);  // 416
  REQUIRE(got);
  CHECK_FALSE(got->error);
  CHECK(got->bytes.empty());
  registry.script("/blobs/", {.status = 400});
  CHECK(blob(empty, 0, 10)->bytes.empty());
  CHECK(code_of(run(up().get_blob(repository, digest, 5, 0))) == ErrorCode::invalid_argument);
  CHECK(code_of(run(up().get_blob(repository, digest, UINT64_MAX, 2))) == ErrorCode::invalid_argument);
}

TEST_CASE_METHOD(Fixture, "a transfer without a length is read to its end") {
  registry.script("/blobs/", {.chunked = true}, 0);
  CHECK_FALSE(open()->size);
  const auto got = blob(digest);
  REQUIRE(got);
  CHECK_FALSE(got->error);
  CHECK(got->bytes == content);
}

TEST_CASE_METHOD(Fixture, "a transfer that breaks off fails, and never looks complete") {
  const Behaviour broken[] = {
      {.close_at = 1000}, {.reset_at = 1000}, {.announce = 400'000}, {.chunked = true, .close_at = 1000}};
  for (const auto& behaviour : broken) {
    registry.script("/blobs/", behaviour);
    const auto got = blob(digest);
    REQUIRE(got);
    REQUIRE(got->error);
    CHECK(got->error->blame == Blame::upstream);
    CHECK((got->error->code == ErrorCode::unavailable || got->error->code == ErrorCode::protocol));
    CHECK(got->bytes == content.substr(0, got->bytes.size()));
  }
}

TEST_CASE_METHOD(Fixture, "bytes beyond the announced length are not given out") {
  registry.script("/blobs/", {.announce = 1000});
  const auto got = blob(digest);
  REQUIRE(got);
  CHECK(got->bytes == content.substr(0, 1000));
  CHECK(blob(digest)->bytes == content);  // on a connection that is not out of step
}

TEST_CASE_METHOD(Fixture, "a stalled transfer times out") {
  auto hasty = options();
  hasty.deadlines.stall = std::chrono::seconds(1);
  use(hasty);
  registry.script("/blobs/", {.stall_at = 1000});
  const auto got = blob(digest);
  REQUIRE(got);
  REQUIRE(got->error);
  CHECK(got->error->code == ErrorCode::timeout);
  CHECK(got->bytes == content.substr(0, 1000));
}

TEST_CASE_METHOD(Fixture, "destroying a transfer closes it") {
  const std::string large = sample(20'000'000);
  const auto big = registry.add_blob(repository, large);
  registry.script("/blobs/", {.stall_at = 10});
  {
    auto transfer = run(up().get_blob(repository, big, 0, {}));
    REQUIRE(transfer);
    REQUIRE(registry.wait_for_stalled());
  }
  registry.release();
  REQUIRE(manifest("x").error().code == ErrorCode::not_found);
  CHECK(registry.body_bytes("/blobs/") < large.size());
}

TEST_CASE_METHOD(Fixture, "a blob is known by HEAD") {
  CHECK(info()->size == content.size());
  CHECK(registry.count("GET ") == 0);
  CHECK(code_of(run(up().head_blob(repository, Digest::of("absent")))) == ErrorCode::not_found);
  registry.script("HEAD ", {.status = 404});
  CHECK(code_of(info()) == ErrorCode::not_found);
  CHECK(registry.count("GET ") == 0);
}

TEST_CASE_METHOD(Fixture, "where HEAD is not supported one byte is asked for") {
  const Behaviour poor[] = {{.status = 405}, {.status = 403}, {.status = 400}, {.omit = {"Content-Length"}}};
  for (const auto& behaviour : poor) {
    registry.script("HEAD ", behaviour);
    CHECK(info()->size == content.size());
    CHECK(last().line() == "GET /v2/paddlepaddle/paddle/blobs/" + digest.to_string());
    CHECK(last().header("Range") == "bytes=0-0");
  }
  CHECK(registry.body_bytes("GET ") == 4);
}

TEST_CASE_METHOD(Fixture, "the size is found even where Range is ignored or refused") {
  registry.script("HEAD ", {.status = 405}, 0);
  registry.script("GET ", {.ignore_range = true});
  CHECK(info()->size == content.size());
  registry.script("GET ", {.status = 416});
  CHECK(info()->size == content.size());
  registry.script("GET ", {.headers = {{"Content-Range", "bytes 0-0/*"}}});
  CHECK(code_of(info()) == ErrorCode::protocol);
  registry.script("GET ", {.status = 403});
  CHECK(code_of(info()) == ErrorCode::denied);
  const auto empty = registry.add_blob(repository, "");
  CHECK(run(up().head_blob(repository, empty))->size == 0);
}

TEST_CASE_METHOD(Fixture, "an empty answer is not believed of a blob that is not empty") {
  registry.script("/blobs/", {.status = 200}, 0);
  CHECK(code_of(info()) == ErrorCode::protocol);
  CHECK(code_of(open()) == ErrorCode::protocol);
  CHECK(code_of(open(0, 10)) == ErrorCode::protocol);
  registry.script("HEAD ", {.status = 405}, 0);
  CHECK(code_of(info()) == ErrorCode::protocol);
  registry.clear_script();
  CHECK(blob(digest)->bytes == content);
}

TEST_CASE_METHOD(Fixture, "another endpoint is asked for a blob that the first says is empty") {
  ScriptedRegistry honest;
  honest.add_blob(repository, content);
  use(options({registry.url(), honest.url()}));
  registry.script("/blobs/", {.status = 200}, 0);
  CHECK(info()->size == content.size());
  CHECK(blob(digest)->bytes == content);
}

TEST_CASE_METHOD(Fixture, "the bytes of a blob are told to who watches") {
  REQUIRE(blob(digest));
  const MutexLock lock(mutex);
  CHECK(observed_bytes[registry.host()] == content.size());
}

}  // namespace
}  // namespace paddock::test
