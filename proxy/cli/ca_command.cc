// `paddock ca init`: the CA for the way in through HTTPS_PROXY.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "config/checks.h"
#include "proxy/cli/command.h"
#include "proxy/cli/format.h"
#include "proxy/ingress/certificate_authority.h"
#include "storage/clock.h"
#include "storage/file_descriptor.h"

namespace paddock {
namespace {

struct CaOptions {
  std::string out = ".";
  std::vector<std::string> only;
};

std::unexpected<Error> refuse(const std::filesystem::path& file, int why) {
  const std::string hint = why == EEXIST
                               ? ": its certificate may be on clients already; choose another --out, or move it "
                                 "away"
                               : "";
  return fail(ErrorCode::io, Blame::us, file.string() + ": " + std::strerror(why) + hint);
}

// A file that is there is never written over, as clients trust what it holds.
Result<void> write_new(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const FileDescriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (out.get() < 0) return refuse(file, errno);
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(out.get(), rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return refuse(file, errno);
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  if (::fchmod(out.get(), mode) != 0 || ::fsync(out.get()) != 0) return refuse(file, errno);
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

Result<std::string> init(const CaOptions& options) {
  for (const auto& host : options.only) {
    const auto problem = config::check_realm(host);
    if (problem.empty()) continue;
    return fail(ErrorCode::invalid_argument, Blame::client, fmt::format("--only: '{}' {}", host, problem));
  }
  const std::filesystem::path folder(options.out);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return refuse(folder, failed.value());
  const auto certificate_file = folder / "ca.crt", key_file = folder / "ca.key";
  for (const auto& file : {certificate_file, key_file}) {
    if (std::filesystem::exists(std::filesystem::symlink_status(file, failed))) return refuse(file, EEXIST);
  }
  const auto now = SystemClock().wall();
  const auto pair = CertificateAuthority::create({"Paddock CA of " + host_name(), options.only}, now);
  if (!pair) return std::unexpected(pair.error());
  const auto authority = CertificateAuthority::from_pem(*pair, now);
  if (!authority) return std::unexpected(authority.error());
  if (auto written = write_new(key_file, pair->key, 0600); !written) return std::unexpected(written.error());
  if (auto written = write_new(certificate_file, pair->certificate, 0644); !written) {
    std::filesystem::remove(key_file, failed);  // alone it would stand in the way of the next try
    return std::unexpected(written.error());
  }
  const auto key = std::filesystem::absolute(key_file).lexically_normal().string();
  const auto certificate = std::filesystem::absolute(certificate_file).lexically_normal().string();
  return "made " + certificate + " and " + key + "\nSHA-256 " + authority->fingerprint() +
         "\n\nIn the cache's configuration (keep the key there, and nowhere else):\n\n"
         "  ingress:\n    connect_proxy:\n      listen: 0.0.0.0:3128\n      ca_certificate: " +
         certificate + "\n      ca_key: " + key +
         "\n\nOn clients: `paddock client-config docker-proxy --cache http://CACHE:3128 --ca " + certificate +
         "` says where it goes.\n";
}

}  // namespace

void add_ca_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("ca", "The CA for clients that come through HTTPS_PROXY");
  command->require_subcommand(1);
  auto* init_command = command->add_subcommand("init", "Make ca.crt, for the clients, and ca.key, for the cache alone");
  const auto options = std::make_shared<CaOptions>();
  init_command->add_option("--out", options->out, "Folder for both (made if missing)")->capture_default_str();
  init_command->add_option("--only", options->only,
                           "Hosts that it may speak for, with all below them, so that a stolen key is worth less");
  init_command->callback([&console, options] { console.finish(init(*options)); });
}

}  // namespace paddock
