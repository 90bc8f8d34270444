// throttle: a TCP relay on loopback whose every connection brings at most so many bytes a second from the target.
//
//   throttle LISTEN_PORT TARGET_PORT BYTES_A_SECOND
//
// nginx's limit_rate counts anew for each request, and lets the first second's bytes through at once: who asks for
// pieces over one connection would not be held back at all. Two threads a connection; runs until it is killed.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int buffer = 256 << 10;               // bytes, of each socket in each direction
constexpr std::chrono::milliseconds burst{10};  // what may be sent at once after a rest

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {
    if (value_ < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

struct Pair {
  explicit Pair(int accepted) : client(accepted), target(::socket(AF_INET, SOCK_STREAM, 0)) {}
  Descriptor client;
  Descriptor target;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool send_all(int to, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(to, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

// Until one side ends; `rate` in bytes a second, 0: as fast as it goes.
void relay(int from, int to, double rate) {
  std::array<char, std::size_t{64} << 10U> bytes;
  auto due = Clock::now();  // when what has been sent so far should have been
  for (;;) {
    const ssize_t count = ::recv(from, bytes.data(), bytes.size(), 0);
    if (count <= 0 || !send_all(to, bytes.data(), static_cast<std::size_t>(count))) break;
    if (rate == 0) continue;
    due = std::max(due, Clock::now() - burst);
    due +=
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(count) / rate));
    std::this_thread::sleep_until(due);
  }
  // The other direction must not wait for what will never come.
  ::shutdown(from, SHUT_RDWR);
  ::shutdown(to, SHUT_RDWR);
}

void serve(int client, std::uint16_t target_port, double rate) {
  const auto pair = std::make_shared<Pair>(client);
  // What waits in here has been counted as sent by the target and is in nobody's hands.
  for (const int one : {pair->client.get(), pair->target.get()})
    for (const int option : {SO_SNDBUF, SO_RCVBUF}) ::setsockopt(one, SOL_SOCKET, option, &buffer, sizeof buffer);
  const auto address = loopback(target_port);
  if (::connect(pair->target.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const int on = 1;
  for (const int one : {pair->client.get(), pair->target.get()})
    ::setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::thread([pair] { relay(pair->client.get(), pair->target.get(), 0); }).detach();
  std::thread([pair, rate] { relay(pair->target.get(), pair->client.get(), rate); }).detach();
}

void run(std::uint16_t port, std::uint16_t target, double rate) {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = loopback(port);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 1024) != 0)
    throw std::runtime_error("port " + std::to_string(port) + ": " + std::strerror(errno));
  for (;;) {
    const int client = ::accept(listener.get(), nullptr, nullptr);
    if (client >= 0) serve(client, target, rate);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: throttle LISTEN_PORT TARGET_PORT BYTES_A_SECOND");
  const auto port_of = [](const char* text) {
    const unsigned long port = std::stoul(text);
    if (port == 0 || port > 65535) throw std::runtime_error(std::string(text) + " is no port");
    return static_cast<std::uint16_t>(port);
  };
  run(port_of(argv[1]), port_of(argv[2]), std::stod(argv[3]));
} catch (const std::exception& e) {
  std::cerr << "throttle: " << e.what() << '\n';
  return 1;
}
