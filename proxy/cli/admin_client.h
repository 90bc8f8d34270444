// AdminClient: asks a running server's admin address, for the subcommands that do so.
//
// Blocking, but never for longer than `patience`. For one thread. Errors say what to do: unavailable (is it running?),
// timeout (is it overloaded?), unauthorized (which token?), not_found and the rest as the server said; protocol when
// what answers is no paddock.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/client.h"
#include "proxy/net/url.h"
#include "storage/error.h"

namespace paddock {

// --server and --token-file, or PADDOCK_SERVER and PADDOCK_TOKEN.
struct AdminOptions {
  std::string server = "http://127.0.0.1:5001";
  std::string token_file;
  std::chrono::milliseconds patience{10'000};  // for a whole answer

  void add_to(CLI::App& command);
};

class AdminClient {
 public:
  // invalid_argument for a URL or a token file that is of no use.
  static Result<AdminClient> make(const AdminOptions& options);

  // GET `target` ("/api/v1/status"), the answer as JSON.
  [[nodiscard]] Result<nlohmann::ordered_json> get(std::string target) const;
  [[nodiscard]] Result<nlohmann::ordered_json> post(std::string target, const nlohmann::ordered_json& body) const;
  [[nodiscard]] Result<nlohmann::ordered_json> del(std::string target) const;

 private:
  AdminClient(Url server, std::string token, std::chrono::milliseconds patience)
      : server_(std::move(server)), token_(std::move(token)), patience_(patience) {}
  [[nodiscard]] Result<nlohmann::ordered_json> ask(ClientRequest request, std::string target) const;
  [[nodiscard]] Result<nlohmann::ordered_json> read_answer(int status, const std::string& body) const;

  Url server_;
  std::string token_;
  std::chrono::milliseconds patience_;
};

}  // namespace paddock
