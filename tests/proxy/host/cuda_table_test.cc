#include "proxy/host/cuda_table.h"

#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

namespace paddock {
namespace {

CudaVersion cuda(std::string_view text) { return CudaVersion::parse(text).value(); }
DriverVersion driver(std::string_view text) { return DriverVersion::parse(text).value(); }

struct Row {
  std::string_view toolkit, driver;
};

// NVIDIA's release notes, once more: a slip in the table would show.
const std::vector<Row> documented{
    {"9.0", "384.81"},        {"9.1", "390.46"},       {"9.2", "396.26"},       {"9.2.148", "396.37"},
    {"10.0", "410.48"},       {"10.1", "418.39"},      {"10.2", "440.33"},      {"11.0.2", "450.51.05"},
    {"11.0.3", "450.51.06"},  {"11.1", "455.23"},      {"11.1.1", "455.32"},    {"11.2.0", "460.27.03"},
    {"11.2.1", "460.32.03"},  {"11.3", "465.19.01"},   {"11.4.0", "470.42.01"}, {"11.4.1", "470.57.02"},
    {"11.4.3", "470.82.01"},  {"11.5", "495.29.05"},   {"11.6", "510.39.01"},   {"11.6.1", "510.47.03"},
    {"11.7", "515.43.04"},    {"11.7.1", "515.48.07"}, {"11.8", "520.61.05"},   {"12.0", "525.60.13"},
    {"12.0.1", "525.85.12"},  {"12.1", "530.30.02"},   {"12.2", "535.54.03"},   {"12.2.1", "535.86.09"},
    {"12.2.2", "535.104.05"}, {"12.3", "545.23.06"},   {"12.3.1", "545.23.08"}, {"12.4", "550.54.14"},
    {"12.4.1", "550.54.15"},  {"12.5", "555.42.02"},   {"12.5.1", "555.42.06"}, {"12.6", "560.28.03"},
    {"12.6.1", "560.35.03"},  {"12.6.3", "560.35.05"}, {"12.8", "570.26"},      {"12.8.1", "570.124.06"},
    {"12.9", "575.51.03"},    {"12.9.1", "575.57.08"}, {"13.0", "580.65.06"},   {"13.0.1", "580.82.07"},
    {"13.0.2", "580.95.05"},  {"13.1", "590.44.01"},   {"13.1.1", "590.48.01"}, {"13.2", "595.45.04"},
    {"13.2.1", "595.58.03"},  {"13.2.2", "595.71.05"}};

TEST_CASE("every toolkit of the release notes has its driver") {
  REQUIRE(cuda_releases().size() == documented.size());
  for (const auto& row : documented) {
    INFO(row.toolkit);
    const auto release = release_for(cuda(row.toolkit));
    REQUIRE(release);
    CHECK(release->toolkit.text() == row.toolkit);
    CHECK(release->driver.text() == row.driver);
  }
}

TEST_CASE("the table is in order") {
  const auto releases = cuda_releases();
  for (std::size_t at = 1; at < releases.size(); ++at) {
    INFO(releases[at].toolkit.text());
    CHECK(releases[at - 1].toolkit < releases[at].toolkit);
    CHECK(releases[at - 1].driver < releases[at].driver);
  }
}

TEST_CASE("a driver supports the CUDA that it came with, and no newer one") {
  for (const auto& row : documented) {
    INFO(row.toolkit);
    const auto highest = highest_cuda(driver(row.driver));
    REQUIRE(highest);
    CHECK(*highest == cuda(row.toolkit).major_minor());
  }
}

TEST_CASE("between two toolkits the older one counts") {
  CHECK(highest_cuda(driver("470.82.01"))->text() == "11.4");
  CHECK(highest_cuda(driver("450.80.02"))->text() == "11.0");
  CHECK(highest_cuda(driver("525.147.05"))->text() == "12.0");
  CHECK(highest_cuda(driver("535.183.06"))->text() == "12.2");
  CHECK(highest_cuda(driver("580.159.04"))->text() == "13.0");
}

TEST_CASE("of a branch the newest release counts") { CHECK(highest_cuda(driver("535"))->text() == "12.2"); }

TEST_CASE("what is older or newer than the table has no highest CUDA") {
  CHECK_FALSE(highest_cuda(driver("375.26")));
  CHECK_FALSE(highest_cuda(driver("610.10")));
  CHECK(newer_than_known(driver("610.10")));
  CHECK_FALSE(newer_than_known(driver("595.99.99")));
}

TEST_CASE("a toolkit that is not in the table stands with its minor version, or the next one") {
  CHECK(release_for(cuda("11.8.0"))->driver.text() == "520.61.05");
  CHECK(release_for(cuda("10.2.89"))->driver.text() == "440.33");
  CHECK(release_for(cuda("12.1.1"))->driver.text() == "530.30.02");
  CHECK(release_for(cuda("12.0.9"))->driver.text() == "525.85.12");  // the last of 12.0
  CHECK(release_for(cuda("11.0"))->driver.text() == "450.51.05");    // the first that there was
  CHECK(release_for(cuda("12.7"))->driver.text() == "570.26");       // never released
  CHECK(release_for(cuda("8.0"))->driver.text() == "384.81");
  CHECK_FALSE(release_for(cuda("13.9")));
  CHECK_FALSE(release_for(cuda("14.0")));
}

TEST_CASE("from CUDA 11 on a major version has one floor") {
  CHECK(minor_version_floor(11)->text() == "450.80.02");
  CHECK(minor_version_floor(12)->text() == "525.60.13");
  CHECK(minor_version_floor(13)->text() == "580.65.06");
  CHECK_FALSE(minor_version_floor(10));
  CHECK_FALSE(minor_version_floor(9));
  CHECK_FALSE(minor_version_floor(14));
}

TEST_CASE("compatibility packages have floors of their own") {
  CHECK(forward_compatibility_floor(cuda("11.8"))->text() == "450");
  CHECK(forward_compatibility_floor(cuda("11.4"))->text() == "418");
  CHECK(forward_compatibility_floor(cuda("12.1"))->text() == "450");
  CHECK(forward_compatibility_floor(cuda("12.6"))->text() == "470");
  CHECK(forward_compatibility_floor(cuda("12.9"))->text() == "535");
  CHECK(forward_compatibility_floor(cuda("13.0"))->text() == "535");
  CHECK_FALSE(forward_compatibility_floor(cuda("9.2")));
  CHECK_FALSE(forward_compatibility_floor(cuda("14.0")));
}

TEST_CASE("code for older GPUs of the same generation runs on newer ones, and not the other way round") {
  using enum ArchitectureSupport;
  CHECK(architecture_support(cuda("11.2"), cuda("8.9")) == by_generation);  // of 8.0 and 8.6
  CHECK(architecture_support(cuda("11.0"), cuda("8.6")) == by_generation);
  CHECK(architecture_support(cuda("10.2"), cuda("8.6")) == not_yet);
  CHECK(architecture_support(cuda("9.0"), cuda("7.5")) == by_generation);
  CHECK(architecture_support(cuda("8.0"), cuda("7.5")) == not_yet);
}

TEST_CASE("a GPU needs a CUDA that knows it") {
  using enum ArchitectureSupport;
  CHECK(architecture_support(cuda("11.7"), cuda("9.0")) == not_yet);
  CHECK(architecture_support(cuda("11.8"), cuda("9.0")) == supported);
  CHECK(architecture_support(cuda("12.6"), cuda("10.0")) == not_yet);
  CHECK(architecture_support(cuda("12.9"), cuda("7.0")) == supported);
  CHECK(architecture_support(cuda("13.0"), cuda("7.0")) == no_longer);
  CHECK(architecture_support(cuda("13.0"), cuda("7.5")) == supported);
  CHECK(architecture_support(cuda("12.0"), cuda("3.7")) == no_longer);
  CHECK(architecture_support(cuda("13.2"), cuda("99.0")) == not_yet);    // newer than all that is known
  CHECK(architecture_support(cuda("99.0"), cuda("99.0")) == supported);  // perhaps as new as the GPU
  CHECK(architecture_support(cuda("13.0"), cuda("8.8")) == supported);   // not known: nothing is said against it
  CHECK(first_cuda_for(cuda("8.6"))->text() == "11.1");
  CHECK_FALSE(first_cuda_for(cuda("99.0")));
}

}  // namespace
}  // namespace paddock
