#include "proxy/net/proxy_tunnel.h"

#include <array>
#include <boost/asio/error.hpp>
#include <openssl/evp.h>

namespace paddock {
namespace {

constexpr std::size_t answer_limit = std::size_t{16} * 1024;

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string host_and_port(const Url& url) {
  const bool v6 = url.host.contains(':');
  return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

}  // namespace

std::string proxy_authorization(const Url& proxy) {
  if (proxy.user.empty() && proxy.password.empty()) return {};
  return "Basic " + base64(proxy.user + ":" + proxy.password);
}

std::string connect_request(const Url& url, const Url& proxy) {
  const auto target = host_and_port(url);
  std::string out = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (const auto credentials = proxy_authorization(proxy); !credentials.empty()) {
    out += "Proxy-Authorization: " + credentials + "\r\n";
  }
  return out + "\r\n";
}

Result<void> judge_connect_answer(std::string_view answer) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (answer.size() < 13 || !answer.starts_with("HTTP/1.") || answer[8] != ' ' || !is_digit(answer[9]) ||
      !is_digit(answer[10]) || !is_digit(answer[11])) {
    return fail(ErrorCode::protocol, Blame::upstream, "the proxy does not speak HTTP");
  }
  const auto status = answer.substr(9, 3);
  if (status[0] == '2') return {};
  if (status == "407") return fail(ErrorCode::denied, Blame::upstream, "the proxy wants (other) credentials");
  if (status == "403") return fail(ErrorCode::denied, Blame::upstream, "the proxy does not allow this host");
  return fail(ErrorCode::unavailable, Blame::upstream, "the proxy answered " + std::string(status), true);
}

Task<Result<void>> open_tunnel(Connection& connection, Url url, Url proxy) {
  const auto request = connect_request(url, proxy);
  std::size_t sent = 0;
  while (sent < request.size()) {
    const auto [error, size] = co_await connection.write_some(asio::buffer(request) + sent);
    if (error) co_return fail(ErrorCode::unavailable, Blame::upstream, "asking the proxy: " + error.message(), true);
    sent += size;
  }
  std::string answer;
  std::array<char, 1024> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): only read into
  while (!answer.contains("\r\n\r\n")) {
    const auto [error, size] = co_await connection.read(asio::buffer(piece));
    if (error) co_return fail(ErrorCode::unavailable, Blame::upstream, "asking the proxy: " + error.message(), true);
    answer.append(piece.data(), size);
    if (answer.size() > answer_limit) co_return fail(ErrorCode::protocol, Blame::upstream, "the proxy talks too much");
  }
  auto verdict = judge_connect_answer(answer);
  if (verdict && !answer.ends_with("\r\n\r\n")) {
    co_return fail(ErrorCode::protocol, Blame::upstream, "the proxy sent bytes of its own into the tunnel");
  }
  co_return verdict;
}

}  // namespace paddock
