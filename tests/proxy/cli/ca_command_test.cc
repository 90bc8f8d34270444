#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "proxy/ingress/certificate_authority.h"
#include "tests/proxy/cli/command_line.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("ca init makes a CA with a key of its own, readable by nobody else, and says where it goes") {
  const TemporaryFolder folder;
  const auto out = folder / "new";
  const auto outcome = test::paddock({"ca", "init", "--out", out.string(), "--only", "registry.baidubce.com"});
  REQUIRE(outcome.status == 0);
  const CertificateAndKey pair{read(out / "ca.crt"), read(out / "ca.key")};
  const auto authority = CertificateAuthority::from_pem(pair, SystemClock().wall());
  REQUIRE(authority);
  CHECK(outcome.out.contains(authority->fingerprint()));
  CHECK(outcome.out.contains("ca_key: " + (out / "ca.key").string()));
  const auto mode = std::filesystem::status(out / "ca.key").permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("ca init writes over nothing, and leaves nothing half done") {
  const TemporaryFolder folder;
  const std::string name = GENERATE("ca.crt", "ca.key");
  std::ofstream(folder / name) << "precious";
  const auto outcome = test::paddock({"ca", "init", "--out", folder.path().string()});
  CHECK(outcome.status == 1);
  CHECK(test::is_one_line(outcome.err));
  CHECK(outcome.err.contains(name));
  CHECK(read(folder / name) == "precious");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("ca init wants host names, and a folder that can be made") {
  const TemporaryFolder folder;
  for (const std::string only : {"a,permitted;DNS:b", "A.example", "a.example:443", "https://a.example", ""}) {
    CAPTURE(only);
    CHECK(test::paddock({"ca", "init", "--out", (folder / "x").string(), "--only", only}).status == 2);
  }
  std::ofstream(folder / "file") << "x";
  CHECK(test::paddock({"ca", "init", "--out", (folder / "file").string()}).status == 1);
  CHECK(test::paddock({"ca"}).status == 2);
}

}  // namespace
}  // namespace paddock
