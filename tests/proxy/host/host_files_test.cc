#include "proxy/host/host_files.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using test::HostFixture;

TEST_CASE("files are read below the root") {
  const HostFixture host;
  host.write("/etc/docker/daemon.json", "{}");
  CHECK(host.files.read("/etc/docker/daemon.json") == "{}");
  CHECK(host.files.exists("/etc/docker"));
  CHECK_FALSE(host.files.exists("/etc/podman"));
  CHECK(HostFiles().at("/etc/x") == "/etc/x");
}

TEST_CASE("a file that cannot be read says why") {
  const HostFixture host;
  host.write("/etc/large", std::string((1U << 20U) + 1, 'x'));
  host.write("/etc/folder/file", "");
  CHECK(host.files.read("/etc/absent").error().code == ErrorCode::not_found);
  CHECK(host.files.read("/etc/large/below").error().code == ErrorCode::not_found);
  CHECK(host.files.read("/etc/large").error().code == ErrorCode::too_large);
  CHECK(host.files.read("/etc/folder").error().code == ErrorCode::io);
  CHECK_THAT(host.files.read("/etc/absent").error().context, Catch::Matchers::StartsWith("/etc/absent: "));
}

TEST_CASE("a pipe that nobody writes to is not waited for") {
  const HostFixture host;
  REQUIRE(::mkfifo((host.folder / "pipe").c_str(), 0600) == 0);
  CHECK(host.files.read("/pipe") == "");
}

TEST_CASE("a folder's files are listed by their end, in order") {
  const HostFixture host;
  for (const auto* name : {"b.conf", "a.conf", "c.txt"}) host.write(std::string("/etc/d/") + name, "");
  CHECK(host.files.list("/etc/d", ".conf") == std::vector<std::string>{"/etc/d/a.conf", "/etc/d/b.conf"});
  CHECK(host.files.list("/etc/absent", ".conf").empty());
}

TEST_CASE("a process is found by its name, with its environment and start") {
  const HostFixture host;
  host.run("dockerd", std::string("A=1\0HTTPS_PROXY=http://p\0", 24), 5000);
  const auto process = find_process(host.files, "dockerd");
  REQUIRE(process);
  CHECK(process->environment == std::vector<std::string>{"A=1", "HTTPS_PROXY=http://p"});
  CHECK(process->started == std::chrono::system_clock::time_point(std::chrono::seconds(5000)));
  CHECK_FALSE(find_process(host.files, "containerd"));
}

TEST_CASE("a process table that makes no sense has no processes") {
  const HostFixture host;
  CHECK_FALSE(find_process(host.files, "dockerd"));
  host.run("dockerd", "", 5000);
  for (const auto* stat :
       {"", "77 (dockerd", "77 (dockerd) S", "77 (dockerd) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 x"}) {
    host.write("/proc/77/stat", stat);
    CHECK_FALSE(find_process(host.files, "dockerd"));
  }
}

TEST_CASE("the real machine's processes can be looked at") {
  CHECK_FALSE(find_process(HostFiles(), "paddock-has-no-such-process"));
}

TEST_CASE("when a file was changed is known") {
  const HostFixture host;
  host.write("/etc/x", "");
  host.age("/etc/x", 12345);
  CHECK(host.files.changed("/etc/x") == std::chrono::system_clock::time_point(std::chrono::seconds(12345)));
  CHECK_FALSE(host.files.changed("/etc/y"));
}

}  // namespace
}  // namespace paddock
