#include "proxy/cli/config_files.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <thread>

#include "tests/proxy/cli/command_line.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

std::string write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

TEST_CASE("a secret is a file's only line") {
  const TemporaryFolder folder;
  CHECK(read_secret(write(folder / "a", "pass word\n"), "password") == "pass word");
  CHECK(read_secret(write(folder / "b", "pass\r\n\n"), "password") == "pass");
  CHECK(read_secret(write(folder / "c", std::string(4096, 'x')), "password")->size() == 4096);
}

TEST_CASE("a file that holds no secret is named, and never its content") {
  const TemporaryFolder folder;
  const auto refusal = [](const std::string& path) {
    const auto read = read_secret(path, "password");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_argument);
    CHECK_THAT(read.error().context, StartsWith(path + ": ") && !Contains("hunter2"));
    return read.error().context;
  };
  CHECK_THAT(refusal((folder / "absent").string()), Contains("No such file"));
  CHECK_THAT(refusal(folder.path().string()), Contains("is a folder"));
  CHECK_THAT(refusal(write(folder / "empty", "\n")), Contains("holds no password"));
  CHECK_THAT(refusal(write(folder / "lines", "hunter2\nX: y\n")), Contains("more than one line"));
  CHECK_THAT(refusal(write(folder / "nul", std::string("hunter2\0", 8))), Contains("more than one line"));
  CHECK_THAT(refusal(write(folder / "long", std::string(4097, 'x'))), Contains("larger"));
}

TEST_CASE("a secret is read anew from a file, and never waited for from a pipe") {
  const TemporaryFolder folder;
  const auto file = write(folder / "token", "first\n");
  CHECK(reread_secret(file, "token").value() == "first");
  write(file, "second\n");
  CHECK(reread_secret(file, "token").value() == "second");
  std::filesystem::create_symlink(file, folder / "link");
  CHECK(reread_secret((folder / "link").string(), "token").value() == "second");
  write(file, "\n");
  CHECK_THAT(reread_secret(file, "token").error().context, StartsWith(file + ": holds no token"));
  CHECK_THAT(reread_secret((folder / "absent").string(), "token").error().context, Contains("No such file"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(reread_secret((folder / "pipe").string(), "token").value().has_value());
}

TEST_CASE("a pipe is waited for as long as it takes to give a secret, and no longer than patience lasts") {
  const TemporaryFolder folder;
  const auto pipe = (folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto nobody = read_secret(pipe, "token", std::chrono::milliseconds(1));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::invalid_argument);
  CHECK_THAT(nobody.error().context, StartsWith(pipe + ": is not a regular file"));
  std::thread writer([&] { write(pipe, "t0ken\n"); });
  CHECK(read_secret(pipe, "token", std::chrono::minutes(1)) == "t0ken");
  writer.join();
}

TEST_CASE("a certificate file is a regular one: a pipe is refused at once") {
  const TemporaryFolder folder;
  const auto pipe = (folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  config::Config config;
  config.upstreams[0].ca_file = pipe;
  const auto problems = file_problems(config);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Contains(pipe) && Contains("is not a regular file"));
}

TEST_CASE("every file that a configuration names is looked at, each with its key") {
  const TemporaryFolder folder;
  TestCa ca;
  config::Config config;
  CHECK(file_problems(config).empty());
  const auto good = ca.issue_local();
  config.server.tls_certificate = good.certificate;
  config.server.tls_key = good.key;
  config.admin.token_file = write(folder / "token", "t0ken\n");
  config.upstreams[0].password_file = config.admin.token_file;
  config.upstreams[1].ca_file = ca.file();
  CHECK(file_problems(config).empty());

  config.server.tls_key = ca.issue_local().key;
  config.admin.token_file = config.upstreams[0].password_file = (folder / "absent").string();
  config.upstreams[1].ca_file = write(folder / "ca.pem", "junk");
  const auto problems = file_problems(config);
  REQUIRE(problems.size() == 4);
  CHECK_THAT(problems[0], StartsWith("admin.token_file: " + config.admin.token_file + ": No such file"));
  CHECK_THAT(problems[1], StartsWith("server.tls: " + config.server.tls_key) && Contains("does not belong"));
  CHECK_THAT(problems[2], StartsWith("upstreams[0].password_file: ") && Contains("No such file"));
  CHECK_THAT(problems[3], StartsWith("upstreams[1].ca_file: ") && Contains("holds no PEM certificate"));
}

TEST_CASE("a password file is followed through links, as secrets are mounted, and must be a file") {
  const TemporaryFolder folder;
  const std::string line = "ci:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";
  const auto file = write(folder / "real", line);
  const auto link = folder / "htpasswd";
  std::filesystem::create_symlink("real", link);
  CHECK(read_htpasswd(link.string()).value()->verify("ci", "secret"));
  CHECK_FALSE(read_htpasswd("").value());
  CHECK_THAT(read_htpasswd(folder.path().string()).error().context, Contains("is a folder"));
  CHECK_THAT(read_htpasswd((folder / "absent").string()).error().context, Contains("No such file"));
  CHECK_THAT(read_htpasswd(write(folder / "big", std::string((1U << 20U) + 1, '#'))).error().context,
             Contains("larger than 1 MiB"));
  const auto pipe = (folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(read_htpasswd(pipe));
  config::Config config;
  config.server.auth_htpasswd = write(folder / "old", "ci:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n");
  REQUIRE(file_problems(config).size() == 1);
  CHECK_THAT(file_problems(config)[0], StartsWith("server.auth.htpasswd: ") && Contains("line 1: "));
}

TEST_CASE("files are seen to change when they are written, replaced, swapped by a link, given to others, or go") {
  const TemporaryFolder folder;
  const auto one = write(folder / "one", "1"), two = write(folder / "two", "2");
  const auto link = (folder / "link").string();
  std::filesystem::create_symlink("one", link);
  std::set<std::string> seen;
  const auto changed = [&] { return seen.insert(fingerprint({link, "/nowhere"})).second; };
  CHECK(changed());
  CHECK_FALSE(changed());
  write(folder / "one", "11");
  CHECK(changed());
  std::filesystem::remove(link);
  CHECK(changed());
  std::filesystem::create_symlink("two", link);
  CHECK(changed());
  std::filesystem::permissions(two, std::filesystem::perms::owner_read);
  CHECK(changed());
  CHECK_FALSE(changed());
}

TEST_CASE("config check says what is wrong with the files, with status 2") {
  const TemporaryFolder folder;
  const auto file = write(folder / "paddock.yaml", "admin: {token_file: " + (folder / "absent").string() + "}\n");
  const auto outcome = test::paddock({"config", "check", file});
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, StartsWith(file + ": admin.token_file: ") && Contains("No such file"));
}

}  // namespace
}  // namespace paddock
