#include "proxy/warm/ci/markdown.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines lines(const std::string& text) { return scan_lines("a.md", text); }

}  // namespace

TEST_CASE("commands are found in blocks of shell, with their lines") {
  CHECK(lines("# x\n\n```bash\ndocker pull a:1\ndocker run \\\n  b:2\n```\n") ==
        Lines{"4 docker.io/library/a:1", "5 docker.io/library/b:2"});
  CHECK(lines("~~~~\n~~~\ndocker pull a:1\n~~~~\ndocker pull b:1\n") == Lines{"3 docker.io/library/a:1"});
  CHECK(lines("x\n\n    docker pull a:1\n") == Lines{"3 docker.io/library/a:1"});
  CHECK(lines("> ```sh\n> docker pull a:1\n> ```\n") == Lines{"2 docker.io/library/a:1"});
  CHECK(lines("```powershell\ndocker pull a:1\n```\n```bash {.x}\ndocker pull b:1\n```\n") ==
        Lines{"2 docker.io/library/a:1", "5 docker.io/library/b:1"});
}

TEST_CASE("blocks of other languages hold no commands") {
  CHECK(lines("```python\ndocker pull a:1\n```\n```yaml\n- docker pull b:1\n```\n").empty());
  CHECK(lines("```python\nx\n```\n```\ndocker pull a:1\n```\n") == Lines{"5 docker.io/library/a:1"});
}

TEST_CASE("prompts are no part of a command") {
  CHECK(lines("```console\n$ docker pull a:1\n# docker pull b:1\nroot@host:/# docker pull c:1\n# a comment\n```\n") ==
        Lines{"2 docker.io/library/a:1", "3 docker.io/library/b:1", "4 docker.io/library/c:1"});
}

TEST_CASE("code within a sentence is read, the sentence is not") {
  CHECK(lines("Use `docker pull a:1`, or ``docker pull b:1``; docker pull the newest.\n") ==
        Lines{"1 docker.io/library/a:1", "1 docker.io/library/b:1"});
  CHECK(lines("`docker` and `docker run` and `an open docker pull a:1\n").empty());
}

TEST_CASE("prose that is indented, or printed by a machine, names no image") {
  CHECK(lines("1. First\n\n    - Use docker run with a GPU.\n    Then docker pull may take long.\n").empty());
  CHECK(lines("    1. docker run the container\n").empty());
  CHECK(lines("```\nUsage:  docker run [OPTIONS] IMAGE\ndocker: Error: docker run failed.\n```\n").empty());
  CHECK(lines("```\nsudo -E docker pull a:1\nDOCKER_BUILDKIT=1 docker pull b:1\ntimeout 60s docker pull c:1\n```\n") ==
        Lines{"2 docker.io/library/a:1", "3 docker.io/library/b:1", "4 docker.io/library/c:1"});
}

TEST_CASE("a place holder is told as one, a redirection is none") {
  CHECK(lines("```\ndocker pull paddle:<version>\ndocker run <your image>\n```\n") ==
        Lines{"2 ? not-a-name", "3 ? not-a-name"});
  CHECK(lines("```\ndocker run a:1 < in > out\n```\n") == Lines{"2 docker.io/library/a:1"});
}

TEST_CASE("variables of earlier blocks count in later ones") {
  CHECK(lines("```\nexport T=1\n```\ntext\n```\ndocker pull a:$T\n```\n") == Lines{"6 docker.io/library/a:1"});
}

TEST_CASE("a quote left open ends with its block") {
  CHECK(lines("```\necho \"open\n```\n```\ndocker pull a:1\n```\n") == Lines{"5 docker.io/library/a:1"});
}

}  // namespace paddock::ci::test
