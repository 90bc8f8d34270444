// The files that a configuration names: password, token, CA and certificate files. `paddock serve` reads them through
// this, `paddock config check` says beforehand what is wrong with them.
//
// Blocking; thread-safe. Every problem is invalid_argument, a sentence that starts with the file's path.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "proxy/ingress/certificate_authority.h"
#include "proxy/ingress/htpasswd.h"
#include "storage/error.h"

namespace paddock {

// One line, without its end. `what` is the word for it: "password". A pipe has to give it within `patience`.
Result<std::string> read_secret(const std::string& path, const std::string& what,
                                std::chrono::milliseconds patience = std::chrono::seconds(10));
// The same for a server that runs: nothing for a pipe, which gave its secret at the start and may never give another.
Result<std::optional<std::string>> reread_secret(const std::string& path, const std::string& what);

// Names and passwords; nothing for an empty path.
Result<std::optional<Htpasswd>> read_htpasswd(const std::string& path);

// PEM files. Whose time is over at `now` is none.
Result<CertificateAuthority> read_authority(const std::string& certificate, const std::string& key, WallTime now);

// What tells whether files were replaced, written or given to others since. What is not there counts too.
std::string fingerprint(const std::vector<std::string>& paths);

// A line for each problem: "upstreams[0].ca_file: /etc/ca.pem: No such file or directory".
std::vector<std::string> file_problems(const config::Config& config);

}  // namespace paddock
