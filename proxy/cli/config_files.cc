#include "proxy/cli/config_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "proxy/host/child_process.h"
#include "proxy/net/tls.h"
#include "storage/file_descriptor.h"

namespace paddock {
namespace {

constexpr std::size_t secret_limit = 4096;  // bytes

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorCode::invalid_argument, Blame::client, path + ": " + why);
}

// Up to a byte more than `limit`, from which it can be told that there is more.
Result<std::string> read_up_to(const std::string& path, std::size_t limit, std::chrono::milliseconds patience) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return refuse(path, "is a folder");
  // Without waiting for whoever may write to it.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return refuse(path, std::strerror(errno));
  std::string content(limit + 1, '\0');
  std::size_t done = 0;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (done < content.size()) {
    if (!readable_before(deadline, file.get())) {
      return refuse(path, "is not a regular file, and what it is gives nothing to read");
    }
    const auto got = ::read(file.get(), &content[done], content.size() - done);
    if (got == 0) break;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return refuse(path, std::strerror(errno));
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  content.resize(done);
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

Result<std::string> read_secret(const std::string& path, const std::string& what, std::chrono::milliseconds patience) {
  auto content = read_up_to(path, secret_limit, patience);
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

Result<std::optional<Htpasswd>> read_htpasswd(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto text = read_up_to(path, Htpasswd::file_limit, std::chrono::milliseconds(0));
  if (!text) return std::unexpected(text.error());
  if (text->size() > Htpasswd::file_limit) return refuse(path, "is larger than 1 MiB");
  auto parsed = Htpasswd::parse(*text);
  if (!parsed) return refuse(path, parsed.error().context);
  return *std::move(parsed);
}

Result<CertificateAuthority> read_authority(const std::string& certificate, const std::string& key, WallTime now) {
  auto certificate_text = read_pem(certificate);
  if (!certificate_text) return std::unexpected(std::move(certificate_text).error());
  auto key_text = read_pem(key);
  if (!key_text) return std::unexpected(std::move(key_text).error());
  auto authority = CertificateAuthority::from_pem({*std::move(certificate_text), *std::move(key_text)}, now);
  if (!authority) return std::unexpected(std::move(authority).error().with(certificate));
  return authority;
}

std::string fingerprint(const std::vector<std::string>& paths) {
  std::string seen;
  const auto add = [&seen](std::int64_t part) { seen += std::to_string(part) + ' '; };
  for (const auto& path : paths) {
    struct stat info{};
    add(::stat(path.c_str(), &info));
    add(static_cast<std::int64_t>(info.st_dev));
    add(static_cast<std::int64_t>(info.st_ino));
    add(info.st_size);
    for (const auto& time : {info.st_mtim, info.st_ctim}) {
      add(time.tv_sec);
      add(time.tv_nsec);
    }
  }
  return seen;
}

std::vector<std::string> file_problems(const config::Config& config) {
  Problems problems;
  if (!config.admin.token_file.empty()) {
    problems.note("admin.token_file", read_secret(config.admin.token_file, "token"));
  }
  if (!config.server.tls_certificate.empty() && !config.server.tls_key.empty()) {
    problems.note("server.tls", make_tls_server(config.server.tls_certificate, config.server.tls_key));
  }
  problems.note("server.auth.htpasswd", read_htpasswd(config.server.auth_htpasswd));
  if (const auto& proxy = config.connect_proxy; !proxy.ca_certificate.empty() && !proxy.ca_key.empty()) {
    problems.note("ingress.connect_proxy", read_authority(proxy.ca_certificate, proxy.ca_key, SystemClock().wall()));
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
