#include "proxy/ingress/htpasswd.h"

#include <algorithm>
#include <crypt.h>
#include <memory>
#include <utility>

#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

constexpr std::size_t hash_length = 60, salt_end = 29;
constexpr int least_cost = 4, most_cost = 15;  // two to the power of so many rounds: 15 takes two seconds

std::unexpected<Error> refuse(std::size_t line, const std::string& why) {
  return fail(ErrorCode::invalid_argument, Blame::client, "line " + std::to_string(line) + ": " + why);
}

int cost_of(std::string_view hash) { return (hash[4] - '0') * 10 + (hash[5] - '0'); }

// "$2y$10$" and 53 characters of salt and hash.
std::string problem_of(std::string_view hash) {
  const bool is_bcrypt =
      hash.starts_with("$2") && hash.size() > 3 && std::string_view("aby").contains(hash[2]) && hash[3] == '$';
  if (!is_bcrypt) return "the password is not hashed with bcrypt: write the line with htpasswd -B";
  const auto is_base64 = [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '/';
  };
  const bool well_formed = hash.size() == hash_length && is_digit(hash[4]) && is_digit(hash[5]) && hash[6] == '$' &&
                           std::ranges::all_of(hash.substr(7), is_base64);
  // Of the salt's last digit two bits count: another one would never match what crypt(3) makes.
  if (!well_formed || !std::string_view(".Oeu").contains(hash[salt_end - 1]))
    return "the bcrypt hash is damaged: write the line with htpasswd -B";
  const int cost = cost_of(hash);
  if (cost < least_cost || cost > most_cost) return "the cost of the hash is not between 4 and 15";
  return {};
}

bool are_equal(std::string_view a, std::string_view b) {
  std::size_t difference = a.size() ^ b.size();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

Result<Htpasswd> Htpasswd::parse(std::string_view text) {
  Htpasswd file;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return refuse(number, "want NAME:HASH");
    const auto hash = line.substr(colon + 1);
    if (auto problem = problem_of(hash); !problem.empty()) return refuse(number, problem);
    if (!file.hashes_.emplace(line.substr(0, colon), hash).second) return refuse(number, "the name occurs twice");
    if (file.dearest_.empty() || cost_of(hash) > cost_of(file.dearest_)) file.dearest_ = hash;
  }
  if (file.hashes_.empty()) {
    return fail(ErrorCode::invalid_argument, Blame::client, "there is no name in it: add one with htpasswd -B");
  }
  return file;
}

bool Htpasswd::verify(const std::string& user, const std::string& password) const {
  const auto known = hashes_.find(user);
  const auto& hash = known == hashes_.end() ? dearest_ : known->second;
  const auto work = std::make_unique<crypt_data>();
  const char* const made = ::crypt_r(password.c_str(), hash.c_str(), work.get());
  const bool matches = made != nullptr && are_equal(made, hash);
  // crypt(3) reads up to the first NUL.
  return matches && known != hashes_.end() && !password.contains('\0');
}

}  // namespace paddock
