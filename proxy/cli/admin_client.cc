#include "proxy/cli/admin_client.h"

#include <cstdlib>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/cli/blocking_http.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/json_view.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t answer_limit = std::size_t{64} * 1024 * 1024;  // bytes
constexpr int depth_limit = 64;  // of nesting, as what prints and copies JSON recurses

// Nothing when it is none, or nested too deep.
std::optional<nlohmann::ordered_json> parse_answer(const std::string& body) {
  using Json = nlohmann::ordered_json;
  bool deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t /*event*/, Json& /*value*/) {
    deep = deep || depth > depth_limit;
    return !deep;
  };
  auto json = Json::parse(body, shallow, false);
  return deep || json.is_discarded() ? std::nullopt : std::optional(std::move(json));
}

ErrorCode code_of(int status) {
  if (status == 404) return ErrorCode::not_found;
  return status == 400 ? ErrorCode::invalid_argument : ErrorCode::protocol;
}

}  // namespace

void AdminOptions::add_to(CLI::App& command) {
  command.add_option("--server", server, "Admin address of the running cache")
      ->envname("PADDOCK_SERVER")
      ->capture_default_str();
  command.add_option("--token-file", token_file, "File with the admin token (or PADDOCK_TOKEN)");
}

Result<AdminClient> AdminClient::make(const AdminOptions& options) {
  if (options.server.starts_with("unix:")) {
    return fail(ErrorCode::invalid_argument, Blame::client,
                "--server: Unix sockets cannot be asked; let admin.listen be an address, 127.0.0.1:5001 say");
  }
  auto url = Url::parse(options.server.find("://") == std::string::npos ? "http://" + options.server : options.server);
  if (!url) return std::unexpected(url.error().with("--server"));
  std::string token;
  if (!options.token_file.empty()) {
    auto read = read_secret(options.token_file, "token");
    if (!read) return std::unexpected(read.error().with("--token-file"));
    token = *std::move(read);
  } else if (const char* set = std::getenv("PADDOCK_TOKEN")) {
    token = set;
    if (token.find_first_of("\r\n") != std::string::npos) {
      return fail(ErrorCode::invalid_argument, Blame::client, "PADDOCK_TOKEN holds more than one line");
    }
  }
  return AdminClient(*std::move(url), std::move(token), options.patience);
}

Result<nlohmann::ordered_json> AdminClient::get(std::string target) const { return ask({}, std::move(target)); }

Result<nlohmann::ordered_json> AdminClient::post(std::string target, const nlohmann::ordered_json& body) const {
  ClientRequest request;
  request.method = Method::post;
  request.headers.add("Content-Type", "application/json");
  request.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return ask(std::move(request), std::move(target));
}

Result<nlohmann::ordered_json> AdminClient::del(std::string target) const {
  ClientRequest request;
  request.method = Method::del;
  return ask(std::move(request), std::move(target));
}

Result<nlohmann::ordered_json> AdminClient::ask(ClientRequest request, std::string target) const {
  request.url = server_.with_target(std::move(target));
  request.headers.add("Accept", "application/json");
  if (!token_.empty()) request.headers.add("Authorization", "Bearer " + token_);
  const auto answer = ask_http(std::move(request), patience_, answer_limit);
  if (!answer && answer.error().code == ErrorCode::timeout) {
    return fail(ErrorCode::timeout, Blame::upstream,
                fmt::format("{} does not answer ({}): is it paddock, and is it overloaded? look at its log, or give "
                            "--server or PADDOCK_SERVER",
                            server_.origin(), answer.error().context));
  }
  if (!answer) {
    return fail(answer.error().code, Blame::upstream,
                fmt::format("cannot reach {} ({}): is paddock running? give --server or PADDOCK_SERVER",
                            server_.origin(), answer.error().context));
  }
  return read_answer(answer->status, answer->body);
}

Result<nlohmann::ordered_json> AdminClient::read_answer(int status, const std::string& body) const {
  if (status == 401) {
    return fail(ErrorCode::unauthorized, Blame::client,
                fmt::format("{} wants {} token: give --token-file or PADDOCK_TOKEN", server_.origin(),
                            token_.empty() ? "a" : "another"));
  }
  auto json = parse_answer(body);
  if (!json || !json->is_object()) {
    return fail(ErrorCode::protocol, Blame::upstream,
                fmt::format("what answers at {} (status {}) is not paddock's admin address: give --server",
                            server_.origin(), status));
  }
  if (status == 200 || status == 202) return *std::move(json);
  auto reason = public_message(JsonView(*json).at("error").text("message"));
  if (reason.empty()) reason = "no reason given";
  return fail(code_of(status), Blame::upstream, fmt::format("{} answered {}: {}", server_.origin(), status, reason));
}

}  // namespace paddock
