// ServerFixture: a Server on an ephemeral port with two loops, whose handler a test gives; and a client beside it.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/client.h"
#include "proxy/net/server.h"
#include "tests/proxy/net/raw_socket.h"

namespace paddock {

struct SeenExchange {
  std::string id, method, path, peer, tls_name, abort_reason;
  int status = 0;
  std::uint64_t body_bytes = 0;
  bool aborted = false, tls = false;
  std::thread::id loop;
};

// A future's value; fails the test instead of hanging it.
template <typename T>
T await(std::future<T> future) {
  if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) throw std::runtime_error("it hangs");
  return future.get();
}

class ServerFixture {
 public:
  explicit ServerFixture(Handler handler, Server::Options options = {})
      : server(std::make_unique<Server>(loops, pool, options, std::move(handler),
                                        [this](const Exchange& exchange) { see(exchange); })) {
    loops.run();
  }
  ~ServerFixture() {
    server.reset();
    client.close_idle();
    loops.stop();
    pool.join();
  }
  ServerFixture(const ServerFixture&) = delete;
  ServerFixture& operator=(const ServerFixture&) = delete;

  ServerFixture& serve(std::shared_ptr<const TlsServerContext> tls = nullptr, const std::string& at = "127.0.0.1:0") {
    const auto listening = server->listen(at, std::move(tls));
    if (!listening) throw std::runtime_error(listening.error().context);
    server->start();
    return *this;
  }
  [[nodiscard]] std::string address() const { return server->addresses().at(0); }
  [[nodiscard]] RawSocket raw() const { return RawSocket::connect(address()); }
  [[nodiscard]] Url url(const std::string& target, bool tls = false) const {
    return Url::parse((tls ? "https://" : "http://") + address() + target).value();
  }

  // Sends and reads the whole body on the client's loop.
  struct Answer {
    int status = 0;
    Headers headers;
    std::optional<std::uint64_t> content_length;
    std::string body;
  };
  Result<Answer> ask(ClientRequest request) { return await(spawn(exchange(&client, std::move(request)))); }
  Result<Answer> get(const std::string& target) { return ask({.url = url(target)}); }
  template <typename T>
  std::future<T> spawn(Task<T> task) {
    return asio::co_spawn(loops.at(0), std::move(task), asio::use_future);
  }

  // Waits until the loops are through with what they were at: the session of an exchange that was seen then waits for
  // its client's next request.
  void settle() {
    for (std::size_t loop = 0; loop < loops.size(); ++loop) await(asio::post(loops.at(loop), asio::use_future));
  }

  // Waits for the n-th observed exchange.
  SeenExchange seen(std::size_t n = 1) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return seen_.size() >= n; })) {
      throw std::runtime_error("the exchange was not observed");
    }
    return seen_.at(n - 1);
  }

  // Whether the last of the first n exchanges on its loop was for `path`. Between loops there is no order.
  bool ends_its_loop(std::size_t n, const std::string& path) {
    seen(n);
    const std::lock_guard lock(mutex_);
    const auto all = std::span(seen_).first(n);
    const auto ours = std::ranges::find(all, path, &SeenExchange::path);
    if (ours == all.end()) return false;
    return std::ranges::find(all.rbegin(), all.rend(), ours->loop, &SeenExchange::loop)->path == path;
  }

  EventLoops loops{2};
  BlockingPool pool{2};
  HttpClient client{HttpClient::Options{}};
  std::unique_ptr<Server> server;

 private:
  static Task<Result<Answer>> exchange(HttpClient* client, ClientRequest request) {
    auto response = co_await client->send(std::move(request));
    if (!response) co_return std::unexpected(response.error());
    auto body = co_await read_all(**response, std::size_t{64} << 20U);
    if (!body) co_return std::unexpected(body.error());
    co_return Answer{(*response)->status(), (*response)->headers(), (*response)->content_length(), std::move(*body)};
  }
  void see(const Exchange& exchange) {
    const auto& request = exchange.request;
    SeenExchange seen{request.id,
                      request.method_name,
                      request.path,
                      request.peer,
                      request.tls_name,
                      std::string(exchange.abort_reason),
                      exchange.response.status,
                      exchange.body_bytes,
                      exchange.aborted,
                      request.tls,
                      std::this_thread::get_id()};
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::move(seen));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SeenExchange> seen_;
};

// Answers everything with what it was asked.
inline Task<Response> echo(const Request& request) {
  Response response;
  response.headers.add("X-Path", request.path);
  response.headers.add("X-Query", request.query);
  response.headers.add("X-Host", std::string(request.headers.get("Host").value_or("")));
  response.body = request.method_name + " " + request.path + " " + request.body;
  co_return response;
}

}  // namespace paddock
