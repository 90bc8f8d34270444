// DockerSocket: requests to Docker's Engine API over its Unix socket.
//
// Blocking, each for as long as is said; for one thread. Answers are limited in size. Errors: unavailable (is it
// running?), denied (who may use the socket?), timeout, protocol, too_large.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "proxy/net/http.h"
#include "storage/error.h"

namespace paddock {

struct DockerAnswer {
  int status = 0;
  Headers headers{};
  std::string body{};

  // What the engine says went wrong.
  [[nodiscard]] std::string message() const;
};

class DockerSocket {
 public:
  explicit DockerSocket(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Result<DockerAnswer> ask(Method method, const std::string& target) const;

  struct Stream {
    std::function<void(std::string_view)> take;  // of the body, when the status is 200
    std::function<Result<void>()> look;          // several times a second; an error ends it, and is the outcome
  };
  // A POST whose answer comes bit by bit. The body of an answer that is not 200 is in the result.
  [[nodiscard]] Result<DockerAnswer> follow(const std::string& target, Headers headers, const Stream& stream) const;

 private:
  std::string path_;
};

}  // namespace paddock
