#include "proxy/warm/ci/jenkinsfile.h"

#include <catch2/catch.hpp>
#include <string>

#include "proxy/warm/ci/groovy_text.h"
#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines lines(const std::string& text) { return scan_lines("Jenkinsfile", text); }

}  // namespace

TEST_CASE("Groovy's strings and comments are told apart") {
  const auto tokens = split_groovy("a 'x$y' // 'no'\n/* \"no\"\n */ \"z$w\" '''one\ntwo''' \"\"\"${a}\"\"\" 'it\\'s'");
  Lines texts;
  for (const auto& token : tokens) {
    if (token.is_text()) texts.push_back(std::to_string(token.line) + (token.interpolated ? "$" : "'") + token.text);
  }
  CHECK(texts == Lines{"1'x$y", "3$z$w", "3'one\ntwo", "4$${a}", "4'it's"});
}

TEST_CASE("agents name their image in several ways") {
  CHECK(lines("pipeline { agent { docker { image 'alpine:1' } } }") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("pipeline { agent { docker 'alpine:1' } }") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("def i = 'alpine:1'\nnode { docker.image(i).inside { } }") == Lines{"2 docker.io/library/alpine:1"});
  CHECK(lines("containerTemplate(name: 'a', image: \"alpine:1\")") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("pipeline { agent { dockerfile true } }").empty());
  CHECK(lines("def image = docker.build('x:1')\nimage.push()").empty());
}

TEST_CASE("registryUrl stands before names without a registry, wherever in its block") {
  CHECK(lines("docker {\n registryUrl 'https://r.example.com/v2/'\n image 'a/b:1'\n}") ==
        Lines{"3 r.example.com/a/b:1"});
  CHECK(lines("docker {\n image 'a/b:1'\n registryUrl 'http://r:5000'\n}") == Lines{"2 r:5000/a/b:1"});
  CHECK(lines("docker {\n image 'q.io/a/b:1'\n registryUrl 'http://r:5000'\n}") == Lines{"2 q.io/a/b:1"});
  CHECK(lines("docker.withRegistry('https://r:5000') {\n docker.image('a:1')\n}\ndocker.image('b:1')") ==
        Lines{"2 r:5000/a:1", "4 docker.io/library/b:1"});
}

TEST_CASE("variables come from the file, each assignment a possible value") {
  CHECK(lines("environment { A = 'alpine' }\nsh \"docker pull ${env.A}:1\"\nsh 'docker pull $A:2'") ==
        Lines{"2 docker.io/library/alpine:1", "3 docker.io/library/alpine:2"});
  CHECK(lines("def t = '1'\nif (x) { t = '2' }\ndocker.image('alpine:' + t)") ==
        Lines{"3 docker.io/library/alpine:1", "3 docker.io/library/alpine:2"});
  CHECK(lines("docker.image(\"a:${env.BUILD_NUMBER}\")") == Lines{"1 ? run-time"});
  CHECK(lines("docker.image(\"a:${X}\")") == Lines{"1 ? unset-variable"});
  CHECK(lines("docker.image(pick('a'))") == Lines{"1 ? run-time"});
  CHECK(lines("def a = \"$b\"\ndef b = \"$a\"\ndocker.image(a)") == Lines{"3 ? expression"});
  CHECK(lines("docker.image('a:$X')") == Lines{"1 ? not-a-name"});
}

TEST_CASE("the commands of sh steps are read with their lines") {
  CHECK(lines("sh '''\n  docker pull a:1\n  docker run \\\n    b:2\n'''") ==
        Lines{"2 docker.io/library/a:1", "3 docker.io/library/b:2"});
  CHECK(lines("sh label: 'x', script: 'ls'").empty());
  CHECK(lines("sh(script: 'docker pull a:1', returnStdout: true)") == Lines{"1 docker.io/library/a:1"});
  CHECK(lines("echo 'docker pull a:1'").empty());
}

TEST_CASE("a step's script is found among its other arguments") {
  const Lines one{"1 docker.io/library/a:1"};
  CHECK(lines("sh label: 'x', script: 'docker pull a:1'") == one);
  CHECK(lines("sh(returnStdout: true, script: \"docker pull a:1\")") == one);
  CHECK(lines("sh(\n  label: 'x',\n  script: '''\n    docker pull a:1\n  ''',\n  returnStdout: true)") ==
        Lines{"4 docker.io/library/a:1"});
  CHECK(lines("sh label: 'x'\nscript: 'docker pull a:1'").empty());
  CHECK(lines("bat 'docker pull a:1'") == one);
}

TEST_CASE("a script joined of strings and variables is one text") {
  CHECK(lines("def i = 'a:1'\nsh 'docker pull ' + i\nsh \"docker run \" + i + ' ls'") ==
        Lines{"2 docker.io/library/a:1", "3 docker.io/library/a:1"});
  CHECK(lines("sh 'docker pull ' + pick()").empty());
  CHECK(lines("sh \"I=a:1; docker pull \\$I\"") == Lines{"1 docker.io/library/a:1"});
}

TEST_CASE("withDockerContainer names its image, alone or among others") {
  CHECK(lines("withDockerContainer('a:1') { }") == Lines{"1 docker.io/library/a:1"});
  CHECK(lines("withDockerContainer(image: 'a:1', args: 'x') { }") == Lines{"1 docker.io/library/a:1"});
}

}  // namespace paddock::ci::test
