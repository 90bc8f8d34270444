#include "proxy/warm/ci/docker_command.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace paddock::ci {
namespace {

// The images of a command line, "made:" before those that it makes.
std::string images(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  const auto engine = find_engine(words);
  if (!engine) return "none";
  std::string out;
  const auto found = image_words(std::span(words).subspan(*engine));
  for (const auto index : found.pulled) out += (out.empty() ? "" : " ") + words[*engine + index];
  for (const auto index : found.made) out += (out.empty() ? "made:" : " made:") + words[*engine + index];
  return out;
}

}  // namespace

TEST_CASE("the image of docker run stands behind its options") {
  CHECK(images("docker run img cmd arg") == "img");
  CHECK(images("docker run --rm -it img") == "img");
  CHECK(images("docker run --name x -v /a:/b -e A=1 img -v no") == "img");
  CHECK(images("docker run -itv /a:/b img") == "img");
  CHECK(images("docker run -v/a:/b -p8:8 img") == "img");
  CHECK(images("docker run --gpus all --shm-size=8g --network host img") == "img");
  CHECK(images("docker run -a stdout img") == "img");
  CHECK(images("docker run --init --privileged --read-only -dP img") == "img");
  CHECK(images("docker run -- img") == "img");
  CHECK(images("docker run --rm").empty());
}

TEST_CASE("engines and their ways of saying it") {
  CHECK(images("docker pull -q img") == "img");
  CHECK(images("docker pull --platform linux/arm64 img") == "img");
  CHECK(images("docker pull -a img") == "img");
  CHECK(images("docker container run img") == "img");
  CHECK(images("docker image pull img") == "img");
  CHECK(images("docker create --name x img") == "img");
  CHECK(images("docker -H tcp://h:1 run img") == "img");
  CHECK(images("docker --context far pull img") == "img");
  CHECK(images("nvidia-docker run -it img") == "img");
  CHECK(images("podman run img") == "img");
  CHECK(images("nerdctl -n k8s.io pull img") == "img");
  CHECK(images("ctr -n k8s.io images pull img") == "img");
  CHECK(images("crictl pull img") == "img");
  CHECK(images("/usr/bin/docker pull img") == "img");
  CHECK(images("sudo -E docker pull img") == "img");
  CHECK(images("retry 3 docker pull img") == "img");
}

TEST_CASE("what is only said is no command") {
  CHECK(images("echo docker pull img") == "none");
  CHECK(images("grep docker run") == "none");
  CHECK(images("apt-get install docker pull") == "none");
  CHECK(images("ls") == "none");
  CHECK(images("docker ps").empty());
  CHECK(images("docker exec box run img").empty());
  CHECK(images("docker").empty());
}

TEST_CASE("what a command makes is told apart") {
  CHECK(images("docker build -t img .") == "made:img");
  CHECK(images("docker buildx build --platform x --tag img -t img2 .") == "made:img made:img2");
  CHECK(images("docker tag a b") == "made:b");
  CHECK(images("docker commit box img") == "made:img");
}

TEST_CASE("paddock's own commands name images too") {
  CHECK(images("paddock warm a b --pin 3d c") == "a b c");
  CHECK(images("paddock warm --platform linux/amd64 a") == "a");
  CHECK(images("paddock warm --from-ci .").empty());
  CHECK(images("paddock prepull a --cache h:1") == "a");
  CHECK(images("paddock doctor --image a") == "a");
  CHECK(images("paddock doctor").empty());
  CHECK(images("paddock serve --data d").empty());
}

TEST_CASE("among prose only sudo and its like stand before a command") {
  const std::vector<std::string> prose{"Use", "docker", "run"};
  CHECK(find_engine(prose) == 1);
  CHECK_FALSE(find_engine(prose, true));
  for (const std::string first : {"sudo", "-E", "A=b", "root@host:/#", "30", "60s"}) {
    INFO(first);
    CHECK(find_engine(std::vector<std::string>{first, "docker", "run"}, true) == 1);
  }
  for (const std::string first : {"-", "1.", "=b", "s", ""}) {
    INFO(first);
    CHECK_FALSE(find_engine(std::vector<std::string>{first, "docker", "run"}, true));
  }
}

}  // namespace paddock::ci
