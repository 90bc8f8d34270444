#include "proxy/upstream/host_class.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("loopback is known by its names and addresses") {
  for (const auto* host :
       {"localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    CAPTURE(host);
    CHECK(is_loopback_host(host));
    CHECK(is_private_host(host));
  }
  for (const auto* host : {"localhost.example", "notlocalhost", "128.0.0.1", "10.0.0.1", "::2", "example.com", ""}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback_host(host));
  }
}

TEST_CASE("private hosts are those that are not of the public internet by their name") {
  for (const auto* host : {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1",
                           "0.0.0.0", "224.0.0.1", "255.255.255.255", "fd00::1", "fe80::1", "::", "::ffff:10.0.0.1",
                           "registry", "nas.local", "registry.internal", "box.lan", "x.home.arpa"}) {
    CAPTURE(host);
    CHECK(is_private_host(host));
  }
  for (const auto* host : {"8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2600::1", "registry.example.com",
                           "local.example", "internal.example.com"}) {
    CAPTURE(host);
    CHECK_FALSE(is_private_host(host));
  }
}

TEST_CASE("rules for hosts are whole names, suffixes, or everything") {
  CHECK(host_in({"a.example"}, "A.Example"));
  CHECK_FALSE(host_in({"a.example"}, "b.a.example"));
  CHECK(host_in({".example"}, "a.example"));
  CHECK(host_in({"*.example"}, "b.a.example"));
  CHECK_FALSE(host_in({".example"}, "example"));
  CHECK_FALSE(host_in({".example"}, "evilexample"));
  CHECK(host_in({"x", "*"}, "anything"));
  CHECK_FALSE(host_in({}, "a.example"));
}

}  // namespace
}  // namespace paddock
