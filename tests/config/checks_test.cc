#include "config/checks.h"

#include <catch2/catch.hpp>
#include <string>

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace paddock::config;

namespace {

struct Case {
  std::string_view text;
  bool good;
};

}  // namespace

TEST_CASE("listening addresses") {
  const auto c = GENERATE(values<Case>({{"127.0.0.1:5000", true},
                                        {"0.0.0.0:0", true},
                                        {"[::]:5000", true},
                                        {"[::1]:65535", true},
                                        {"localhost:5000", true},
                                        {"cache.lan:5000", false},
                                        {"unix:/run/paddock.sock", true},
                                        {"", false},
                                        {"127.0.0.1", false},
                                        {":5000", false},
                                        {"*:5000", false},
                                        {"5000", false},
                                        {"::1:5000", false},
                                        {"[::1]", false},
                                        {"[::g]:5000", false},
                                        {"256.1.1.1:5000", false},
                                        {"1.2.3:5000", false},
                                        {"127.0.0.1:65536", false},
                                        {"127.0.0.1:-1", false},
                                        {"127.0.0.1:http", false},
                                        {"127.0.0.1:", false},
                                        {"http://127.0.0.1:5000", false},
                                        {"a b:5000", false},
                                        {"unix:", false}}));
  CAPTURE(c.text);
  CHECK(check_address(c.text).empty() == c.good);
}

TEST_CASE("a Unix socket's path fits into what the kernel takes") {
  CHECK(check_address("unix:" + std::string(107, 'x')).empty());
  CHECK_FALSE(check_address("unix:" + std::string(108, 'x')).empty());
}

TEST_CASE("an address without an interface says what to write") {
  CHECK(check_address(":5000").find("0.0.0.0") != std::string::npos);
  CHECK(check_address("*:5000").find("0.0.0.0") != std::string::npos);
}

TEST_CASE("endpoints") {
  const auto c = GENERATE(values<Case>({{"https://registry.baidubce.com", true},
                                        {"https://registry.baidubce.com/", true},
                                        {"https://Registry.Baidubce.com", true},
                                        {"http://my_registry:5000", true},
                                        {"http://_:5000", false},
                                        {"http://127.0.0.1:5100", true},
                                        {"http://[::1]:5100", true},
                                        {"", false},
                                        {"registry.baidubce.com", false},
                                        {"ftp://h", false},
                                        {"https://", false},
                                        {"https:///", false},
                                        {"https://h:0", false},
                                        {"https://h:99999", false},
                                        {"https://h:", false},
                                        {"https://h/v2/", false},
                                        {"https://h?x", false},
                                        {"https://h#x", false},
                                        {"https://user:secret@h", false},
                                        {"https://h h", false},
                                        {"https://h\r\nx", false},
                                        {"https://300.1.1.1", false},
                                        {"https://-h", false}}));
  CAPTURE(c.text);
  CHECK(check_endpoint(c.text).empty() == c.good);
}

TEST_CASE("an endpoint with credentials says where they belong") {
  CHECK(check_endpoint("https://user:secret@h").find("password_file") != std::string::npos);
}

TEST_CASE("hosts") {
  const auto c = GENERATE(values<Case>({{"auth.docker.io", true},
                                        {"localhost:5100", true},
                                        {"10.0.0.1", true},
                                        {"[::1]:5000", true},
                                        {"a", true},
                                        {"", false},
                                        {"Auth.docker.io", false},
                                        {"https://auth.docker.io", false},
                                        {"auth.docker.io/x", false},
                                        {"auth.docker.io:0", false},
                                        {"a..b", false},
                                        {"a_b", false},
                                        {"*.docker.io", false},
                                        {"1.2.3.4.5", false}}));
  CAPTURE(c.text);
  CHECK(check_host(c.text).empty() == c.good);
}

TEST_CASE("redirect targets and token servers are compared by host, so a port or a network is refused") {
  const auto c = GENERATE(values<Case>({{"bos.example.com", true},
                                        {"*.bcebos.com", true},
                                        {"10.1.2.3", true},
                                        {"fd00::1", true},
                                        {"minio", true},
                                        {"minio:9000", false},
                                        {"10.0.0.0/8", false},
                                        {"fd00::/8", false},
                                        {"*", false},
                                        {"*.", false},
                                        {"a.*.b", false},
                                        {"https://x", false},
                                        {"", false}}));
  CAPTURE(c.text);
  CHECK(check_redirect(c.text).empty() == c.good);
  CHECK(check_realm("auth.docker.io").empty());
  CHECK(check_realm("auth.docker.io:443").find("port") != std::string::npos);
  CHECK_FALSE(check_realm("*.docker.io").empty());
}

TEST_CASE("globs, platforms, levels and formats") {
  CHECK(check_glob("**").empty());
  CHECK(check_glob("paddlepaddle/*").empty());
  CHECK_FALSE(check_glob("").empty());
  CHECK_FALSE(check_glob("Paddle/*").empty());
  CHECK_FALSE(check_glob("a?").empty());
  CHECK(check_platform("linux/amd64").empty());
  CHECK(check_platform("linux/arm64/v8").empty());
  const auto* const platform = GENERATE("", "linux", "linux/", "/amd64", "linux//amd64", "a/b/c/d", "Linux/amd64");
  CHECK_FALSE(check_platform(platform).empty());
  CHECK(check_log_level("debug").empty());
  CHECK(check_log_level("inof").find("did you mean 'info'") != std::string::npos);
  CHECK(check_log_format("json").empty());
  CHECK(check_log_format("xml").find("text, json") != std::string::npos);
}

TEST_CASE("loopback addresses are those only this machine reaches") {
  const auto c = GENERATE(values<Case>({{"127.0.0.1:1", true},
                                        {"127.9.9.9:1", true},
                                        {"localhost:1", true},
                                        {"[::1]:1", true},
                                        {"unix:/x", true},
                                        {"0.0.0.0:1", false},
                                        {"[::]:1", false},
                                        {"10.0.0.1:1", false},
                                        {"127.evil.example:1", false},
                                        {"localhost.evil.example:1", false},
                                        {"cache.lan:1", false}}));
  CAPTURE(c.text);
  CHECK(is_loopback(c.text) == c.good);
}
