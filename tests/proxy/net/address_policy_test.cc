#include "proxy/net/address_policy.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using boost::asio::ip::make_address;

TEST_CASE("addresses of the Internet are public") {
  const auto* const text =
      GENERATE("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
               "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
               "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2600::1", "2001:4860:4860::8888",
               "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1");
  CAPTURE(text);
  CHECK(is_public_address(make_address(text)));
}

TEST_CASE("addresses that lead home are not public") {
  const auto* const text = GENERATE(
      "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
      "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.2.1", "192.0.0.8", "198.18.0.1",
      "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
      "::", "::1", "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
      "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
      "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:db8::1", "2001::1", "100::1");
  CAPTURE(text);
  CHECK_FALSE(is_public_address(make_address(text)));
}

TEST_CASE("a host that is a private address in any notation is seen without a look-up") {
  const auto* const host = GENERATE("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "10.1", "::1",
                                    "fe80::1", "localhost", "a.localhost", "localhost.", "0", "169.254.169.254");
  CAPTURE(host);
  CHECK(names_private_address(host));
}

TEST_CASE("names and public addresses are left to who looks them up") {
  const auto* const host = GENERATE("registry.example", "8.8.8.8", "2600::1", "localhost.example.com", "notlocalhost");
  CAPTURE(host);
  CHECK_FALSE(names_private_address(host));
}

}  // namespace
}  // namespace paddock
