#include "proxy/admin/status_page.h"

#include <catch2/catch.hpp>

#include "tests/proxy/admin/sample_reports.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("the page shows what the status report says") {
  const auto page = status_page(test::sample_status());
  CHECK_THAT(page, Contains("<!doctype html>") && Contains("paddock 1.2.3") && Contains("<td>ready</td>"));
  CHECK_THAT(page, Contains("3.0 MiB stored, of 10.0 MiB; 50.0 MiB left on the disk"));
  CHECK_THAT(page, Contains("2 running, 30 completed, 4 failed, 5 not kept, 6 suspended; 1 wait in line"));
  CHECK_THAT(page, Contains("3.0 KiB from the store, 1.0 KiB while filling, 0 B uncached (75% hits)"));
  CHECK_THAT(page, Contains("registry.baidubce.com (default)") &&
                       Contains("<td>unreachable; registry-1.docker.io resting</td>") &&
                       Contains("connect timed out") && Contains("not tried yet"));
  CHECK_THAT(page, Contains("reachable; registry.baidubce.com ok, 3 transfers, 5.0 MiB/s each; b.example:444 slow, "
                            "1.0 MiB/s each; held back by its limit of connections</td>"));
  CHECK_THAT(page, !Contains("offline"));
}

TEST_CASE("the page says when the cache is not ready, offline or without a limit") {
  auto status = test::sample_status();
  status.not_ready = {"recovering", "draining"};
  status.offline = true;
  status.store.max_size = 0;
  const auto page = status_page(status);
  CHECK_THAT(page, Contains("not ready: recovering; draining") && Contains("offline") && Contains("no limit"));
}

TEST_CASE("nothing in a report can break out of the page or show a secret") {
  auto status = test::sample_status();
  const std::string evil = "<script>alert(1)</script>";
  status.version = status.data_folder = evil;
  status.not_ready = status.listen = {evil};
  status.upstreams = {{.name = evil,
                       .endpoints = {evil},
                       .reachable = false,
                       .last_error = evil + " https://u:pa55@host/x?sig=s3cret",
                       .health = {{evil, evil, 1, 1}}}};
  const auto page = status_page(status);
  CHECK_THAT(page, !Contains("<script") && !Contains("pa55") && !Contains("s3cret"));
  CHECK_THAT(page, Contains("&lt;script&gt;"));
}

}  // namespace
}  // namespace paddock
