#include "proxy/oci/strict_json.h"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using Json = nlohmann::json;

// First pass: says why the text is refused, without building anything. The parser calls it without recursion, so
// that nesting costs heap up to the limit and never stack.
class Checker : public nlohmann::json_sax<Json> {
 public:
  explicit Checker(JsonLimits limits) : limits_(limits) {}
  [[nodiscard]] const std::string& reason() const { return reason_; }

  bool null() override { return count(); }
  bool boolean(bool /*value*/) override { return count(); }
  bool number_integer(number_integer_t /*value*/) override { return count(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return count(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return count(); }
  bool string(string_t& /*value*/) override { return count(); }
  bool binary(binary_t& /*value*/) override { return count(); }

  bool start_object(std::size_t /*elements*/) override { return open(); }
  bool start_array(std::size_t /*elements*/) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    return refuse("the key " + quote(name) + " occurs twice in an object");
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& /*error*/) override {
    return refuse("not JSON at byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }
  bool count() {
    return ++values_ <= limits_.values || refuse("more than " + std::to_string(limits_.values) + " values");
  }
  bool open() {
    if (keys_.size() >= limits_.depth) return refuse("nested more than " + std::to_string(limits_.depth) + " deep");
    keys_.emplace_back();
    return count();
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  JsonLimits limits_;
  std::size_t values_ = 0;
  std::vector<std::unordered_set<std::string>> keys_;  // one for each open object or array
  std::string reason_;
};

}  // namespace

Result<Json> parse_strict_json(std::string_view text, JsonLimits limits) {
  // The parser takes a NUL for the end of the text and would leave the rest unread.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(ErrorCode::protocol, Blame::upstream, "not JSON at byte " + std::to_string(nul));
  }
  Checker checker(limits);
  if (!Json::sax_parse(text, &checker)) {
    return fail(ErrorCode::protocol, Blame::upstream, checker.reason().empty() ? "not JSON" : checker.reason());
  }
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return fail(ErrorCode::protocol, Blame::upstream, "not JSON");
  return value;
}

}  // namespace paddock
