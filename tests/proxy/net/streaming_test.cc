// Bodies that are streamed: whole and right, or visibly broken.
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "proxy/net/kernel_tls.h"
#include "proxy/net/tls.h"
#include "storage/notifier.h"
#include "storage/posix_file_system.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 1;
  for (auto& c : out) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return out;
}

// A file in memory that may fail or end early.
class TextFile final : public File {
 public:
  explicit TextFile(std::string text, std::uint64_t broken_from = ~std::uint64_t{0})
      : text_(std::move(text)), broken_from_(broken_from) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() > broken_from_) return fail(ErrorCode::io, Blame::us, "the disk failed");
    if (offset >= text_.size()) return std::size_t{0};
    return text_.copy(reinterpret_cast<char*>(out.data()), out.size(), offset);
  }
  Result<void> write_at(std::uint64_t, std::span<const std::byte>) override {
    return fail(ErrorCode::unsupported, Blame::us, "read only");
  }
  Result<void> sync_data() override { return {}; }
  [[nodiscard]] Result<std::uint64_t> size() const override { return text_.size(); }

 private:
  const std::string text_;
  const std::uint64_t broken_from_;
};

// A file on the disk that tells how it was read, and of which at most every second look finds something in memory.
class WatchedFile : public File {
 public:
  enum class Memory : std::uint8_t { all, every_second };
  WatchedFile(const TemporaryFolder& folder, const std::string& content, Memory memory = Memory::all)
      : file_(PosixFileSystem().open(folder / "watched", FileSystem::Open::create).value()), memory_(memory) {
    REQUIRE(file_->write_at(0, std::as_bytes(std::span(content))));
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    ++reads;
    return file_->read_at(offset, out);
  }
  [[nodiscard]] std::uint64_t in_memory(std::uint64_t offset, std::uint64_t length) const override {
    if (memory_ == Memory::every_second && looks_++ % 2 == 0) return 0;
    return file_->in_memory(offset, length);
  }
  Result<void> write_at(std::uint64_t, std::span<const std::byte>) override {
    return fail(ErrorCode::unsupported, Blame::us, "read only");
  }
  Result<void> sync_data() override { return {}; }
  [[nodiscard]] Result<std::uint64_t> size() const override { return file_->size(); }
  [[nodiscard]] int descriptor() const override { return file_->descriptor(); }

  mutable std::atomic<int> reads{0};

 private:
  const std::unique_ptr<File> file_;
  const Memory memory_;
  mutable std::atomic<int> looks_{0};
};

// Its descriptor is one that sendfile(2) refuses.
class UnsendableFile final : public WatchedFile {
 public:
  using WatchedFile::WatchedFile;
  ~UnsendableFile() override { ::close(socket_); }
  UnsendableFile(const UnsendableFile&) = delete;
  UnsendableFile& operator=(const UnsendableFile&) = delete;
  [[nodiscard]] int descriptor() const override { return socket_; }

 private:
  const int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

using Pieces = std::vector<Result<BodyPiece>>;

BodyPiece text(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

// Each request is answered with these pieces.
Handler streaming(std::uint64_t length, Pieces pieces) {
  return [length, pieces = std::make_shared<const Pieces>(std::move(pieces))](const Request&) -> Task<Response> {
    const auto next_index = std::make_shared<std::size_t>(0);
    struct Source {
      static Task<Result<BodyPiece>> next(std::shared_ptr<const Pieces> all, std::shared_ptr<std::size_t> index) {
        if (*index == all->size()) throw std::runtime_error("asked for more than there is");
        co_return all->at((*index)++);
      }
    };
    Response response;
    response.body =
        BodyStream{.length = length, .next = [pieces, next_index] { return Source::next(pieces, next_index); }};
    co_return response;
  };
}

constexpr std::string_view get = "GET /s HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_CASE("ten megabytes arrive byte for byte, plain and over TLS") {
  const bool over_tls = GENERATE(false, true);
  const auto content = pattern(10'000'000);
  const auto file = std::make_shared<TextFile>(content);
  ServerFixture fixture(
      streaming(content.size(), {FileRegion{file, 0, 1}, text(content.substr(1, 99'999)),
                                 FileRegion{file, 100'000, 900'000}, FileRegion{file, 1'000'000, 9'000'000}}));
  TestCa ca;
  const auto files = ca.issue_local();
  fixture.serve(over_tls ? make_tls_server(files.certificate, files.key).value() : nullptr);
  ClientRequest request{.url = fixture.url("/s", over_tls)};
  if (over_tls) request.tls = make_tls_client(ca.file()).value();
  for (int round = 0; round < 2; ++round) {
    const auto answer = fixture.ask(request);
    REQUIRE(answer.has_value());
    CHECK(answer->content_length == content.size());
    CHECK((answer->body == content));  // not shown when it differs
  }
  const auto seen = fixture.seen(2);
  CHECK(seen.body_bytes == content.size());
  CHECK(seen.tls == over_tls);
  CHECK_FALSE(seen.aborted);
}

TEST_CASE("what is in memory goes out by the kernel, over plain connections of any kind, without being read") {
  const TemporaryFolder folder;
  const auto content = pattern(9'000'001);
  const auto file = std::make_shared<WatchedFile>(folder, content);
  ServerFixture fixture(streaming(content.size() - 1, {FileRegion{file, 1, content.size() - 1}}));
  const bool unix_socket = GENERATE(false, true);
  fixture.serve(nullptr, unix_socket ? "unix:" + (folder / "socket").string() : "127.0.0.1:0");
  auto client = fixture.raw();
  for (int round = 0; round < 2; ++round) {
    client.send(get);
    const auto answer = client.read_response();
    CHECK(answer.ends_with("\r\n\r\n" + content.substr(1)));
  }
  CHECK(file->reads == 0);
  CHECK(fixture.seen(2).body_bytes == content.size() - 1);
}

TEST_CASE("what is only partly in memory arrives whole, by the kernel and through the buffer in turn") {
  const TemporaryFolder folder;
  const auto content = pattern(9'000'001);
  const auto file = std::make_shared<WatchedFile>(folder, content, WatchedFile::Memory::every_second);
  ServerFixture fixture(streaming(content.size(), {FileRegion{file, 0, content.size()}}));
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  CHECK(client.read_response().ends_with("\r\n\r\n" + content));
  CHECK(file->reads > 1);
  CHECK(file->reads < 12);  // of 36, were all of it read
}

TEST_CASE("a file that the kernel does not send is read instead") {
  const TemporaryFolder folder;
  const auto content = pattern(1'000'000);
  const auto file = std::make_shared<UnsendableFile>(folder, content);
  ServerFixture fixture(streaming(content.size(), {FileRegion{file, 0, content.size()}}));
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  CHECK(client.read_response().ends_with("\r\n\r\n" + content));
  CHECK(file->reads > 0);
}

TEST_CASE("over TLS a file is read where we encrypt it, and goes out by the kernel where that does") {
  const TemporaryFolder folder;
  const auto content = pattern(9'000'001);
  const auto file = std::make_shared<WatchedFile>(folder, content);
  ServerFixture fixture(streaming(content.size(), {FileRegion{file, 0, content.size()}}));
  TestCa ca;
  const auto files = ca.issue_local();
  const bool kernel = GENERATE(false, true);
  fixture.serve(make_tls_server(files.certificate, files.key, kernel).value());
  const auto answer = fixture.ask({.url = fixture.url("/s", true), .tls = make_tls_client(ca.file()).value()});
  REQUIRE(answer.has_value());
  CHECK((answer->body == content));
  CHECK((file->reads == 0) == (kernel && probe_kernel_tls() == KernelTls::used));
}

TEST_CASE("a stream's length is right on HEAD without pulling it") {
  ServerFixture fixture(streaming(12345, {}));
  fixture.serve();
  const auto answer = fixture.ask({.method = Method::head, .url = fixture.url("/s")}).value();
  CHECK(answer.content_length == 12345);
  CHECK(answer.body.empty());
}

TEST_CASE("an empty stream is an empty body") {
  ServerFixture fixture(streaming(0, {}));
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  CHECK(client.read_response().contains("Content-Length: 0\r\n"));
  client.send(get);
  CHECK(client.read_response().contains("Content-Length: 0\r\n"));
}

struct Broken {
  std::string name;
  std::uint64_t length;
  Pieces pieces;
  std::string arrives;
  std::string reason;
};

std::vector<Broken> broken_streams(const TemporaryFolder& folder) {
  const auto file = std::make_shared<TextFile>("0123456789", 8);
  return {
      {"fails at once", 10, {fail(ErrorCode::unavailable, Blame::upstream, "upstream gone")}, "", "upstream gone"},
      {"fails in the middle",
       10,
       {text("01234"), fail(ErrorCode::timeout, Blame::upstream, "stalled")},
       "01234",
       "stalled"},
      {"throws", 10, {text("01234")}, "01234", "asked for more than there is"},
      {"yields nothing", 10, {text("01234"), text("")}, "01234", "the body ended early"},
      {"yields too much", 10, {text("01234"), text("567890")}, "01234", "the body is longer than announced"},
      {"the disk fails", 10, {FileRegion{file, 0, 5}, FileRegion{file, 5, 5}}, "01234", "the disk failed"},
      {"the file is short",
       10,
       {text("01234"), FileRegion{std::make_shared<TextFile>("01234567"), 5, 5}},
       "01234",
       "a file is shorter than it should be"},
      {"the file that the kernel sends is short",
       10,
       {FileRegion{std::make_shared<WatchedFile>(folder, "01234567"), 0, 10}},
       "01234567",
       "a file is shorter than it should be"},
  };
}

TEST_CASE("a stream that goes wrong resets the connection and is observed as aborted") {
  const TemporaryFolder folder;
  for (auto& broken : broken_streams(folder)) {
    CAPTURE(broken.name);
    ServerFixture fixture(streaming(broken.length, broken.pieces));
    fixture.serve();
    auto client = fixture.raw();
    client.send(get);
    const auto seen = fixture.seen();
    CHECK(seen.aborted);
    CHECK(seen.abort_reason == broken.reason);
    CHECK(seen.body_bytes == broken.arrives.size());
    client.read_all();
    CHECK(client.broken());
    CHECK_FALSE(client.ended());
  }
}

TEST_CASE("our client sees a broken stream as an error, plain and over TLS") {
  const bool over_tls = GENERATE(false, true);
  const auto half = text(pattern(100'000));
  ServerFixture fixture(streaming(200'000, {half, fail(ErrorCode::unavailable, Blame::upstream, "gone")}));
  TestCa ca;
  const auto files = ca.issue_local();
  fixture.serve(over_tls ? make_tls_server(files.certificate, files.key).value() : nullptr);
  ClientRequest request{.url = fixture.url("/s", over_tls)};
  if (over_tls) request.tls = make_tls_client(ca.file()).value();
  const auto answer = fixture.ask(request);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
  CHECK(answer.error().retryable);
}

// From memory or by the kernel.
BodyPiece megabyte(const TemporaryFolder& folder, bool by_kernel) {
  const std::string content(1'000'000, 'x');
  if (!by_kernel) return text(content);
  return FileRegion{std::make_shared<WatchedFile>(folder, content), 0, content.size()};
}

TEST_CASE("answers arrive whole, wherever the socket has had enough of them") {
  constexpr int requests = 3000;
  const std::string body(5001, 'x');
  ServerFixture fixture([&body](const Request& request) -> Task<Response> {
    Response response;
    response.body = body + request.path;
    co_return response;
  });
  fixture.serve();
  auto client = RawSocket::connect(fixture.address(), 4096);
  std::thread sender([&client] {
    for (int i = 0; i < requests; ++i) client.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
  });
  int whole = 0;
  for (; whole < requests; ++whole) {
    if (!client.read_response().ends_with("\r\n\r\n" + body + "/" + std::to_string(whole))) break;
  }
  sender.join();
  CHECK(whole == requests);
  CHECK(fixture.seen(requests).body_bytes == body.size() + 1 + std::to_string(requests - 1).size());
}

TEST_CASE("many requests at once leave others on the loop their turns") {
  constexpr int flood = 2000;
  ServerFixture fixture(echo);
  fixture.serve();
  auto flooder = fixture.raw();
  std::vector<RawSocket> others;  // connections are spread evenly over two loops: one of these is on the flooder's
  for (int i = 0; i < 3; ++i) others.push_back(fixture.raw());
  std::string requests;
  for (int i = 0; i < flood; ++i) requests += "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n";
  // The loops are held until everything is there, the flood first.
  std::promise<void> released;
  const auto until = released.get_future().share();
  for (std::size_t loop = 0; loop < 2; ++loop) asio::post(fixture.loops.at(loop), [until] { until.wait(); });
  flooder.send(requests);
  for (auto& other : others) other.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
  released.set_value();
  for (auto& other : others) CHECK(other.read_response().ends_with("GET /other "));
  for (int i = 0; i < flood; ++i) REQUIRE(flooder.read_response().ends_with("GET /flood "));
  CHECK(fixture.ends_its_loop(flood + others.size(), "/flood"));
}

TEST_CASE("a client that stops reading is cut off") {
  const TemporaryFolder folder;
  const auto piece = megabyte(folder, GENERATE(false, true));
  ServerFixture fixture(streaming(100'000'000, Pieces(100, piece)), {.send_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = RawSocket::connect(fixture.address(), 4096);
  client.send(get);
  const auto seen = fixture.seen();
  CHECK(seen.aborted);
  CHECK(seen.abort_reason == "the client stopped reading");
  CHECK(seen.body_bytes < 100'000'000);
}

TEST_CASE("a client that takes a little now and then is cut off too") {
  const TemporaryFolder folder;
  const auto piece = megabyte(folder, GENERATE(false, true));
  ServerFixture fixture(streaming(100'000'000, Pieces(100, piece)), {.send_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = RawSocket::connect(fixture.address(), 4096);
  client.send(get);
  // Some 20 KB a second: always within the second that was asked for, never 64 KiB of it.
  for (int i = 0; i < 100 && !client.broken(); ++i) {
    client.read_some();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  CHECK(client.broken());
  CHECK(fixture.seen().abort_reason == "the client stopped reading");
}

TEST_CASE("a client that takes a little is cut off, however often a file's pages are looked at meanwhile") {
  const TemporaryFolder folder;
  const std::string content(20'000'000, 'x');
  const auto file = std::make_shared<WatchedFile>(folder, content);
  ServerFixture fixture(streaming(content.size(), {FileRegion{file, 0, content.size()}}),
                        {.send_timeout = std::chrono::seconds(2)});
  fixture.serve();
  // Small segments keep the server's socket buffer small, so that it has room for a little every second or so.
  auto client = RawSocket::connect(fixture.address(), 4096, 536);
  client.send(get);
  for (int i = 0; i < 30 && !client.broken(); ++i) {
    client.read_some();
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
  }
  CHECK(client.broken());
  CHECK(fixture.seen().abort_reason == "the client stopped reading");
}

TEST_CASE("a client that takes enough is not cut off while the server's socket has no room yet") {
  const TemporaryFolder folder;
  const auto piece = megabyte(folder, true);
  ServerFixture fixture(streaming(100'000'000, Pieces(100, piece)), {.send_timeout = std::chrono::seconds(2)});
  fixture.serve();
  auto client = RawSocket::connect(fixture.address(), 4096);
  client.send(get);
  // On loopback the buffer has room again after most of a megabyte: more than these seconds bring.
  constexpr std::chrono::milliseconds whole{5'000};
  constexpr std::size_t each_millisecond = 150;
  const auto begun = std::chrono::steady_clock::now();
  std::size_t taken = 0;
  for (auto now = begun; now - begun < whole && !client.broken(); now = std::chrono::steady_clock::now()) {
    const auto due = static_cast<std::size_t>((now - begun) / std::chrono::milliseconds(1)) * each_millisecond;
    if (taken < due) {
      taken += client.read_some().size();
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  CHECK_FALSE(client.broken());
}

Task<Result<BodyPiece>> after(std::chrono::milliseconds delay, BodyPiece piece) {
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  co_await timer.async_wait(asio::use_awaitable);
  co_return piece;
}

TEST_CASE("a client is not cut off for what it has to wait for") {
  ServerFixture fixture(
      [](const Request&) -> Task<Response> {
        Response response;
        response.body = BodyStream{.length = 20,
                                   .next = [] { return after(std::chrono::milliseconds(1'200), text("0123456789")); }};
        co_return response;
      },
      {.send_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  CHECK(client.read_response().ends_with("01234567890123456789"));
  CHECK_FALSE(fixture.seen().aborted);
}

// Takes a little of an answer over TLS; then says nothing until told, or goes away.
Task<Result<void>> take_some(HttpClient* client, ClientRequest request, bool goes_away, Notifier* told) {
  auto response = co_await client->send(std::move(request));
  if (!response) co_return std::unexpected(response.error());
  std::vector<std::byte> some(100'000);
  const auto got = co_await (*response)->read(some);
  if (!got) co_return std::unexpected(got.error());
  if (goes_away) {
    (*response)->abort();
    co_return Result<void>{};
  }
  auto waiter = told->subscribe(co_await asio::this_coro::executor);
  co_await waiter.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(30));
  co_return Result<void>{};
}

TEST_CASE("over TLS too a client that stops reading is cut off, and one that goes away ends the stream") {
  const bool goes_away = GENERATE(false, true);
  const TemporaryFolder folder;
  ServerFixture fixture(streaming(100'000'000, Pieces(100, megabyte(folder, true))),
                        {.send_timeout = std::chrono::seconds(1)});
  TestCa ca;
  const auto files = ca.issue_local();
  fixture.serve(make_tls_server(files.certificate, files.key).value());
  Notifier told;
  auto taken = fixture.spawn(take_some(
      &fixture.client, {.url = fixture.url("/s", true), .tls = make_tls_client(ca.file()).value()}, goes_away, &told));
  const auto seen = fixture.seen();
  told.notify_all();
  CHECK(await(std::move(taken)));
  CHECK(seen.aborted);
  CHECK(seen.abort_reason.starts_with(goes_away ? "the client went away" : "the client stopped reading"));
  CHECK(seen.body_bytes < 100'000'000);
}

TEST_CASE("over TLS what follows a long body on the same connection is right, to its end") {
  const auto content = pattern(700'001);
  ServerFixture fixture([&](const Request& request) -> Task<Response> {
    Response response;
    response.body = request.path == "/long" ? content : request.path;
    co_return response;
  });
  TestCa ca;
  const auto files = ca.issue_local();
  fixture.serve(make_tls_server(files.certificate, files.key).value());
  for (const std::string target : {"/long", "/short", "/long", "/long", "/short"}) {
    ClientRequest request{.url = fixture.url(target, true), .tls = make_tls_client(ca.file()).value()};
    const auto answer = fixture.ask(request);
    REQUIRE(answer.has_value());
    CHECK((answer->body == (target == "/long" ? content : target)));
  }
}

TEST_CASE("a client that goes away ends the stream") {
  const TemporaryFolder folder;
  const auto piece = megabyte(folder, GENERATE(false, true));
  ServerFixture fixture(streaming(100'000'000, Pieces(100, piece)));
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  client.read_exactly(10'000);
  client.reset();
  const auto seen = fixture.seen();
  CHECK(seen.aborted);
  CHECK(seen.abort_reason.starts_with("the client went away"));
  CHECK(fixture.server->drain(std::chrono::seconds(30)));
  CHECK(fixture.server->stats().streaming == 0);
}

TEST_CASE("many clients at once get their own bytes") {
  const auto content = pattern(300'000);
  const auto file = std::make_shared<TextFile>(content);
  ServerFixture fixture(streaming(content.size(), {FileRegion{file, 0, content.size()}}));
  fixture.serve();
  std::vector<RawSocket> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(fixture.raw());
    clients.back().send(get);
  }
  for (auto& client : clients) {
    const auto answer = client.read_response();
    CHECK(answer.ends_with(content));
  }
}

TEST_CASE("a slow client gets the last answer of its connection whole") {
  const std::string body(std::size_t{1} << 20U, 'x');
  ServerFixture fixture(
      [&body](const Request&) -> Task<Response> {
        Response response;
        response.body = body;
        co_return response;
      },
      {.farewell = std::chrono::seconds(1)});
  fixture.serve();
  auto client = RawSocket::connect(fixture.address(), 16 * 1024);
  client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  client.read_until("\r\n\r\n");
  fixture.seen(1);  // all of it is in the socket, and the server has nothing left to do but to wait
  std::size_t got = 0;
  for (; got < body.size(); got += 64 * 1024) {
    if (client.read_exactly(std::size_t{64} * 1024).size() < 64 * 1024) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // this is how slow it is
  }
  CHECK(got == body.size());
}

}  // namespace
}  // namespace paddock
