#include "proxy/host/requirement.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

namespace paddock {
namespace {

using State = RequirementOutcome::State;
constexpr auto yes = State::satisfied;
constexpr auto no = State::unsatisfied;
constexpr auto bad = State::invalid;

// An A100 with CUDA 11.4's driver.
const RequirementFacts a100{"11.4", "470.82.01", "8.0", "Tesla"};
const RequirementFacts geforce{"12.2", "535.104.05", "8.9", "GeForce"};
const RequirementFacts nothing_known;

struct Case {
  const char* predicate;
  RequirementFacts facts;
  State expected;
};

// What nvidia/cuda:11.8.0 says, shortened.
constexpr const char* cuda118 =
    "cuda>=11.8 brand=tesla,driver>=450,driver<451 brand=tesla,driver>=470,driver<471 "
    "brand=unknown,driver>=470,driver<471 brand=nvidia,driver>=510,driver<511 brand=nvidiartx,driver>=515,driver<516";

const std::vector<Case> cases{
    // versions
    {"cuda>=11.4", a100, yes},
    {"cuda>=11.3", a100, yes},
    {"cuda>=11.8", a100, no},
    {"cuda>=9", a100, yes},
    {"cuda>=12", a100, no},
    {"cuda>11.4", a100, no},
    {"cuda>11", a100, yes},
    {"cuda<=11.4", a100, yes},
    {"cuda<11.4", a100, no},
    {"cuda<11.10", a100, yes},
    {"cuda=11.4", a100, yes},
    {"cuda=11", a100, no},
    {"cuda!=11.4", a100, no},
    {"cuda!=11", a100, yes},
    {"driver>=470", a100, yes},
    {"driver>=470.82.1", a100, yes},
    {"driver>470.82.01", a100, no},
    {"driver>=470.82.02", a100, no},
    {"driver<470.100", a100, yes},
    {"driver>=470.9", a100, yes},
    {"driver<471", a100, yes},
    {"driver=470.82.1", a100, yes},
    {"arch>=8", a100, yes},
    {"arch=8.0", a100, yes},
    {"arch>8.0", a100, no},
    {"arch<7.5", a100, no},
    // zeros at the end
    {"arch=8", a100, yes},
    {"arch=8.0.0", a100, yes},
    {"cuda=11.4.0", a100, yes},
    {"cuda>=11.4.0.0", a100, yes},
    {"cuda>=11.4.0.1", a100, no},
    {"cuda<11.4.0.1", a100, yes},
    {"cuda!=11.4.0", a100, no},
    {"driver=470.82.01.0", a100, yes},
    {"cuda=11.4.", a100, yes},
    {"cuda=11..4", a100, yes},
    {"cuda=011.04", a100, yes},
    // brands
    {"brand=tesla", a100, yes},
    {"brand=TESLA", a100, yes},
    {"brand!=tesla", a100, no},
    {"brand=geforce", a100, no},
    {"brand!=geforce", a100, yes},
    {"brand=geforce", geforce, yes},
    {"brand>=tesla", a100, bad},
    {"brand<tesla", a100, bad},
    // and, or
    {"brand=tesla,driver>=450,driver<451", a100, no},
    {"brand=tesla,driver>=470,driver<471", a100, yes},
    {"cuda>=11.8 brand=tesla,driver>=470,driver<471", a100, yes},
    {"cuda>=11.8 brand=geforce,driver>=470,driver<471", a100, no},
    {"cuda>=11.8  cuda>=11.0", a100, yes},
    {" cuda>=11.0 ", a100, yes},
    {"cuda>=11.0,,driver>=400", a100, yes},
    {",cuda>=11.0,", a100, yes},
    {"cuda>=12,cuda>=11", a100, no},
    {"cuda>=12 arch>=9 driver>=500", a100, no},
    {cuda118, a100, yes},
    {cuda118, geforce, yes},
    {cuda118, {"11.4", "470.82.01", "7.5", "GeForce"}, no},
    {cuda118, {"11.0", "450.80.02", "7.0", "Tesla"}, yes},
    {cuda118, {"11.2", "460.32.03", "7.0", "Tesla"}, no},
    {cuda118, {"11.4", "470.82.01", "8.6", "unknown"}, yes},
    {"", a100, yes},
    {"   ", a100, yes},
    {",", a100, yes},
    {"cuda>=12 ,", a100, no},  // an alternative of nothing decides nothing
    // what is not known holds
    {"cuda>=99", nothing_known, yes},
    {"driver>=999,arch>=99,brand=nothing", nothing_known, yes},
    {"brand=tesla,driver>=450,driver<451", {{}, "450.80.02", {}, {}}, yes},
    {"brand=tesla,driver>=450,driver<451", {{}, "460.32.03", {}, {}}, no},
    {"cuda>=x", nothing_known, yes},  // not even read
    // what cannot be read
    {"cuda>=x", a100, bad},
    {"cuda>=11.4a", a100, bad},
    {"cuda>=.4", a100, bad},
    {"cuda>=v11", a100, bad},
    {"cuda>=99999999999999999999", a100, bad},
    {"cuda>=", a100, bad},
    {"cuda", a100, bad},
    {">=11", a100, bad},
    {"cuda==11.4", a100, bad},
    {"cuda=>11", a100, bad},
    {"cuda<>11", a100, bad},
    {"cuda>=<11", a100, bad},
    {"memory>=16", a100, bad},
    {"memory>=16", nothing_known, bad},
    {"cuda >= 11", a100, bad},
    {"cuda>=11\t", a100, bad},
    // from left to right: what comes after the decision is not looked at
    {"cuda>=11 nonsense", a100, yes},
    {"cuda>=12 nonsense", a100, bad},
    {"cuda>=12,nonsense arch>=8", a100, yes},
    {"cuda>=11,nonsense", a100, bad},
    // quirks
    {"CUDA>=11", a100, yes},
    {"Brand=tesla", a100, yes},
    {"cuda!11", a100, yes},
    {"cuda!11.4", a100, no},
};

TEST_CASE("requirements hold as the container toolkit decides") {
  CHECK(cases.size() >= 60);
  for (const auto& one : cases) {
    INFO(one.predicate << " on driver " << one.facts.driver.value_or("?"));
    CHECK(to_string(evaluate(one.predicate, one.facts).state) == to_string(one.expected));
  }
}

TEST_CASE("an expression that does not hold and is too long to be printed is not understood") {
  const std::string long_brand(116, 'x');
  CHECK(evaluate("brand=" + long_brand, a100).state == no);
  CHECK(evaluate("brand=" + long_brand + "xxxxx", a100).state == bad);
  CHECK(evaluate("brand!=" + long_brand + "xxxxx", a100).state == yes);
}

TEST_CASE("what is not met is named, with what to do where the driver is too old") {
  CHECK(evaluate("cuda>=12.8 brand=tesla,driver>=550", a100).message ==
        "unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda "
        "container");
  CHECK(evaluate("driver>=500", a100).message == "unsatisfied condition: driver>=500");
  CHECK(evaluate("cuda>=11", a100).message.empty());
  CHECK(evaluate("memory>=16", a100).message == "invalid expression 'memory>=16'");
}

TEST_CASE("several variables must all hold") {
  const auto requirements =
      requirements_of({{"NVIDIA_REQUIRE_CUDA", "cuda>=11"}, {"NVIDIA_REQUIRE_BRAND", "brand=geforce"}});
  CHECK(requirements.all.size() == 2);
  const auto outcome = evaluate(requirements, a100);
  CHECK(outcome.state == no);
  CHECK(outcome.message == "unsatisfied condition: brand=geforce");
  CHECK(evaluate(requirements, geforce).state == yes);
}

TEST_CASE("a variable that cannot be read is named") {
  const auto outcome = evaluate(requirements_of({{"NVIDIA_REQUIRE_X", "cuda"}}), a100);
  CHECK(outcome.state == bad);
  CHECK(outcome.message == "NVIDIA_REQUIRE_X: invalid expression 'cuda'");
}

TEST_CASE("requirements of Jetson's are not for us") {
  const auto requirements = requirements_of(
      {{"NVIDIA_REQUIRE_JETPACK", "csv-mounts=all"}, {"NVIDIA_REQUIRE_JETPACK_HOST_MOUNTS", "base-only"}});
  CHECK(requirements.all.empty());
  CHECK(evaluate(requirements, a100).state == State::none);
}

TEST_CASE("CUDA_VERSION alone is the old way to require it") {
  const auto old = requirements_of({{"CUDA_VERSION", "11.8.0"}});
  REQUIRE(old.all.size() == 1);
  CHECK(old.all.front().predicate == "cuda>=11.8");
  CHECK(evaluate(old, a100).state == no);
  CHECK(evaluate(old, geforce).state == yes);
}

TEST_CASE("CUDA_VERSION counts only without NVIDIA_REQUIRE_CUDA, or with an empty one") {
  CHECK(requirements_of({{"CUDA_VERSION", "12.0"}, {"NVIDIA_REQUIRE_CUDA", "cuda>=11"}}).all.size() == 1);
  const auto empty = requirements_of({{"CUDA_VERSION", "12.0"}, {"NVIDIA_REQUIRE_CUDA", ""}});
  CHECK(evaluate(empty, a100).state == no);
  const auto other = requirements_of({{"CUDA_VERSION", "12.0"}, {"NVIDIA_REQUIRE_ARCH", "arch>=8"}});
  CHECK(other.all.size() == 2);
  CHECK(evaluate(other, a100).state == no);
}

TEST_CASE("CUDA_VERSION is a semantic version, of which two numbers count") {
  const std::vector<std::pair<const char*, const char*>> good{{"10.2", "10.2"},   {"12.1.1", "12.1"},
                                                              {"v11.0", "11.0"},  {"11", "11.0"},
                                                              {"9.2.148", "9.2"}, {"11.0.3-rc1", "11.0"}};
  for (const auto& [text, wanted] : good) {
    INFO(text);
    const auto requirements = requirements_of({{"CUDA_VERSION", text}});
    REQUIRE(requirements.all.size() == 1);
    CHECK(requirements.all.front().predicate == std::string("cuda>=") + wanted);
  }
  for (const auto* text : {"latest", "11.x", "11.8.0.1", "11.08", "11.8-rc1", "v", "-", "11.", "1e1"}) {
    INFO(text);
    const auto outcome = evaluate(requirements_of({{"CUDA_VERSION", text}}), a100);
    CHECK(outcome.state == bad);
    CHECK(outcome.message == std::string("CUDA_VERSION '") + text + "' is not a version");
  }
}

TEST_CASE("NVIDIA_DISABLE_REQUIRE skips everything, in every spelling of true") {
  for (const auto* value : {"1", "t", "T", "true", "True", "TRUE"}) {
    const auto requirements = requirements_of({{"NVIDIA_DISABLE_REQUIRE", value}, {"NVIDIA_REQUIRE_CUDA", "nonsense"}});
    CHECK(evaluate(requirements, a100).state == State::disabled);
  }
  for (const auto* value : {"", "0", "false", "yes", "tRUE"}) {
    const auto requirements = requirements_of({{"NVIDIA_DISABLE_REQUIRE", value}, {"NVIDIA_REQUIRE_CUDA", "cuda>=12"}});
    CHECK(evaluate(requirements, a100).state == no);
  }
}

TEST_CASE("without requirements there is nothing to meet") {
  CHECK(evaluate(requirements_of({{"PATH", "/bin"}}), a100).state == State::none);
}

TEST_CASE("the toolkit takes 32 variables") {
  Environment environment;
  for (int at = 0; at < 32; ++at) environment["NVIDIA_REQUIRE_" + std::to_string(at)] = "cuda>=11";
  CHECK(evaluate(requirements_of(environment), a100).state == yes);
  environment["NVIDIA_REQUIRE_32"] = "cuda>=11";
  CHECK(evaluate(requirements_of(environment), a100).state == bad);
}

TEST_CASE("a requirement without end is read in one pass") {
  std::string predicate;
  for (int at = 0; at < 100'000; ++at) predicate += "cuda>=99,driver>=1 ";
  CHECK(evaluate(predicate, a100).state == no);
  CHECK(evaluate(std::string(1'000'000, ','), a100).state == yes);
}

TEST_CASE("what an image requires at length is not repeated in full") {
  std::string many = "cuda>=99";
  for (int at = 0; at < 100'000; ++at) many += ",cuda>=99";
  RequirementFacts facts;
  facts.cuda = "12.0";
  CHECK(evaluate(many, facts).message.size() < 600);
  const Requirements odd{.all = {{"NVIDIA_REQUIRE_" + std::string(100'000, 'X'), "cuda~1"}}};
  CHECK(evaluate(odd, facts).message.size() < 600);
}

}  // namespace
}  // namespace paddock
