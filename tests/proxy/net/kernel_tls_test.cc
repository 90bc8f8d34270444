#include "proxy/net/kernel_tls.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

namespace paddock {
namespace {

TEST_CASE("the kernel is asked for TLS, and what it says is what it lists") {
  const auto found = probe_kernel_tls();
  std::ifstream in("/proc/sys/net/ipv4/tcp_available_ulp");  // asking may have loaded the module
  const std::string listed{std::istreambuf_iterator<char>(in), {}};
  CAPTURE(listed, why_not(found));
  CHECK((found == KernelTls::used) == (" " + listed).contains(" tls"));
  CHECK(probe_kernel_tls() == found);
}

TEST_CASE("why the kernel does not encrypt is said in words, and nothing where it does") {
  CHECK(why_not(KernelTls::used).empty());
  CHECK_THAT(std::string(why_not(KernelTls::switched_off)), Catch::Contains("server.tls.kernel"));
  CHECK_THAT(std::string(why_not(KernelTls::not_built)), Catch::Contains("OpenSSL"));
  CHECK_THAT(std::string(why_not(KernelTls::not_offered)), Catch::Contains("modprobe tls"));
}

}  // namespace
}  // namespace paddock
