#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "proxy/warm/grammar/tag_fields.h"
#include "tests/proxy/warm/grammar/field_text.h"
#include "tests/proxy/warm/grammar/paddle_tags.h"

using paddock::parse_tag;
using paddock::TagFields;

TEST_CASE("every reference of Paddle's registries reads as a person would read it") {
  for (const paddle_tags::Row& row : paddle_tags::existing) {
    CAPTURE(row.reference);
    CHECK(field_text::of(field_text::parsed(row.reference)) == row.fields);
  }
}

TEST_CASE("references that do not exist read as well") {
  for (const paddle_tags::Row& row : paddle_tags::missing) {
    CAPTURE(row.reference);
    CHECK(field_text::of(field_text::parsed(row.reference)) == row.fields);
  }
}

TEST_CASE("a tag that fits nothing is valid and says nothing") {
  const auto* const tag =
      GENERATE("d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661",
               "92eb5ffee6ae2fec3ad71c777531578f", "nightly", "main", "_", "__", "a--b", "develop", "cuda", "cudnn",
               "gcc", "py", "cudax", "cuda1234567890", "cuda11.8x", "defaced", "x86x");
  CAPTURE(tag);
  CHECK(parse_tag("ci/paddle", tag) == TagFields{});
  CHECK(parse_tag("paddlepaddle/paddle", tag) == TagFields{});
}

TEST_CASE("spellings of the same are the same") {
  const auto same = [](std::string_view a, std::string_view b) {
    CAPTURE(a, b);
    CHECK(field_text::of("a/b", a) == field_text::of("a/b", b));
  };
  same("1.0-gcc82", "1.0-gcc8.2");
  same("cuda118", "cuda11.8");
  same("cuda118", "CUDA11.8");
  same("cuda1162", "cuda11.6.2");
  same("cuda-11.8", "cuda11.8");
  same("cuda_11.8_cudnn_8", "cuda11.8-cudnn8");
  same("cuda92", "cuda9.2");
  same("trt10", "tensorrt10");
  same("gcc122", "gcc12.2");
  same("gcc54", "gcc5.4");
  same("py310", "python3.10");
  same("py3.9", "py39");
  same("python-3.10", "py310");
  same("aarch_64", "arm64");
  same("aarch64", "arm64");
  same("x86_64", "amd64");
  same("x86", "amd64");
  same("2.3.0-rc0", "2.3.0rc0");
  same("2.3.0_rc0", "2.3.0rc0");
  same("ubuntu-20.04", "ubuntu20.04");
  same("cann80RC1", "cann8.0rc1");
  same("rocm57", "rocm5.7");
  same("gpu-cuda11.8-2.6.0", "2.6.0-gpu-cuda11.8");
}

TEST_CASE("a number alone is the version where nothing else explains it") {
  CHECK(field_text::of("library/debian", "12") == "version=12 os=debian");
  CHECK(field_text::of("library/python", "3.10-slim") == "version=3.10 python=3.10");
  CHECK(field_text::of("library/ubuntu", "22.04") == "version=22.04 os=ubuntu");
  CHECK(field_text::of("a/b", "v1.2.3") == "version=v1.2.3");
  CHECK(field_text::of("a/b", "20230101") == "version=20230101");
  CHECK(field_text::of("a/b", "cntoolkit3.8.4-1") == "device=mlu sdk=cntoolkit sdk_version=3.8.4");
  CHECK(field_text::of("a/b", "cuda126-py310-3.0.0") == "version=3.0.0 device=gpu cuda=12.6 python=3.10");
  CHECK(field_text::of("a/b", "1.0-2.0") == "version=1.0");
}

TEST_CASE("a repository may be the word whose number is the tag") {
  CHECK(field_text::of("nvidia/cuda", "12.0.1-cudnn8-devel-ubuntu22.04") ==
        "version=12.0.1 device=gpu cuda=12.0.1 cudnn=8 os=ubuntu22.04 flavour=devel");
  CHECK(field_text::of("library/gcc", "12") == "version=12 gcc=12");
  CHECK(field_text::of("paddlex/paddlex", "3.0.1") == "version=3.0.1 paddlex=3.0.1");
  CHECK(field_text::of("nvidia/cuda", "latest") == "version=latest");
  CHECK(field_text::of("a/cuda", "1.0-cuda11.8") == "version=1.0 device=gpu cuda=11.8");
}

TEST_CASE("names of cards are no pre-releases") {
  CHECK(field_text::of("a/b", "2.6.2-a100") == "version=2.6.2");
  CHECK(field_text::of("a/b", "2.6.2-b200") == "version=2.6.2");
  CHECK(field_text::of("a/b", "2.6.2-t4") == "version=2.6.2");
  CHECK(field_text::of("a/b", "2.6.2-beta1") == "version=2.6.2beta1 prerelease=beta");
  CHECK(field_text::of("a/b", "latest-rc1") == "version=latest");
}

TEST_CASE("the tag speaks before the repository, and what is said first counts") {
  CHECK(field_text::of("a/paddle-cpu", "npu-base") == "device=npu flavour=base");
  CHECK(field_text::of("a/fastdeploy-cuda-12.6", "1.0") == "version=1.0 device=gpu cuda=12.6");
  CHECK(field_text::of("a/fastdeploy-cuda-12.6", "1.0-cuda11.8") == "version=1.0 device=gpu cuda=11.8");
  CHECK(field_text::of("a/b", "cuda11.8-cuda12.0") == "device=gpu cuda=11.8");
  CHECK(field_text::of("gpu/b", "1.0") == "version=1.0");
  CHECK(field_text::of("a/b_devel", "dev-devel-dev") == "flavour=dev,devel");
}

TEST_CASE("Paddle and Serving name a device only when it is not the CPU, wherever they are mirrored") {
  CHECK(field_text::of("paddlepaddle/paddle", "2.6.2") == "version=2.6.2 device=cpu");
  CHECK(field_text::of("mirror/paddlepaddle/paddle", "2.6.2") == "version=2.6.2 device=cpu");
  CHECK(field_text::of("paddlepaddle/serving", "0.9.0-runtime") == "version=0.9.0 device=cpu flavour=runtime");
  CHECK(field_text::of("notpaddlepaddle/paddle", "2.6.2") == "version=2.6.2");
  CHECK(field_text::of("paddlepaddle/other", "2.6.2") == "version=2.6.2");
  CHECK(field_text::of("paddle", "2.6.2") == "version=2.6.2");
}

TEST_CASE("a year and a month are Triton's only under FastDeploy") {
  CHECK(field_text::of("paddlepaddle/fastdeploy", "21.10") == "triton=21.10");
  CHECK(field_text::of("paddlepaddle/fastdeploy", "21.13") == "version=21.13");
  CHECK(field_text::of("paddlepaddle/paddle", "21.10") == "version=21.10 device=cpu");
}

TEST_CASE("hashes of a commit are told from words and dates") {
  CHECK(field_text::of("a/b", "0006f78") == "commit=0006f78");
  CHECK(field_text::of("a/b", "1234567") == "version=1234567");
  CHECK(field_text::of("a/b", "abcdefa").empty());
  CHECK(field_text::of("a/b", "0006f78a").empty());
  CHECK(field_text::of("a/b", "da39a3ee5e6b4b0d3255bfef95601890afd80709") ==
        "commit=da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST_CASE("a text beyond the limits of names says nothing") {
  CHECK(parse_tag("a/b", "2.6.2-" + std::string(122, 'x')).version);
  CHECK(parse_tag("a/b", "2.6.2-" + std::string(123, 'x')) == TagFields{});
  CHECK(parse_tag(std::string(256, 'a'), "2.6.2") == TagFields{});
  CHECK(parse_tag("", "") == TagFields{});
}

TEST_CASE("values of a field with a fixed set come from this set, whatever the tag") {
  std::mt19937 random(3);
  std::vector<std::string> pieces{"-",   "-",  "_",   ".",      "1",    "82",   "910b",
                                  "x86", "64", "rc1", "latest", "with", "\xff", " "};
  for (const auto& row : paddle_tags::existing)
    pieces.emplace_back(row.reference.substr(row.reference.rfind(':') + 1, 9));
  for (const paddock::TagField& field : paddock::tag_fields()) {
    pieces.emplace_back(field.name);
    for (const std::string_view value : field.values) pieces.emplace_back(value);
  }
  for (int round = 0; round < 30'000; ++round) {
    std::string tag, repository;
    for (unsigned length = random() % 12; length > 0; --length) tag += pieces[random() % pieces.size()];
    for (unsigned length = random() % 4; length > 0; --length) repository += pieces[random() % pieces.size()];
    const TagFields fields = parse_tag(repository, tag);
    for (const paddock::TagField& field : paddock::tag_fields()) {
      if (field.values.empty()) continue;
      const auto is_listed = [&](std::string_view value) {
        return std::ranges::find(field.values, value) != field.values.end();
      };
      if (const auto* name = std::get_if<paddock::TagField::Name>(&field.member)) {
        if (fields.**name && !is_listed(*(fields.**name))) FAIL(tag);
      } else if (!std::ranges::all_of(fields.*std::get<paddock::TagField::Names>(field.member), is_listed)) {
        FAIL(tag);
      }
    }
  }
}

TEST_CASE("no bytes are too strange for a tag") {
  std::mt19937 random(5);
  for (int round = 0; round < 50'000; ++round) {
    std::string tag;
    for (unsigned length = random() % 40; length > 0; --length) tag += static_cast<char>(random() % 256);
    const TagFields once = parse_tag(tag, tag);
    if (!(once == parse_tag(tag, tag))) FAIL("not the same twice");
  }
}
