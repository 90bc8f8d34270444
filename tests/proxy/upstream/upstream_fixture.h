// UpstreamFixture: a scripted registry and an HttpUpstream that talks to it, on event loops of their own.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <future>
#include <map>
#include <string>
#include <utility>

#include "proxy/net/client.h"
#include "proxy/net/event_loops.h"
#include "proxy/upstream/http_upstream.h"
#include "storage/mutex.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_registry.h"

namespace paddock::test {

// Bytes that differ from place to place, so that shifted ones are noticed.
inline std::string sample(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  for (auto& c : text) {
    seed = seed * 1'103'515'245U + 12'345U;
    c = static_cast<char>(seed >> 16U);
  }
  return text;
}

struct ReadBlob {
  std::string bytes;
  std::optional<Error> error;  // how it ended, if not at its end
};

inline Task<ReadBlob> read_blob(BlobTransfer transfer) {
  ReadBlob out;
  std::string piece(10'000, '\0');
  for (;;) {
    auto got = co_await transfer.read(std::as_writable_bytes(std::span(piece)));
    if (!got) out.error = std::move(got).error();
    if (out.error || *got == 0) co_return out;
    out.bytes.append(piece, 0, *got);
  }
}

class UpstreamFixture {
 public:
  static constexpr const char* repository = "paddlepaddle/paddle";

  UpstreamFixture() { loops.run(); }
  ~UpstreamFixture() { loops.stop(); }
  UpstreamFixture(const UpstreamFixture&) = delete;
  UpstreamFixture& operator=(const UpstreamFixture&) = delete;

  // No waiting between tries, so that tests need no time.
  UpstreamOptions options(const std::vector<std::string>& endpoints) {
    UpstreamOptions out{.name = "up.example"};
    for (const auto& endpoint : endpoints) out.endpoints.push_back(Url::parse(endpoint).value());
    out.retry = {.attempts = 3, .base = std::chrono::milliseconds(0), .cap = std::chrono::milliseconds(0)};
    out.random = [] { return 0.0; };
    return out;
  }
  UpstreamOptions options() { return options({registry.url()}); }

  HttpUpstream& use(UpstreamOptions with) {
    UpstreamObserver observer;
    observer.on_request = [this](const std::string& name, int status, const std::string& endpoint) {
      const MutexLock lock(mutex);
      ++observed[name + ' ' + endpoint + ' ' + std::to_string(status)];
    };
    observer.on_bytes = [this](const std::string&, const std::string& endpoint, std::uint64_t n) {
      const MutexLock lock(mutex);
      observed_bytes[endpoint] += n;
    };
    upstream = std::make_unique<HttpUpstream>(std::move(with), client, clock, std::move(observer));
    return *upstream;
  }
  HttpUpstream& up() { return upstream ? *upstream : use(options()); }

  template <typename T>
  std::future<T> start(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    asio::co_spawn(loops.next(), keep(std::move(task), promise), asio::detached);
    return promise->get_future();
  }
  template <typename T>
  static Task<void> keep(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
    try {
      promise->set_value(co_await std::move(task));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  }
  template <typename T>
  T run(Task<T> task) {
    return start(std::move(task)).get();
  }

  Result<FetchedManifest> manifest(const std::string& reference) {
    return run(up().get_manifest(repository, reference));
  }
  Result<ManifestInfo> head(const std::string& reference) { return run(up().head_manifest(repository, reference)); }
  // A blob with its outcome; the error of asking for it when there is no transfer.
  Result<ReadBlob> blob(const Digest& digest, std::uint64_t offset = 0, std::optional<std::uint64_t> length = {}) {
    return run(whole_blob(&up(), digest, offset, length));
  }
  static Task<Result<ReadBlob>> whole_blob(HttpUpstream* upstream, Digest digest, std::uint64_t offset,
                                           std::optional<std::uint64_t> length) {
    auto transfer = co_await upstream->get_blob(repository, digest, offset, length);
    if (!transfer) co_return std::unexpected(std::move(transfer).error());
    co_return co_await read_blob(*std::move(transfer));
  }
  std::size_t seen(const std::string& what) {
    const MutexLock lock(mutex);
    return observed[what];
  }

  Mutex mutex;
  std::map<std::string, std::size_t> observed PADDOCK_GUARDED_BY(mutex);
  std::map<std::string, std::uint64_t> observed_bytes PADDOCK_GUARDED_BY(mutex);
  ManualClock clock;
  ScriptedRegistry registry;
  EventLoops loops{2};
  HttpClient client{HttpClient::Options{}};
  std::unique_ptr<HttpUpstream> upstream;
};

inline ErrorCode code_of(const auto& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace paddock::test
