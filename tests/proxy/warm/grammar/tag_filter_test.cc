#include "proxy/warm/grammar/tag_filter.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/proxy/warm/grammar/field_text.h"
#include "tests/proxy/warm/grammar/paddle_tags.h"

using paddock::parse_tag;
using paddock::TagFields;
using paddock::TagFilter;

namespace {

const TagFields gpu = parse_tag("paddlepaddle/paddle", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4");
const TagFields cpu = parse_tag("paddlepaddle/paddle", "2.6.2");
const TagFields rc = parse_tag("paddlepaddle/paddle", "3.0.0rc1-gpu-cuda11.8-cudnn8.6-trt8.5");
const TagFields latest = parse_tag("paddlepaddle/paddle", "latest-dev-cuda12.3-cudnn9.0-trt8.6-gcc12.2");
const TagFields npu = parse_tag("device/paddle-npu", "cann800-ubuntu20-npu-910b-base-aarch64-gcc84");
const TagFields unknown = parse_tag("ci/paddle", "d41d8cd98f00b204e9800998ecf8427e");

bool matches(std::string_view text, const TagFields& fields) {
  const auto filter = TagFilter::parse(text);
  INFO(text << (filter ? "" : ": " + filter.error().context));
  REQUIRE(filter);
  return filter->matches(fields);
}

std::size_t count(std::string_view text) {
  std::size_t found = 0;
  for (const auto& row : paddle_tags::existing) found += matches(text, field_text::parsed(row.reference)) ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("versions are compared number by number") {
  CHECK(matches("cuda >= 11.7", gpu));
  CHECK(matches("cuda <= 11.7", gpu));
  CHECK(matches("cuda == 11.7", gpu));
  CHECK(matches("cuda == 11.7.0", gpu));
  CHECK(matches("cuda > 9.2", gpu));
  CHECK(matches("cuda < 11.10", gpu));
  CHECK_FALSE(matches("cuda > 11.7", gpu));
  CHECK_FALSE(matches("cuda < 11.7", gpu));
  CHECK_FALSE(matches("cuda == 11", gpu));
  CHECK_FALSE(matches("cuda != 11.7", gpu));
  CHECK(matches("version < 3.0.0", rc));
  CHECK(matches("version >= 3.0.0rc0", rc));
  CHECK(matches("version > 999", latest));
  CHECK(matches("version == latest", latest));
  CHECK_FALSE(matches("version == latest", gpu));
}

TEST_CASE("the operator ~ holds for what begins with the value") {
  CHECK(matches("version ~ 2.6", gpu));
  CHECK(matches("version ~ 2", gpu));
  CHECK_FALSE(matches("version ~ 2.60", gpu));
  CHECK_FALSE(matches("version ~ 2", latest));
  CHECK(matches("version ~ 3.0", rc));
  CHECK(matches("os ~ ubuntu", npu));
  CHECK_FALSE(matches("os ~ ubuntu22", npu));
  CHECK(matches("flavour ~ de", latest));
}

TEST_CASE("names are compared without regard to case, architectures under all their names") {
  CHECK(matches("device == GPU", gpu));
  CHECK(matches("Device == gpu", gpu));
  CHECK(matches("chip == 910B", npu));
  CHECK(matches("arch == arm64 and arch == aarch64 and arch == aarch_64", npu));
  CHECK_FALSE(matches("arch == x86_64", npu));
  CHECK(matches("sdk == cann and sdk_version ~ 8.0", npu));
  CHECK(matches("device == 'gpu' and cuda == \"11.7\"", gpu));
}

TEST_CASE("fields have their other names") {
  CHECK(matches("cuda >= 11.7 and variant == gpu", gpu));
  CHECK(matches("flavor == dev", latest));
  CHECK(matches("tensorrt == 8.4", gpu));
}

TEST_CASE("a flavour is equal to each that the tag has") {
  const TagFields both = parse_tag("paddlepaddle/paddle-npu", "latest-dev-with-driver");
  CHECK(matches("flavour == dev", both));
  CHECK(matches("flavour == with-driver", both));
  CHECK_FALSE(matches("flavour != dev", both));
  CHECK(matches("flavour != offline", both));
  CHECK(matches("flavour in (offline, dev)", both));
}

TEST_CASE("what is unknown is equal to nothing") {
  for (const char* const text : {"cuda < 12", "cuda <= 12", "cuda > 1", "cuda >= 1", "cuda == 11.7", "cuda ~ 11",
                                 "cuda in (11.7, 12)", "has cuda", "flavour == dev", "flavour ~ d", "os == ubuntu20"}) {
    CAPTURE(text);
    CHECK_FALSE(matches(text, cpu));
    CHECK_FALSE(matches(text, unknown));
    CHECK(matches(std::string("not ") + text, cpu));
  }
  CHECK(matches("flavour != dev", cpu));
  CHECK(matches("cuda != 12", cpu));
  CHECK(matches("cuda not in (11, 12)", cpu));
  CHECK(matches("device != gpu", unknown));
}

TEST_CASE("has tells whether a field is known") {
  CHECK(matches("has cuda", gpu));
  CHECK(matches("not has cuda", cpu));
  CHECK(matches("has flavour", latest));
  CHECK_FALSE(matches("has flavour", gpu));
  CHECK(matches("has prerelease", rc));
  CHECK(matches("not has prerelease", gpu));
}

TEST_CASE("in is a list of alternatives") {
  CHECK(matches("device in (cpu, gpu)", gpu));
  CHECK(matches("device in(gpu)", gpu));
  CHECK_FALSE(matches("device in (npu, xpu)", gpu));
  CHECK(matches("device not in (npu, xpu)", gpu));
  CHECK(matches("cuda in (11.2, 11.7)", gpu));
  CHECK_FALSE(matches("cuda not in (11.2, 11.7)", gpu));
}

TEST_CASE("not binds closer than and, and closer than or") {
  CHECK(matches("device == cpu and has cuda or device == gpu", gpu));
  CHECK_FALSE(matches("device == cpu and (has cuda or device == gpu)", gpu));
  CHECK(matches("device == gpu or device == cpu and has os", gpu));
  CHECK_FALSE(matches("(device == gpu or device == cpu) and has os", gpu));
  CHECK(matches("not has os and has cuda", gpu));
  CHECK_FALSE(matches("not (has os or has cuda)", gpu));
  CHECK(matches("not not has cuda", gpu));
  CHECK(matches("((((has cuda))))", gpu));
}

TEST_CASE("a blank filter and a new one hold for every tag") {
  CHECK(matches("", unknown));
  CHECK(matches(" \t\r\n", gpu));
  CHECK(TagFilter().matches(unknown));
  CHECK(TagFilter::parse(" has cuda")->text() == " has cuda");
}

TEST_CASE("over the real references it finds what a person would pick") {
  CHECK(count("") == 148);
  CHECK(count("cuda >= 11.7 and version ~ 2.6 and flavour != dev") == 6);
  CHECK(count("device == cpu and version ~ 2.6") == 3);
  CHECK(count("cuda < 10") == 1);
  CHECK(count("device == npu and arch == arm64") == 6);
  CHECK(count("flavour == offline") == 2);
  CHECK(count("has triton") == 4);
  CHECK(count("cuda >= 13") == 3);
  CHECK(count("prerelease == rc") == 9);
}
