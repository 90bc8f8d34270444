#include "proxy/net/unix_client.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_docker.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::FakeDocker;
using test::http_answer;

Task<Result<std::string>> whole(std::string path, ClientRequest request) {
  auto response = co_await send_to_socket(std::move(path), std::move(request));
  if (!response) co_return std::unexpected(response.error());
  auto body = co_await read_all(**response, 1000);
  if (!body) co_return body;
  co_return std::to_string((*response)->status()) + " " + *body;
}

ClientRequest request(Method method, const std::string& target) {
  ClientRequest made;
  made.method = method;
  made.url = Url::parse("http://docker" + target).value();
  return made;
}

TEST_CASE("a request goes over a Unix socket and is answered there") {
  FakeDocker docker;
  docker.answer("POST /a?b=c", http_answer(201, "made"));
  docker.answer("GET /chunked",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  docker.answer("GET /until", test::http_stream("the end"));
  CHECK(run_task(whole(docker.path(), request(Method::post, "/a?b=c"))) == "201 made");
  CHECK(run_task(whole(docker.path(), request(Method::get, "/chunked"))) == "200 onetwo");
  CHECK(run_task(whole(docker.path(), request(Method::get, "/until"))) == "200 the end");
}

TEST_CASE("what is wrong with a socket is said with its path") {
  const TemporaryFolder folder;
  const std::string nobody = folder / "nobody.sock";
  const auto absent = run_task(whole(nobody, request(Method::get, "/")));
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::unavailable);
  CHECK_THAT(absent.error().context, Contains(nobody));
  for (const auto& path : {std::string(), std::string(200, 'x')}) {
    CHECK(run_task(whole(path, request(Method::get, "/"))).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("an answer that breaks off is no answer") {
  FakeDocker docker;
  docker.answer("GET /short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
  docker.answer("GET /nothing", "");
  docker.answer("GET /nonsense", "nonsense\r\n\r\n");
  CHECK(run_task(whole(docker.path(), request(Method::get, "/short"))).error().code == ErrorCode::unavailable);
  CHECK(run_task(whole(docker.path(), request(Method::get, "/nothing"))).error().code == ErrorCode::unavailable);
  CHECK(run_task(whole(docker.path(), request(Method::get, "/nonsense"))).error().code == ErrorCode::protocol);
}

TEST_CASE("who never answers is not waited for without end") {
  FakeDocker docker;
  docker.answer("GET /", "");
  docker.hang("GET /");
  auto asked = request(Method::get, "/");
  asked.deadlines.headers = std::chrono::milliseconds(50);
  CHECK(run_task(whole(docker.path(), std::move(asked))).error().code == ErrorCode::timeout);
}

}  // namespace
}  // namespace paddock
