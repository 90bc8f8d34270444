// What a handler sees of HTTP: requests, responses, bodies. No Beast, no sockets; safe to build in tests.
//
// A response's body is nothing, a string in memory, or a stream that the session pulls piece by piece. A piece is a
// region of a file (sent by the kernel where possible) or bytes in memory. When a stream fails the connection is
// aborted, so that the client sees a broken transfer and never a short body that looks complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/error.h"
#include "storage/file_system.h"
#include "storage/task.h"

namespace paddock {

// Ordered, names compared without case (RFC 9110, 5.1). All text is in one piece of memory: an answer has many short
// ones. What is added must not be of the same object; views end with the next change.
class Headers {
 public:
  using Field = std::pair<std::string_view, std::string_view>;
  class Iterator;

  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  void remove(std::string_view name);
  // The first of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

 private:
  struct Place {
    std::uint32_t at, size;
  };
  [[nodiscard]] Place append(std::string_view text);
  [[nodiscard]] std::string_view text(const Place& place) const { return {text_.data() + place.at, place.size}; }

  std::string text_;
  std::vector<std::pair<Place, Place>> fields_;
};

class Headers::Iterator {
 public:
  using value_type = Field;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
  Field operator*() const {
    const auto& [name, value] = headers_->fields_[index_];
    return {headers_->text(name), headers_->text(value)};
  }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  Iterator operator++(int) { return std::exchange(*this, Iterator(*headers_, index_ + 1)); }
  bool operator==(const Iterator&) const = default;

 private:
  const Headers* headers_ = nullptr;
  std::size_t index_ = 0;
};

inline Headers::Iterator Headers::begin() const { return {*this, 0}; }
inline Headers::Iterator Headers::end() const { return {*this, fields_.size()}; }

enum class Method : std::uint8_t { get, head, post, put, patch, del, connect, other };

struct Request {
  Method method = Method::get;
  std::string method_name;  // as received
  std::string path;         // percent-encoded as received, without the query; of a CONNECT "host:port"
  std::string query;        // without '?'
  Headers headers;
  std::string body;  // small bodies only; the server refuses larger ones
  std::string id;    // for logs; unique in this process
  std::string peer;  // "192.0.2.7:51234", or "unix"
  bool tls = false;
  std::string tls_name;  // SNI, when given
  std::string listener;  // the name of the address it came to, see Server::listen
  // "registry.baidubce.com", with a port unless it is 443: of the CONNECT that the connection began with, where that
  // ended here.
  std::string connect_host;

  // A query parameter, percent-decoded; the first of that name.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

struct FileRegion {
  std::shared_ptr<const File> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // > 0
};
using BodyPiece = std::variant<FileRegion, std::shared_ptr<const std::string>>;

struct BodyStream {
  static constexpr std::uint64_t endless = UINT64_MAX;  // until an empty piece comes, and then the connection ends

  std::uint64_t length = 0;  // exactly what the pieces add up to, or `endless`
  // Called until `length` bytes have come. An error aborts the connection.
  std::function<Task<Result<BodyPiece>>()> next;
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length is the session's; a HEAD response may give its own
  std::variant<std::monostate, std::string, std::shared_ptr<const std::string>, BodyStream> body;
  std::string route;     // for metrics and the access log: "manifest", "blob", ...
  std::string cache;     // "hit", "fill", "stale", "bypass" or nothing; for metrics and the access log
  std::string upstream;  // which upstream it concerned, for the access log
  std::string log_note;  // one phrase for the access log: why it failed
};

using Handler = std::function<Task<Response>(const Request&)>;

}  // namespace paddock
