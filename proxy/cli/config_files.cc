#include "proxy/cli/config_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "proxy/net/tls.h"

namespace paddock {
namespace {

constexpr std::size_t secret_limit = 4096;  // bytes

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorCode::invalid_argument, Blame::client, path + ": " + why);
}

Result<std::string> read_short(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return refuse(path, "is a folder");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse(path, std::strerror(errno));
  std::string content(secret_limit + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad()) return refuse(path, "cannot be read");
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

class Problems {
 public:
  template <typename T>
  void note(const std::string& key, const Result<T>& read) {
    if (!read) lines_.push_back(key + ": " + read.error().context);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace

Result<std::string> read_secret(const std::string& path, const std::string& what) {
  auto content = read_short(path);
  if (!content) return content;
  if (content->size() > secret_limit) return refuse(path, "is larger than any " + what);
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  if (content->empty()) return refuse(path, "holds no " + what + ": write one into it");
  if (content->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return refuse(path, "holds more than one line: the " + what + " alone belongs into it");
  }
  return content;
}

Result<std::optional<std::string>> reread_secret(const std::string& path, const std::string& what) {
  std::error_code ignored;
  const auto type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::character) return std::nullopt;
  auto secret = read_secret(path, what);
  if (!secret) return std::unexpected(std::move(secret).error());
  return *std::move(secret);
}

std::vector<std::string> file_problems(const config::Config& config) {
  Problems problems;
  if (!config.admin.token_file.empty()) {
    problems.note("admin.token_file", read_secret(config.admin.token_file, "token"));
  }
  if (!config.server.tls_certificate.empty() && !config.server.tls_key.empty()) {
    problems.note("server.tls", make_tls_server(config.server.tls_certificate, config.server.tls_key));
  }
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    const auto& upstream = config.upstreams[i];
    const auto path = "upstreams[" + std::to_string(i) + "].";
    if (!upstream.password_file.empty()) {
      problems.note(path + "password_file", read_secret(upstream.password_file, "password"));
    }
    if (!upstream.ca_file.empty()) problems.note(path + "ca_file", make_tls_client(upstream.ca_file));
  }
  return problems.take();
}

}  // namespace paddock
