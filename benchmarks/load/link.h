// Link: one keep-alive connection that asks one thing at a time and waits for the answer.
//
//   idle ──ask()──▶ connecting (the first time) ──▶ sending ──▶ header ──▶ body ──▶ idle, answer() is complete
//     any of them ──▶ failed: answer() says why; a failed link is of no more use
//
// HTTP/1.1 answers with Content-Length; others fail it. One thread; drive() never blocks. Times are steady.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "benchmarks/load/socket.h"

namespace paddock::load {

using Time = std::chrono::steady_clock::time_point;

struct Answer {
  int status = 0;
  std::uint64_t length = 0;    // as announced
  std::uint64_t received = 0;  // of the body
  std::string body;            // when it was to be kept
  double first_byte = 0;       // seconds from ask() to the first byte of the body, connecting included
  std::string error;           // why there is no whole answer

  [[nodiscard]] bool ok() const { return error.empty() && status == 200; }
  [[nodiscard]] std::string said() const { return error.empty() ? "status " + std::to_string(status) : error; }
};

class Link {
 public:
  enum class Step : std::uint8_t { waiting, answered, failed };

  Link(const Target& target, SSL_CTX* tls) : target_(target), tls_(tls) {}

  // `path` below the target's; `headers` are lines that end with CRLF.
  void ask(const std::string& path, const std::string& headers, bool keep_body);
  // As far as it goes without waiting.
  Step drive();
  [[nodiscard]] const Answer& answer() const { return answer_; }
  [[nodiscard]] int descriptor() const { return socket_->descriptor(); }
  [[nodiscard]] bool wants_write() const;
  // drive() again without waiting for the kernel.
  [[nodiscard]] bool holds_bytes() const { return state_ != State::failed && socket_->holds_bytes(); }
  [[nodiscard]] bool open() const { return state_ == State::idle && socket_ && socket_->open(); }
  [[nodiscard]] bool busy() const { return state_ != State::idle && state_ != State::failed; }
  [[nodiscard]] Time last_progress() const { return progress_; }
  Step fail(std::string why);

 private:
  enum class State : std::uint8_t { idle, connecting, sending, header, body, failed };

  // One step of the state it is in; false: nothing more to do now.
  bool advance();
  bool connect();
  bool send_more();
  bool read_header();
  bool read_body();
  bool note(const Moved& moved);  // whether something moved
  bool parse_header(std::size_t end);
  void take_body(std::string_view bytes);

  const Target& target_;
  SSL_CTX* tls_;
  std::unique_ptr<Socket> socket_;
  State state_ = State::idle;
  std::string request_;
  std::size_t sent_ = 0;
  std::string header_;
  bool keep_body_ = false;
  Answer answer_;
  Time asked_{};
  Time progress_{};
};

}  // namespace paddock::load
