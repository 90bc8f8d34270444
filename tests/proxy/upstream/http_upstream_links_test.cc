// The pieces of a blob that the registry redirects to object storage.
#include <catch2/catch.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>

#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

constexpr std::uint64_t piece_size = 10'000;

struct Fixture : UpstreamFixture {
  std::string content = sample(50'000);
  Digest digest = registry.add_blob(repository, content);
  ScriptedRegistry storage;

  Fixture() {
    for (const auto* sign : {"1", "2"}) storage.add_object(link(sign), content);
    send_to(storage, "1");
  }

  [[nodiscard]] std::string link(const std::string& sign) const {
    return "/bucket/" + digest.hex() + "?sign=s3cret" + sign;
  }
  void send_to(const ScriptedRegistry& where, const std::string& sign) {
    registry.clear_script();
    registry.script("/blobs/", {.redirect = where.url() + link(sign)}, 0);
  }
  Result<ReadBlob> piece(std::uint64_t number) { return blob(digest, number * piece_size, piece_size); }
  bool right(std::uint64_t number) {
    const auto got = piece(number);
    return got && !got->error && got->bytes == content.substr(number * piece_size, piece_size);
  }
  [[nodiscard]] std::size_t asked() const { return registry.count("/blobs/"); }
};

TEST_CASE_METHOD(Fixture, "only the first piece of a blob costs a question to the registry") {
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(right(i));
  CHECK(asked() == 1);
  CHECK(storage.count() == 5);
  CHECK(storage.requests().back().target == link("1"));
  CHECK(storage.requests().back().header("Range") == "bytes=40000-49999");
  const auto transfer = run(up().get_blob(repository, digest, piece_size, piece_size));
  REQUIRE(transfer);
  CHECK(transfer->source == registry.host());
  CHECK(transfer->offset == piece_size);
  CHECK(transfer->size == content.size());
}

TEST_CASE_METHOD(Fixture, "a link that is no longer good leads to a fresh one, within the same question") {
  for (const int status : {401, 403, 404, 410, 416, 429, 500, 503, 204, 307}) {
    CAPTURE(status);
    storage.clear_script();
    send_to(storage, "1");
    use(options());
    REQUIRE(right(0));
    const auto before = asked();
    send_to(storage, "2");
    storage.script(link("1"), {.status = status, .body = "no", .headers = {{"Retry-After", "3600"}}}, 0);
    CHECK(right(1));
    CHECK(asked() == before + 1);
    CHECK(storage.requests().back().target == link("2"));
    CHECK(right(2));
    CHECK(asked() == before + 1);
  }
}

TEST_CASE_METHOD(Fixture,
                 "a link that is no longer good is not asked again where the registry sends the bytes itself") {
  REQUIRE(right(0));
  registry.clear_script();
  storage.script(link("1"), {.status = 403}, 0);
  CHECK(right(1));
  CHECK(right(2));
  CHECK(storage.count() == 2);
}

TEST_CASE_METHOD(Fixture, "pieces that find a link expired at the same time all come right") {
  REQUIRE(right(0));
  send_to(storage, "2");
  storage.script(link("1"), {.status = 403, .body = R"({"code":"AccessDenied"})"}, 0);
  std::vector<std::future<Result<ReadBlob>>> pieces;
  for (std::uint64_t i = 1; i < 5; ++i) {
    pieces.push_back(start(whole_blob(&up(), digest, i * piece_size, piece_size)));
  }
  std::string rest;
  for (auto& each : pieces) rest += each.get().value().bytes;
  CHECK(rest == content.substr(piece_size));
  CHECK(right(0));
  CHECK(asked() <= 5);
}

TEST_CASE_METHOD(Fixture, "storage that cannot be reached any more is replaced by another") {
  ScriptedRegistry other;
  other.add_object(link("2"), content);
  REQUIRE(right(0));
  storage.go_away();
  send_to(other, "2");
  CHECK(right(1));
  CHECK(other.count() == 1);
  CHECK(asked() == 2);
}

TEST_CASE_METHOD(Fixture, "storage that swallows requests leaves time to ask the registry") {
  auto hasty = options();
  hasty.blob_budget = std::chrono::seconds(6);
  use(hasty);
  REQUIRE(right(0));
  send_to(storage, "2");
  storage.script(link("1"), {.stall_before_header = true}, 0);
  CHECK(right(1));
  CHECK(asked() == 2);
}

TEST_CASE_METHOD(Fixture, "a transfer that breaks off is not taken up at the same link") {
  REQUIRE(right(0));
  send_to(storage, "2");
  storage.script(link("1"), {.close_at = 100});
  const auto broken = piece(1);
  REQUIRE(broken);
  CHECK(broken->error);
  CHECK(right(1));
  CHECK(storage.requests().back().target == link("2"));
}

TEST_CASE_METHOD(Fixture, "storage that answers with another range than asked for is not asked so again") {
  REQUIRE(right(0));
  send_to(storage, "2");
  storage.script(link("1"), {.headers = {{"Content-Range", "bytes 0-9999/50000"}}});
  CHECK(code_of(piece(1)) == ErrorCode::protocol);
  CHECK(right(1));
  CHECK(storage.requests().back().target == link("2"));
}

TEST_CASE_METHOD(Fixture, "after wrong bytes the registry is asked where to go") {
  REQUIRE(right(0));
  up().distrust("another.example", Doubt::certain);
  REQUIRE(right(1));
  CHECK(asked() == 1);
  up().distrust(registry.host(), Doubt::certain);
  REQUIRE(right(2));
  CHECK(asked() == 2);
}

TEST_CASE_METHOD(Fixture, "a link is good for a minute") {
  REQUIRE(right(0));
  clock.advance(std::chrono::seconds(59));
  REQUIRE(right(1));
  CHECK(asked() == 1);
  clock.advance(std::chrono::seconds(1));
  REQUIRE(right(2));
  CHECK(asked() == 2);
}

TEST_CASE_METHOD(Fixture, "one repository's link is not used for another's") {
  registry.add_blob("other/repository", content);
  REQUIRE(right(0));
  registry.clear_script();
  registry.script("/v2/other/repository/blobs/", {.status = 403}, 0);
  CHECK(code_of(run(up().get_blob("other/repository", digest, 0, piece_size))) == ErrorCode::denied);
  CHECK(storage.count() == 1);
}

TEST_CASE_METHOD(Fixture, "one endpoint's link is not used for another's") {
  ScriptedRegistry second;
  second.add_blob(repository, content);
  use(options({registry.url(), second.url()}));
  REQUIRE(right(0));
  CHECK(asked() == 1);
  up().distrust(registry.host(), Doubt::certain);  // so that the second is asked first
  REQUIRE(right(1));
  CHECK(second.count("/blobs/") == 1);
  CHECK(storage.count() == 1);
}

TEST_CASE_METHOD(Fixture, "HEAD asks the registry, with a link at hand or without, and leaves none") {
  REQUIRE(run(up().head_blob(repository, digest)));
  REQUIRE(right(0));
  CHECK(registry.count("GET ") == 1);
  REQUIRE(run(up().head_blob(repository, digest)));
  CHECK(registry.count("HEAD ") == 2);
}

TEST_CASE_METHOD(Fixture, "storage never sees the registry's credentials, and pieces go on when they have expired") {
  const auto tokens = std::make_shared<TokenIssuer>(TokenIssuer::Options{});
  registry.require_token(tokens);
  registry.clear_script();
  registry.hook([&](const SeenRequest& request) -> std::optional<Behaviour> {
    if (!request.target.contains("/blobs/") || request.header("Authorization").empty()) return std::nullopt;
    return Behaviour{.redirect = storage.url() + link("1")};
  });
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(right(i));
  tokens->revoke_all();
  CHECK(right(3));
  CHECK(asked() == 2);  // one met a 401
  CHECK(storage.count() == 4);
  for (const auto& request : storage.requests()) CHECK(request.header("Authorization").empty());
}

TEST_CASE_METHOD(Fixture, "a redirect within the registry is followed with credentials, each time anew") {
  registry.clear_script();
  registry.add_blob("moved/here", content);
  registry.require_basic("user", "secret");
  registry.hook([this](const SeenRequest& request) -> std::optional<Behaviour> {
    if (!request.target.contains("/paddlepaddle/") || request.header("Authorization").empty()) return std::nullopt;
    return Behaviour{.redirect = "/v2/moved/here/blobs/" + digest.to_string()};
  });
  auto with_password = options();
  with_password.username = "user";
  with_password.password = "secret";
  use(with_password);
  REQUIRE(right(0));
  const auto before = registry.count("/paddlepaddle/");
  REQUIRE(right(1));
  CHECK(registry.count("/paddlepaddle/") == before + 1);
}

TEST_CASE_METHOD(Fixture, "a piece fails when neither the link nor the registry is any good, and is found again") {
  REQUIRE(right(0));
  storage.go_away();
  registry.go_away();
  CHECK(code_of(piece(1)) == ErrorCode::unavailable);
  registry.come_back();
  storage.come_back();
  CHECK(right(1));
}

// What went to the log while it lived, everything included.
struct CapturedLog {
  CapturedLog() {
    auto logger = std::make_shared<spdlog::logger>("captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  std::ostringstream out;
};

TEST_CASE_METHOD(Fixture, "a signed URL is in no error and in no log, whatever becomes of it") {
  const CapturedLog log;
  std::string told;
  const auto note = [&](const Result<ReadBlob>& got) {
    if (!got) told += got.error().context + '\n';
    if (got && got->error) told += got->error->context + '\n';
  };
  const Behaviour failures[] = {{.status = 403, .body = "no"},
                                {.status = 404},
                                {.status = 302},
                                {.status = 500},
                                {.drop = true},
                                {.close_at = 100},
                                {.announce = 1},
                                {.chunked = true, .reset_at = 100}};
  for (const auto& behaviour : failures) {
    storage.clear_script();
    note(piece(0));
    storage.script("/bucket/", behaviour, 0);
    note(piece(1));
    note(piece(1));
  }
  storage.go_away();
  note(piece(1));
  registry.clear_script();
  registry.script("/blobs/", {.redirect = "ftp://store.example" + link("1")});
  note(piece(1));
  registry.script("/blobs/", {.redirect = "http://store.example:99999" + link("1")});
  note(piece(1));
  registry.script("/blobs/", {.redirect = storage.url() + link("1") + "\x7f"});
  note(piece(1));
  CHECK(told.size() > 100);
  CHECK(told.find("s3cret") == std::string::npos);
  CHECK(log.out.str().find("s3cret") == std::string::npos);
}

}  // namespace
}  // namespace paddock::test
