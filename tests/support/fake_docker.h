// FakeDocker: answers on a Unix socket what a test says, one request a connection, and remembers what was asked.
//
// Requests for which there is no answer get 404, as Docker does for images that it does not have. The destructor ends
// whatever waits.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <vector>

#include "tests/proxy/net/raw_socket.h"
#include "tests/support/temporary_folder.h"

namespace paddock::test {

inline std::string http_answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Said\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Without a length: until the connection ends.
inline std::string http_stream(const std::string& body) { return "HTTP/1.1 200 OK\r\n\r\n" + body; }

class FakeDocker {
 public:
  FakeDocker() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path().copy(at.sun_path, sizeof(at.sun_path) - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 || ::listen(listener_, 16) != 0) {
      throw std::runtime_error("listen");
    }
    answer("GET /_ping", http_answer(200, "OK", "Api-Version: 1.41\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n"));
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeDocker() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  FakeDocker(const FakeDocker&) = delete;
  FakeDocker& operator=(const FakeDocker&) = delete;

  [[nodiscard]] std::string path() const { return folder_ / "docker.sock"; }
  // To requests that begin so; several are given in turn, the last of them for ever. The longest beginning counts.
  void answer(const std::string& start, const std::string& raw) {
    const std::lock_guard lock(mutex_);
    answers_[start].push_back(raw);
  }
  // Instead of what was said before.
  void answer_now(const std::string& start, const std::string& raw) {
    const std::lock_guard lock(mutex_);
    answers_[start] = {raw};
  }
  // After its answer, connections of these requests stay open and silent.
  void hang(const std::string& start) {
    const std::lock_guard lock(mutex_);
    hanging_ = start;
  }
  // These requests are answered with a stream that says the same again and again, for as long as anybody listens.
  void repeat(const std::string& start, const std::string& line) {
    answer_now(start, http_stream(line));
    const std::lock_guard lock(mutex_);
    hanging_ = start;
    again_ = line;
  }
  [[nodiscard]] int repeated() const { return repeated_; }
  [[nodiscard]] std::vector<std::string> requests() const {  // "GET /v1.41/images/..."
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] bool asked(std::string_view start) const {
    const auto seen = requests();
    return std::ranges::any_of(seen, [&](const auto& line) { return line.starts_with(start); });
  }
  [[nodiscard]] std::string last_header() const {
    const std::lock_guard lock(mutex_);
    return header_;
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd watched{.fd = listener_, .events = POLLIN, .revents = 0};
      if (::poll(&watched, 1, 10) <= 0) continue;
      RawSocket connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
      const auto header = connection.read_until("\r\n\r\n");
      const auto line = header.substr(0, header.find(" HTTP/1.1"));
      connection.send(answer_to(line, header));
      while (!stop_ && hangs(line)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        if (again_.empty()) continue;
        connection.send(again_);
        ++repeated_;
      }
    }
  }
  bool hangs(const std::string& line) {
    const std::lock_guard lock(mutex_);
    return !hanging_.empty() && line.starts_with(hanging_);
  }
  std::string answer_to(const std::string& line, const std::string& header) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(line);
    if (line.starts_with("POST /v1.41/images/create")) header_ = header;
    auto found = answers_.end();
    for (auto at = answers_.begin(); at != answers_.end(); ++at) {
      const bool longer = found == answers_.end() || at->first.size() > found->first.size();
      if (line.starts_with(at->first) && longer) found = at;
    }
    if (found == answers_.end()) return http_answer(404, R"({"message":"no such image"})");
    auto raw = found->second.front();
    if (found->second.size() > 1) found->second.erase(found->second.begin());
    return raw;
  }

  TemporaryFolder folder_;
  int listener_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> answers_;
  std::string hanging_, header_, again_;
  std::atomic<int> repeated_{0};
  std::vector<std::string> requests_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace paddock::test
