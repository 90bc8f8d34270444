#include "proxy/ingress/connect_rules.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using Verdict = ConnectRules::Verdict;

TEST_CASE("who is listed is reached as the list says, nobody else") {
  const ConnectRules rules({"registry.baidubce.com", "docker.io", "local:5100", "[::1]:5101"},
                           {"auth.docker.io", "*.bcebos.com", "harbor.lan:8443", "10.0.0.7:5000"});
  struct Case {
    std::string target;
    Verdict verdict;
  };
  const auto c = GENERATE(values<Case>({{"registry.baidubce.com:443", Verdict::ended_here},
                                        {"REGISTRY.baidubce.com:443", Verdict::ended_here},
                                        {"registry.baidubce.com:80", Verdict::refused},
                                        {"registry.baidubce.com.evil.example:443", Verdict::refused},
                                        {"evil-registry.baidubce.com:443", Verdict::refused},
                                        {"registry-1.docker.io:443", Verdict::ended_here},
                                        {"index.docker.io:443", Verdict::ended_here},
                                        {"docker.io:443", Verdict::ended_here},
                                        {"local:5100", Verdict::ended_here},
                                        {"local:443", Verdict::refused},
                                        {"[::1]:5101", Verdict::ended_here},
                                        {"auth.docker.io:443", Verdict::tunnelled},
                                        {"auth.docker.io:22", Verdict::refused},
                                        {"bj.bcebos.com:443", Verdict::tunnelled_if_public},
                                        {"bcebos.com:443", Verdict::refused},
                                        {"evilbcebos.com:443", Verdict::refused},
                                        {"harbor.lan:8443", Verdict::tunnelled},
                                        {"harbor.lan:443", Verdict::refused},
                                        {"10.0.0.7:5000", Verdict::tunnelled},
                                        {"10.0.0.7:443", Verdict::refused},
                                        {"127.0.0.1:443", Verdict::refused},
                                        {"169.254.169.254:443", Verdict::refused}}));
  CAPTURE(c.target);
  CHECK(rules.judge(Url::parse_authority(c.target).value()) == c.verdict);
}

TEST_CASE("a star lets through what is public, a name beside it what it names") {
  const ConnectRules rules({}, {"*", "harbor.lan"});
  CHECK(rules.judge(Url::parse_authority("anything.example:443").value()) == Verdict::tunnelled_if_public);
  CHECK(rules.judge(Url::parse_authority("harbor.lan:443").value()) == Verdict::tunnelled);
  CHECK(rules.judge(Url::parse_authority("anything.example:8443").value()) == Verdict::refused);
}

TEST_CASE("no rules let nobody through") {
  CHECK(ConnectRules().judge(Url::parse_authority("a.example:443").value()) == Verdict::refused);
  CHECK_FALSE(ConnectRules().ends(""));
}

}  // namespace
}  // namespace paddock
