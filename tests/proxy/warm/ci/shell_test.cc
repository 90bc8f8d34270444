#include "proxy/warm/ci/shell.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines lines(const std::string& text) { return scan_lines("a.sh", text); }

}  // namespace

TEST_CASE("assignments are followed in their order") {
  CHECK(lines("T=1\ndocker pull x:$T\nT=2\ndocker pull x:$T\n") ==
        Lines{"2 docker.io/library/x:1", "4 docker.io/library/x:2"});
  CHECK(lines("export A=x B=1\ndocker pull $A:${B}\n") == Lines{"2 docker.io/library/x:1"});
  CHECK(lines("f() { local I=x:1; docker pull $I; }\n") == Lines{"1 docker.io/library/x:1"});
  CHECK(lines("docker pull $I\nI=x:1\n") == Lines{"1 ? unset-variable"});
  CHECK(lines(": ${I:=x:1}\ndocker pull $I\n") == Lines{"2 docker.io/library/x:1"});
}

TEST_CASE("branches leave all their values, and an assignment after them replaces these") {
  const std::string branches = "I=a:1\nif x; then I=b:2; elif y; then I=c:3; fi\n";
  CHECK(lines(branches + "docker pull $I\n") ==
        Lines{"3 docker.io/library/a:1", "3 docker.io/library/b:2", "3 docker.io/library/c:3"});
  CHECK(lines(branches + "I=d:4\ndocker pull $I\n") == Lines{"4 docker.io/library/d:4"});
  CHECK(lines("if [ -z \"$I\" ]; then I=a:1; fi; docker pull $I\n") == Lines{"1 docker.io/library/a:1"});
}

TEST_CASE("loops over words, variables and arrays") {
  CHECK(lines("L='a:1 b:2'\nfor i in $L c:3; do docker pull $i; done\n") ==
        Lines{"2 docker.io/library/a:1", "2 docker.io/library/b:2", "2 docker.io/library/c:3"});
  CHECK(lines("A=(a:1 b:2)\nfor i in \"${A[@]}\"; do docker pull \"$i\"; done\n") ==
        Lines{"2 docker.io/library/a:1", "2 docker.io/library/b:2"});
  CHECK(lines("for i in $(cat f); do docker pull $i; done\n") == Lines{"1 ? run-time"});
  CHECK(lines("for i in \"$@\"; do docker pull $i; done\n") == Lines{"1 ? unset-variable"});
}

TEST_CASE("an empty array has no image") {
  CHECK(lines("A=()\nfor i in \"${A[@]}\"; do docker pull $i; done\ndocker pull ${A[0]}$A\n").size() == 2);
}

TEST_CASE("options in a variable are split, a quoted one is one word") {
  CHECK(lines("O='--rm -it'\ndocker run $O x:1\n") == Lines{"2 docker.io/library/x:1"});
  CHECK(lines("C='docker run --rm'\n$C x:1\n") == Lines{"2 docker.io/library/x:1"});
  CHECK(lines("docker run --name $N -v \"$V\" x:1\n") == Lines{"1 docker.io/library/x:1"});
  CHECK(lines("docker run $UNKNOWN x:1\n") == Lines{"1 ? unset-variable"});
  CHECK(lines("O=\ndocker run $O x:1\n") == Lines{"2 docker.io/library/x:1"});
}

TEST_CASE("what the script makes is not pulled, wherever it says so") {
  CHECK(lines("docker run me:1\ndocker build -t me:1 .\n") == Lines{"1 ? built-here"});
  CHECK(lines("T=me\ndocker build -t $T .\ndocker run docker.io/library/me:latest\n") == Lines{"3 ? built-here"});
  CHECK(lines("docker tag a:1 b:2\ndocker pull a:1\n") == Lines{"2 docker.io/library/a:1"});
}

TEST_CASE("unresolved ones say what is written and why") {
  const auto report = scan_text("a.sh", "docker pull \"q.io/$X:1\"\nread -r N\ndocker pull $N\n");
  REQUIRE(report.unresolved.size() == 2);
  CHECK(report.unresolved[0].text == "q.io/$X:1");
  CHECK(report.unresolved[0].reason == "variable X is not set in this file");
  CHECK(report.unresolved[1].reason == "read when the script runs");
}

TEST_CASE("single quotes keep a dollar") { CHECK(lines("X=1\ndocker pull 'a:$X'\n") == Lines{"2 ? not-a-name"}); }

TEST_CASE("an array stands for its items, with what is added to it") {
  CHECK(lines("a=(--rm -e A -e B --gpus all)\na+=(-v \"$PWD:/w\")\ndocker run \"${a[@]}\" x:1 sh\n") ==
        Lines{"3 docker.io/library/x:1"});
  CHECK(lines("a=()\nif x; then a=(--gpus all); fi\ndocker run ${a[@]} x:1\n") == Lines{"3 docker.io/library/x:1"});
  CHECK(lines("a=(-e 'A=b c' x:1)\ndocker run \"${a[@]}\"\n") == Lines{"2 docker.io/library/x:1"});
  CHECK(lines("if x; then a=(--rm x:1); else a=(-it y:1); fi\ndocker run \"${a[@]}\"\n") == Lines{"2 ? expression"});
}

TEST_CASE("what is appended to a variable joins its value") {
  CHECK(lines("I=x\nI+=:1\ndocker pull $I\nN+=y:1\ndocker pull $N\n") ==
        Lines{"3 docker.io/library/x:1", "5 docker.io/library/y:1"});
  CHECK(lines("O=--rm\nif x; then O+=' --gpus all'; fi\ndocker run $O x:1\n") == Lines{"3 docker.io/library/x:1"});
}

TEST_CASE("options that differ by branch are no image") {
  CHECK(lines("if x; then O='--gpus all'; else O=; fi\ndocker run $O x:1\n") == Lines{"2 docker.io/library/x:1"});
}

TEST_CASE("text that another shell is given is read, what is only said is not") {
  CHECK(lines("T=1\nbash -c \"docker pull x:$T\"\nssh host 'docker pull y:1 && docker run --rm z:1'\n") ==
        Lines{"2 docker.io/library/x:1", "3 docker.io/library/y:1", "3 docker.io/library/z:1"});
  CHECK(lines("sudo /bin/sh -c 'I=x:1; docker pull $I'\neval \"docker pull y:1\"\n") ==
        Lines{"1 docker.io/library/x:1", "2 docker.io/library/y:1"});
  CHECK(lines("echo bash -c \"docker pull x:1\"\nls \"docker pull y:1\"\n").empty());
  CHECK(lines("docker run x:1 bash -c \"docker pull y:1\"\n") == Lines{"1 docker.io/library/x:1"});
}

}  // namespace paddock::ci::test
