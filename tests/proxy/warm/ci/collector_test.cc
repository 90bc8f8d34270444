#include "proxy/warm/ci/collector.h"

#include <catch2/catch.hpp>
#include <string>

namespace paddock::ci {
namespace {

const Place here{"f", 3, "job a", Format::gitlab_ci};

std::string full(const std::string& text) { return full_reference(*parse_image_reference(text)); }

ScanReport one(const std::string& text) {
  Collector collector(10);
  collector.images(here, text, {{text}});
  return std::move(collector).take();
}

}  // namespace

TEST_CASE("references are written in full, as clients mean them") {
  CHECK(full("redis") == "docker.io/library/redis:latest");
  CHECK(full("team/app:1") == "docker.io/team/app:1");
  CHECK(full("index.docker.io/library/redis:7") == "docker.io/library/redis:7");
  CHECK(full("registry.baidubce.com/paddlepaddle/paddle:2.6.2") == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
  CHECK(full("localhost:5000/x") == "localhost:5000/x:latest");
  const std::string digest = "@sha256:" + std::string(64, 'a');
  CHECK(full("quay.io/a/b" + digest) == "quay.io/a/b" + digest);
  CHECK(full("quay.io/a/b:1" + digest) == "quay.io/a/b:1" + digest);
}

TEST_CASE("image ids are no names") {
  CHECK(is_image_id("08d38377a9c7"));
  CHECK(is_image_id(std::string(64, 'f')));
  CHECK(is_image_id("sha256:abc"));
  CHECK_FALSE(is_image_id("08d38377a9c"));
  CHECK_FALSE(is_image_id("08d38377a9cg"));
  CHECK_FALSE(is_image_id("redis"));
  CHECK(one("08d38377a9c7").unresolved.front().kind == UnresolvedKind::image_id);
}

TEST_CASE("what is no name says why, and nothing is nothing") {
  CHECK(one("IMAGE").unresolved.front().kind == UnresolvedKind::not_a_name);
  CHECK(one("a:b:c").unresolved.front().kind == UnresolvedKind::not_a_name);
  for (const auto* text : {"", "  ", "scratch"}) {
    CHECK(one(text).findings.empty());
    CHECK(one(text).unresolved.empty());
  }
  CHECK(one("docker://alpine:3").findings.front().reference == "docker.io/library/alpine:3");
}

TEST_CASE("the same image at the same line is reported once") {
  Collector collector(10);
  collector.images(here, "redis", {{"redis"}, {"redis:latest"}});
  collector.images(here, "$X", {Reading::not_known(UnresolvedKind::run_time, "later")});
  collector.images(here, "$X", {Reading::not_known(UnresolvedKind::run_time, "later")});
  collector.problem("f", 1, "bad");
  collector.problem("f", 1, "bad");
  const ScanReport report = std::move(collector).take();
  CHECK(report.findings.size() == 1);
  CHECK(report.unresolved.size() == 1);
  CHECK(report.problems.size() == 1);
}

TEST_CASE("a report is in the order of files and lines") {
  Collector collector(10);
  collector.images({"b", 1, "", Format::shell}, "x", {{"x"}});
  collector.images({"a", 9, "", Format::shell}, "x", {{"x"}});
  collector.images({"a", 2, "", Format::shell}, "y", {{"y"}});
  const ScanReport report = std::move(collector).take();
  CHECK(report.findings[0].place.line == 2);
  CHECK(report.findings[1].place.line == 9);
  CHECK(report.findings[2].place.file == "b");
  CHECK(unique_images(report).size() == 2);
}

TEST_CASE("a line that another caller filled in is not unset") {
  Collector collector(10);
  collector.unresolved(here, "$X", {UnresolvedKind::unset_variable, "x"});
  collector.unresolved(here, "$Y", {UnresolvedKind::run_time, "y"});
  collector.forget_unset("f", 3);
  const ScanReport report = std::move(collector).take();
  REQUIRE(report.unresolved.size() == 1);
  CHECK(report.unresolved.front().text == "$Y");
}

TEST_CASE("control characters do not reach the report") {
  CHECK(one("a\x1b[31mb").unresolved.front().text == "a [31mb");
}

}  // namespace paddock::ci
