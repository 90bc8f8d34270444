#include "proxy/net/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <spdlog/spdlog.h>
#include <tuple>
#include <unistd.h>
#include <vector>

#include "proxy/net/listener.h"
#include "proxy/net/seldom.h"
#include "proxy/net/session.h"
#include "storage/mutex.h"

namespace paddock {
namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::size_t max_turned_away = 16;  // at a time; beyond that they are closed without a word

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Entrance {
    std::vector<std::shared_ptr<Listener>> listeners;  // one a loop; of a Unix socket the first loop's alone
    std::shared_ptr<const TlsServerContext> tls;
    std::string name{};
  };

  State(EventLoops& event_loops, std::shared_ptr<SessionEnvironment> env)
      : loops(event_loops), environment(std::move(env)), open(event_loops.size()) {}

  Task<void> accept(std::shared_ptr<Listener> listener, std::size_t door, std::size_t loop);
  void accepting_ended(Listener& listener, const std::exception_ptr& failed);
  void accepting_failed(const Listener& listener, const Connection::SystemError& error);
  // Where a connection that `loop` has accepted is to live.
  [[nodiscard]] std::size_t place_for(std::size_t loop) const;
  Connection::Socket settle(Connection::Socket accepted, std::size_t from, std::size_t to);
  void admit(Connection::Socket socket, std::size_t loop, std::shared_ptr<const TlsServerContext> tls,
             std::string name);
  void turn_away(std::shared_ptr<Session> session);
  void ended(std::uint64_t id, std::size_t loop);
  void close_doors();
  // On every session, on its own loop.
  void tell_sessions(void (Session::*what)());
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

  EventLoops& loops;
  const std::shared_ptr<SessionEnvironment> environment;
  std::vector<std::atomic<std::size_t>> open;  // connections of each loop
  std::atomic<std::size_t> turned_away{0};
  Mutex mutex;
  Condition changed;
  Seldom failures PADDOCK_GUARDED_BY(mutex), refusals PADDOCK_GUARDED_BY(mutex);
  std::vector<Entrance> doors PADDOCK_GUARDED_BY(mutex);
  std::vector<Server::Door> addresses PADDOCK_GUARDED_BY(mutex);
  std::map<std::uint64_t, std::weak_ptr<Session>> sessions PADDOCK_GUARDED_BY(mutex);
  std::uint64_t next_session PADDOCK_GUARDED_BY(mutex) = 0;
  std::size_t accepting PADDOCK_GUARDED_BY(mutex) = 0;
  bool started PADDOCK_GUARDED_BY(mutex) = false;
};

Task<void> Server::State::accept(std::shared_ptr<Listener> listener, std::size_t door, std::size_t loop) {
  while (listener->acceptor().is_open()) {
    auto [error, socket] = co_await listener->acceptor().async_accept(loops.at(loop), as_tuple);
    if (environment->draining || error == asio::error::operation_aborted) break;
    if (error) {
      accepting_failed(*listener, error);
      asio::steady_timer pause(co_await asio::this_coro::executor, accept_pause);
      co_await pause.async_wait(as_tuple);
      continue;
    }
    std::shared_ptr<const TlsServerContext> tls;
    std::string name;
    {
      const MutexLock lock(mutex);
      if (door < doors.size()) std::tie(tls, name) = std::tie(doors[door].tls, doors[door].name);
    }
    const auto place = place_for(loop);
    admit(settle(std::move(socket), loop, place), place, std::move(tls), std::move(name));
  }
}

// Closed in any case: the kernel would go on dealing connections to it.
void Server::State::accepting_ended(Listener& listener, const std::exception_ptr& failed) {
  if (failed) spdlog::error("accepting on {} ended by an exception", listener.address());
  listener.close();
  const MutexLock lock(mutex);
  --accepting;
  changed.notify_all();
}

void Server::State::accepting_failed(const Listener& listener, const Connection::SystemError& error) {
  std::optional<std::uint64_t> times;
  {
    const MutexLock lock(mutex);
    times = failures.happened(std::chrono::steady_clock::now());
  }
  if (times) spdlog::warn("accepting on {}: {} ({} times)", listener.address(), error.message(), *times);
}

// Moving one costs a change of threads: where there are many, some more or less do not matter.
std::size_t Server::State::place_for(std::size_t loop) const {
  const auto least = std::ranges::min_element(open, {}, [](const auto& count) { return count.load(); });
  const auto few = least->load();
  return open[loop] <= few + few / 4 ? loop : static_cast<std::size_t>(least - open.begin());
}

Connection::Socket Server::State::settle(Connection::Socket accepted, std::size_t from, std::size_t to) {
  if (from == to) return accepted;
  Connection::SystemError error;
  Connection::Socket moved(loops.at(to));
  const auto protocol = accepted.local_endpoint(error).protocol();
  const int number = error ? -1 : accepted.release(error);
  if (!error) moved.assign(protocol, number, error);
  if (error && number >= 0) ::close(number);
  return moved;  // not open where it failed: its session ends at once
}

void Server::State::admit(Connection::Socket socket, std::size_t loop, std::shared_ptr<const TlsServerContext> tls,
                          std::string name) {
  boost::system::error_code not_tcp;
  socket.set_option(asio::ip::tcp::no_delay(true), not_tcp);
  auto session = std::make_shared<Session>(environment, std::move(socket), std::move(tls), std::move(name));
  std::uint64_t id = 0;
  bool full = false;
  std::optional<std::uint64_t> refused;
  {
    const MutexLock lock(mutex);
    if (environment->draining) return;
    full = sessions.size() >= environment->options.connection_limit;
    if (full) {
      refused = refusals.happened(std::chrono::steady_clock::now());
    } else {
      ++open[loop];
      id = ++next_session;
      sessions.emplace(id, session);
      environment->connections = sessions.size();
    }
  }
  if (refused) {
    spdlog::warn("too many connections: {} turned away; at most {} at a time are let in", *refused,
                 environment->options.connection_limit);
  }
  if (full) return turn_away(std::move(session));
  const auto executor = session->executor();
  auto run = session->run();
  // The handler keeps the session until its coroutine is over, and alone, so that it goes on its own loop.
  asio::co_spawn(executor, std::move(run),
                 [self = shared_from_this(), session = std::move(session), id, loop](const std::exception_ptr& failed) {
                   if (failed) spdlog::warn("a session ended by an exception");
                   self->ended(id, loop);
                 });
}

void Server::State::turn_away(std::shared_ptr<Session> session) {
  if (++turned_away > max_turned_away) {
    --turned_away;
    return;
  }
  const auto executor = session->executor();
  auto words = session->turn_away();
  asio::co_spawn(
      executor, std::move(words),
      [self = shared_from_this(), session = std::move(session)](const std::exception_ptr&) { --self->turned_away; });
}

void Server::State::ended(std::uint64_t id, std::size_t loop) {
  --open[loop];
  const MutexLock lock(mutex);
  sessions.erase(id);
  environment->connections = sessions.size();
  if (sessions.empty()) changed.notify_all();
}

void Server::State::close_doors() {
  const MutexLock lock(mutex);
  environment->draining = true;
  for (auto& door : doors) {
    for (std::size_t loop = 0; loop < door.listeners.size(); ++loop) {
      const auto& listener = door.listeners[loop];
      if (started) {
        asio::post(loops.at(loop), [listener] { listener->close(); });
      } else {
        listener->close();
      }
    }
  }
  doors.clear();
}

void Server::State::tell_sessions(void (Session::*what)()) {
  const MutexLock lock(mutex);
  for (const auto& [id, weak] : sessions) {
    if (auto session = weak.lock()) {
      const auto executor = session->executor();
      asio::post(executor, [session = std::move(session), what] { ((*session).*what)(); });
    }
  }
}

bool Server::State::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  const MutexLock lock(mutex);
  while (accepting != 0 || !sessions.empty()) {
    if (loops.at(0).stopped() || !changed.wait_until(mutex, deadline)) return accepting == 0 && sessions.empty();
  }
  return true;
}

Server::Server(EventLoops& loops, BlockingPool& pool, Options options, Handler handler,
               std::function<void(const Exchange&)> observe)
    : state_(std::make_shared<State>(loops, std::make_shared<SessionEnvironment>(
                                                std::move(options), pool, std::move(handler), std::move(observe)))) {}

Server::~Server() { abort(); }

Result<void> Server::listen(std::string_view address, std::shared_ptr<const TlsServerContext> tls, std::string name) {
  auto first = Listener::open(state_->loops.at(0), address);
  if (!first) return std::unexpected(std::move(first).error());
  State::Entrance door{{*first}, std::move(tls), std::move(name)};
  for (std::size_t loop = 1; loop < state_->loops.size(); ++loop) {
    auto another = (*first)->share(state_->loops.at(loop));
    if (!another) return std::unexpected(std::move(another).error());
    if (*another) door.listeners.push_back(*std::move(another));
  }
  const MutexLock lock(state_->mutex);
  state_->addresses.push_back({(*first)->address(), door.name});
  state_->doors.push_back(std::move(door));
  return {};
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> found;
  for (auto& door : doors()) found.push_back(std::move(door.address));
  return found;
}

std::vector<Server::Door> Server::doors() const {
  const MutexLock lock(state_->mutex);
  return state_->addresses;
}

void Server::set_tls(const std::shared_ptr<const TlsServerContext>& tls) {
  const MutexLock lock(state_->mutex);
  for (auto& door : state_->doors) {
    if (door.tls) door.tls = tls;
  }
}

void Server::start() {
  const MutexLock lock(state_->mutex);
  if (std::exchange(state_->started, true)) return;
  for (std::size_t door = 0; door < state_->doors.size(); ++door) {
    const auto& listeners = state_->doors[door].listeners;
    for (std::size_t loop = 0; loop < listeners.size(); ++loop) {
      ++state_->accepting;
      // The coroutine's frame keeps the state through this handler.
      asio::co_spawn(state_->loops.at(loop), state_->accept(listeners[loop], door, loop),
                     [state = state_, listener = listeners[loop]](const std::exception_ptr& failed) {
                       state->accepting_ended(*listener, failed);
                     });
    }
  }
}

bool Server::drain(std::chrono::milliseconds timeout) {
  state_->close_doors();
  state_->tell_sessions(&Session::drain);
  return state_->wait_until_empty(std::chrono::steady_clock::now() + timeout);
}

void Server::abort() {
  state_->close_doors();
  state_->tell_sessions(&Session::abort);
  state_->wait_until_empty(std::chrono::steady_clock::now() + state_->environment->options.abort_timeout);
}

Server::Stats Server::stats() const {
  const MutexLock lock(state_->mutex);
  return {.connections = state_->sessions.size(),
          .streaming = state_->environment->busy,
          .tls_by_kernel = state_->environment->tls_by_kernel,
          .tls_by_openssl = state_->environment->tls_by_openssl};
}

}  // namespace paddock
