#include "proxy/upstream/auth_challenge.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

constexpr std::size_t field_limit = std::size_t{8} * 1024;
constexpr std::size_t challenge_limit = 16;
constexpr std::size_t token_limit = std::size_t{16} * 1024;
constexpr std::chrono::seconds default_lifetime{60};
constexpr std::chrono::seconds longest_lifetime{3600};

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

// Walks over one field's text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  [[nodiscard]] bool done() const { return text_.empty(); }
  [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_.front(); }

  void skip(std::string_view characters) {
    text_.remove_prefix(std::min(text_.find_first_not_of(characters), text_.size()));
  }
  bool take(char c) {
    if (peek() != c || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string_view token() {
    const auto end = std::ranges::find_if_not(text_, is_token_char) - text_.begin();
    const auto found = text_.substr(0, static_cast<std::size_t>(end));
    text_.remove_prefix(found.size());
    return found;
  }
  // Nothing when it does not end, or holds a control character.
  std::optional<std::string> quoted() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!text_.empty()) {
      if (take('"')) return out;
      take('\\');
      if (text_.empty() || static_cast<unsigned char>(text_.front()) < 0x20 || text_.front() == 0x7f) break;
      out += text_.front();
      text_.remove_prefix(1);
    }
    return std::nullopt;
  }
  // The credentials that some schemes send instead of parameters.
  bool skip_token68() {
    const auto end = text_.find_first_of(" \t,");
    const auto word = text_.substr(0, end);
    const auto padding = word.find_last_not_of('=');
    if (word.empty() || padding == std::string_view::npos) return false;
    const auto body = word.substr(0, padding + 1);
    if (!std::ranges::all_of(body, [](char c) { return is_token_char(c) || c == '/'; })) return false;
    Scanner rest(text_.substr(word.size()));
    rest.skip(" \t");  // "name =value" is a parameter
    if (!rest.done() && rest.peek() != ',') return false;
    text_.remove_prefix(word.size());
    return true;
  }

 private:
  std::string_view text_;
};

void set_parameter(AuthChallenge& challenge, std::string_view name, std::string value) {
  const std::string key = lower_case(name);
  std::string* member = key == "realm"     ? &challenge.realm
                        : key == "service" ? &challenge.service
                        : key == "scope"   ? &challenge.scope
                        : key == "error"   ? &challenge.error
                                           : nullptr;
  if (member != nullptr && member->empty()) *member = std::move(value);
}

// One parameter after its name and '='. False: the rest of the field cannot be understood.
bool read_value(Scanner& scanner, std::string& value) {
  scanner.skip(" \t");
  if (scanner.peek() != '"') {
    value = scanner.token();
    return !value.empty();
  }
  auto text = scanner.quoted();
  if (!text) return false;
  value = *std::move(text);
  return true;
}

void parse_field(std::string_view text, std::vector<AuthChallenge>& out) {
  Scanner scanner(text);
  std::optional<AuthChallenge> current;
  const auto finish = [&] {
    if (current && out.size() < challenge_limit) out.push_back(*std::exchange(current, std::nullopt));
    current.reset();
  };
  for (;;) {
    scanner.skip(" \t,");
    const auto word = scanner.token();
    if (word.empty()) break;
    const bool spaced = scanner.peek() == ' ' || scanner.peek() == '\t';
    scanner.skip(" \t");
    if (scanner.take('=')) {
      std::string value;
      // A challenge cut off in the middle is dropped: half of it might mean something else.
      if (!read_value(scanner, value)) return;
      if (current) set_parameter(*current, word, std::move(value));
      continue;
    }
    finish();
    const std::string scheme = lower_case(word);
    if (scheme == "bearer") current.emplace();
    if (scheme == "basic") current.emplace().scheme = AuthChallenge::Scheme::basic;
    if (spaced) scanner.skip_token68();
  }
  if (scanner.done()) finish();
}

bool can_be_sent(std::string_view token) {
  return !token.empty() && token.size() <= token_limit &&
         std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::chrono::seconds lifetime_of(const nlohmann::json& json) {
  const auto found = json.find("expires_in");
  if (found == json.end() || !found->is_number()) return default_lifetime;
  const double seconds = found->get<double>();
  if (!(seconds >= 1)) return default_lifetime;
  if (seconds >= static_cast<double>(longest_lifetime.count())) return longest_lifetime;
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

}  // namespace

std::vector<AuthChallenge> parse_challenges(std::span<const std::string_view> fields) {
  std::vector<AuthChallenge> out;
  for (const auto field : fields) {
    if (field.size() <= field_limit) parse_field(field, out);
  }
  return out;
}

std::optional<AuthChallenge> choose_challenge(const std::vector<AuthChallenge>& challenges) {
  std::optional<AuthChallenge> basic;
  for (const auto& challenge : challenges) {
    if (challenge.scheme == AuthChallenge::Scheme::bearer && !challenge.realm.empty()) return challenge;
    if (challenge.scheme == AuthChallenge::Scheme::basic && !basic) basic = challenge;
  }
  return basic;
}

std::string pull_scope(std::string_view asked, std::string_view repository) {
  constexpr std::string_view kind = "repository:";
  constexpr std::string_view action = ":pull";
  if (asked.starts_with(kind) && asked.ends_with(action) && asked.size() > kind.size() + action.size()) {
    const auto name = asked.substr(kind.size(), asked.size() - kind.size() - action.size());
    const bool plain = std::ranges::none_of(name, [](char c) { return c == ' ' || c == ':' || c == ','; });
    const bool prefixed = name.ends_with(repository) && name.size() > repository.size() &&
                          name[name.size() - repository.size() - 1] == '/';
    if (plain && (name == repository || prefixed)) return std::string(asked);
  }
  return std::string(kind).append(repository).append(action);
}

Result<Token> parse_token(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::protocol, Blame::upstream, "the token endpoint did not answer JSON");
  for (const auto* name : {"token", "access_token"}) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) continue;
    if (auto value = found->get<std::string>(); can_be_sent(value)) return Token{std::move(value), lifetime_of(json)};
  }
  return fail(ErrorCode::protocol, Blame::upstream, "the token endpoint's answer holds no usable token");
}

}  // namespace paddock
