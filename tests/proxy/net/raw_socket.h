// RawSocket and RawListener: blocking sockets that say exactly the bytes a test wants said, on either side.
// Reads give up after half a minute, so that a broken test fails and does not hang.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace paddock {

class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {
    if (fd_ < 0) throw std::runtime_error("no socket");
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  // "127.0.0.1:PORT" or "unix:PATH", as Server::addresses() has them.
  static RawSocket connect(const std::string& address, int receive_buffer = 0, int segment = 0) {
    if (address.starts_with("unix:")) return connect_unix(address.substr(5));
    RawSocket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer != 0) {
      ::setsockopt(made.fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    if (segment != 0) ::setsockopt(made.fd_, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    if (::connect(made.fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) throw std::runtime_error("connect");
    return made;
  }

  // False when the other side has gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What comes until `end` is in it, the other side closes (ended), or resets (broken).
  std::string read_until(std::string_view end) {
    while (!text_.contains(end) && fill()) {
    }
    const auto at = text_.find(end);
    return take(at == std::string::npos ? text_.size() : at + end.size());
  }
  std::string read_exactly(std::size_t size) {
    while (text_.size() < size && fill()) {
    }
    return take(size);
  }
  std::string read_all() {
    while (fill()) {
    }
    return take(text_.size());
  }
  std::string read_some() {
    if (text_.empty()) fill();
    return take(text_.size());
  }
  // Header and body of one response with a Content-Length.
  std::string read_response() {
    auto response = read_until("\r\n\r\n");
    const auto at = response.find("Content-Length: ");
    if (at != std::string::npos) response += read_exactly(std::stoul(response.substr(at + 16)));
    return response;
  }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool broken() const { return broken_; }  // ECONNRESET
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  static RawSocket connect_unix(const std::string& path) {
    RawSocket made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    if (::connect(made.fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) throw std::runtime_error("connect");
    return made;
  }
  bool fill() {
    std::array<char, 16384> piece;
    const auto got = ::recv(fd_, piece.data(), piece.size(), 0);
    if (got > 0) {
      text_.append(piece.data(), static_cast<std::size_t>(got));
      return true;
    }
    ended_ = got == 0;
    broken_ = got < 0 && errno == ECONNRESET;
    return false;
  }
  std::string take(std::size_t size) {
    auto out = text_.substr(0, size);
    text_.erase(0, out.size());
    return out;
  }

  int fd_;
  std::string text_;
  bool ended_ = false, broken_ = false;
};

class RawListener {
 public:
  RawListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd_, 16) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      throw std::runtime_error("listen");
    }
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    port_ = ntohs(at.sin_port);
  }
  ~RawListener() { close(); }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  RawSocket accept() { return RawSocket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace paddock
