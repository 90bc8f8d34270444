#include "benchmarks/load/link.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace paddock::load {
namespace {

constexpr std::size_t header_limit = std::size_t{64} << 10U;
constexpr int turns = 8;  // reads of one link before others have theirs

double seconds_since(Time start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// The value of a header, in lower-case `header`; `name` with its colon.
std::string_view value_of(std::string_view header, std::string_view name) {
  const std::size_t at = header.find("\r\n" + std::string(name));
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + 2 + name.size());
  header = header.substr(0, header.find("\r\n"));
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header.substr(0, header.find_last_not_of(' ') + 1);
}

}  // namespace

void Link::ask(const std::string& path, const std::string& headers, bool keep_body) {
  request_ = "GET " + target_.path + path + " HTTP/1.1\r\nHost: " + target_.authority() +
             "\r\nUser-Agent: pull_load\r\n" + headers + "\r\n";
  sent_ = 0;
  header_.clear();
  keep_body_ = keep_body;
  answer_ = {};
  asked_ = progress_ = std::chrono::steady_clock::now();
  state_ = socket_ ? State::sending : State::connecting;
  if (!socket_) socket_ = std::make_unique<Socket>(target_, tls_);
}

bool Link::wants_write() const {
  return state_ == State::connecting || state_ == State::sending || (socket_ && socket_->wants_write());
}

Link::Step Link::drive() {
  for (int turn = 0; turn < turns && advance();) turn += state_ == State::body ? 1 : 0;
  if (state_ == State::failed) return Step::failed;
  return state_ == State::idle ? Step::answered : Step::waiting;
}

Link::Step Link::fail(std::string why) {
  answer_.error = std::move(why);
  state_ = State::failed;
  return Step::failed;
}

bool Link::advance() {
  switch (state_) {
    case State::connecting:
      return connect();
    case State::sending:
      return send_more();
    case State::header:
      return read_header();
    case State::body:
      return read_body();
    case State::idle:
    case State::failed:
      return false;
  }
  return false;
}

bool Link::note(const Moved& moved) {
  if (!moved) fail(moved.error());
  if (!moved || *moved == 0) return false;
  progress_ = std::chrono::steady_clock::now();
  return true;
}

bool Link::connect() {
  if (!note(socket_->establish())) return false;
  state_ = State::sending;
  return true;
}

bool Link::send_more() {
  const Moved moved = socket_->send(std::string_view(request_).substr(sent_));
  if (!note(moved)) return false;
  sent_ += *moved;
  if (sent_ == request_.size()) state_ = State::header;
  return true;
}

bool Link::read_header() {
  std::array<char, std::size_t{16} << 10U> bytes;
  const Moved moved = socket_->receive(bytes);
  if (!note(moved)) return false;
  header_.append(bytes.data(), *moved);
  const std::size_t end = header_.find("\r\n\r\n");
  if (end != std::string::npos) return parse_header(end);
  if (header_.size() < header_limit) return true;
  fail("a header without end");
  return false;
}

bool Link::parse_header(std::size_t end) {
  std::string header = header_.substr(0, end);
  std::ranges::transform(header, header.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  const auto status = header.size() > 12 ? number_of<int>(std::string_view(header).substr(9, 3)) : std::nullopt;
  const auto length = number_of<std::uint64_t>(value_of(header, "content-length:"));
  if (!header.starts_with("http/1.1 ") || !status || !length) {
    fail("not an HTTP/1.1 answer with Content-Length: " + header_.substr(0, header_.find("\r\n")));
    return false;
  }
  answer_.status = *status;
  answer_.length = *length;
  state_ = *length > 0 ? State::body : State::idle;
  const std::string rest = header_.substr(end + 4);
  if (!rest.empty()) take_body(rest);
  return state_ == State::body;
}

void Link::take_body(std::string_view bytes) {
  if (answer_.received == 0) answer_.first_byte = seconds_since(asked_);
  if (bytes.size() > answer_.length - answer_.received) {
    fail("more bytes than announced");
    return;
  }
  answer_.received += bytes.size();
  if (keep_body_) answer_.body.append(bytes);
  if (answer_.received == answer_.length) state_ = State::idle;
}

bool Link::read_body() {
  const std::uint64_t left = answer_.length - answer_.received;
  if (keep_body_) {
    std::array<char, std::size_t{16} << 10U> bytes;
    const Moved moved = socket_->receive(std::span(bytes).first(std::min<std::uint64_t>(left, bytes.size())));
    if (!note(moved)) return false;
    take_body(std::string_view(bytes.data(), *moved));
    return true;
  }
  const Moved moved = socket_->discard(left);
  if (!note(moved)) return false;
  if (answer_.received == 0) answer_.first_byte = seconds_since(asked_);
  answer_.received += *moved;
  if (answer_.received == answer_.length) state_ = State::idle;
  return true;
}

}  // namespace paddock::load
