// The sockets of ScriptedRegistry: blocking, a thread a connection.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/scripted_state.h"

namespace paddock::test {
namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

int bound_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the scripted registry cannot bind a port of loopback");
  }
  port = ntohs(address.sin_port);
  return fd;
}

void reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The next request's header, or nothing when the client has gone. Requests have no bodies here.
std::optional<std::string> read_header(int fd, std::string& buffer) {
  for (;;) {
    if (const auto end = buffer.find("\r\n\r\n"); end != std::string::npos) {
      std::string header = buffer.substr(0, end + 2);
      buffer.erase(0, end + 4);
      return header;
    }
    char piece[4096];
    const auto got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return std::nullopt;
    buffer.append(piece, static_cast<std::size_t>(got));
  }
}

SeenRequest parse_request(const std::string& header) {
  SeenRequest request;
  const auto line_end = header.find("\r\n");
  const std::string line = header.substr(0, line_end);
  const auto first = line.find(' ');
  const auto second = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  for (std::size_t at = line_end + 2; at < header.size();) {
    const auto end = header.find("\r\n", at);
    const auto colon = header.find(':', at);
    if (colon < end) {
      const auto value = header.find_first_not_of(' ', colon + 1);
      request.headers.add(header.substr(at, colon - at), value < end ? header.substr(value, end - value) : "");
    }
    at = end + 2;
  }
  return request;
}

std::string header_text(const Answer& answer) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n";
  for (const auto& [name, value] : answer.headers) text.append(name).append(": ").append(value).append("\r\n");
  return text + "\r\n";
}

std::string chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size).append(bytes).append("\r\n");
}

}  // namespace

void ScriptedRegistry::State::start() {
  const MutexLock lock(mutex);
  stopping = false;
  if (listener < 0) listener = bound_socket(port);
  if (::listen(listener, 256) != 0) throw std::runtime_error("the scripted registry cannot listen");
  acceptor = std::thread([this, fd = listener] { accept_loop(fd); });
}

void ScriptedRegistry::State::stop() {
  {
    const MutexLock lock(mutex);
    stopping = true;
    changed.notify_all();
    if (listener >= 0) ::shutdown(listener, SHUT_RDWR);  // wakes accept()
    for (const int fd : open) ::shutdown(fd, SHUT_RDWR);
  }
  if (acceptor.joinable()) acceptor.join();
  std::vector<std::thread> ending;
  {
    const MutexLock lock(mutex);
    for (const int fd : open) ::shutdown(fd, SHUT_RDWR);  // accepted meanwhile
    ending.swap(threads);
    if (listener >= 0) ::close(listener);
    listener = -1;
  }
  for (auto& thread : ending) thread.join();
}

void ScriptedRegistry::State::reserve_port() {
  const MutexLock lock(mutex);
  listener = bound_socket(port);
}

void ScriptedRegistry::State::accept_loop(int fd) {
  for (;;) {
    const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    const MutexLock lock(mutex);
    if (client < 0 || stopping) {
      if (client >= 0) ::close(client);
      return;
    }
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted;
    open.insert(client);
    threads.emplace_back([this, client] { serve(client); });
    changed.notify_all();
  }
}

void ScriptedRegistry::State::serve(int fd) {
  std::string buffer;
  while (auto header = read_header(fd, buffer)) {
    if (!answer_one(fd, parse_request(*header))) break;
  }
  const MutexLock lock(mutex);
  open.erase(fd);
  ::close(fd);
}

bool ScriptedRegistry::State::answer_one(int fd, const SeenRequest& request) {
  const std::size_t index = record(request);
  const Behaviour behaviour = behaviour_for(request);
  if (behaviour.drop) {
    reset(fd);
    return false;
  }
  if (behaviour.stall_before_header && !stall()) return false;
  Answer answer = answer_for(request, behaviour);
  const bool head = request.method == "HEAD";
  const std::uint64_t length = answer.length.value_or(answer.body->size());
  if (behaviour.chunked) {
    if (!head) answer.headers.set("Transfer-Encoding", "chunked");
  } else if (answer.status != 304) {
    answer.headers.set("Content-Length", std::to_string(behaviour.announce.value_or(length)));
  }
  for (const auto& [name, value] : behaviour.headers) answer.headers.set(name, value);
  for (const auto& name : behaviour.omit) answer.headers.remove(name);
  if (!send_all(fd, header_text(answer))) return false;
  if (head) return true;
  return send_body(fd, index, behaviour, answer) && !behaviour.announce;
}

bool ScriptedRegistry::State::send_body(int fd, std::size_t index, const Behaviour& behaviour, const Answer& answer) {
  std::string body = answer.body->substr(answer.first, answer.length.value_or(std::string::npos));
  if (behaviour.corrupt_at && *behaviour.corrupt_at < body.size()) body[*behaviour.corrupt_at] ^= 0x20;
  bool stalled_here = false;
  for (std::uint64_t at = 0;;) {
    if (behaviour.stall_at == at && !std::exchange(stalled_here, true) && !stall()) return false;
    if (behaviour.reset_at == at) reset(fd);
    if (behaviour.reset_at == at || behaviour.close_at == at) return false;
    if (at >= body.size()) break;
    std::uint64_t end = std::min<std::uint64_t>(body.size(), at + piece_size);
    for (const auto& event : {behaviour.stall_at, behaviour.reset_at, behaviour.close_at}) {
      if (event && *event > at) end = std::min(end, *event);
    }
    const auto piece = std::string_view(body).substr(at, end - at);
    count_body(index, piece.size());
    if (!send_all(fd, behaviour.chunked ? chunk(piece) : std::string(piece))) return false;
    at = end;
  }
  return !behaviour.chunked || send_all(fd, "0\r\n\r\n");
}

bool ScriptedRegistry::State::stall() {
  const MutexLock lock(mutex);
  ++stalled;
  changed.notify_all();
  const auto before = releases;
  while (!stopping && releases == before) changed.wait(mutex);
  --stalled;
  return !stopping;
}

void ScriptedRegistry::State::count_body(std::size_t index, std::uint64_t bytes) {
  const MutexLock lock(mutex);
  sent[index].second += bytes;
}

std::size_t ScriptedRegistry::State::record(const SeenRequest& request) {
  const MutexLock lock(mutex);
  seen.push_back(request);
  sent.emplace_back(request.line(), 0);
  changed.notify_all();
  return seen.size() - 1;
}

}  // namespace paddock::test
