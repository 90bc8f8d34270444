#include "proxy/oci/registry_error.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

using paddock::Blame;
using paddock::Error;
using paddock::error_json;
using paddock::error_response;
using paddock::ErrorCode;
using paddock::Response;
using paddock::Subject;
using paddock::to_registry_error;

namespace {

std::optional<std::string> header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return std::string(value);
  }
  return std::nullopt;
}

nlohmann::json body(const Response& response) { return nlohmann::json::parse(std::get<std::string>(response.body)); }

}  // namespace

TEST_CASE("errors become the status and code that clients act on") {
  struct Case {
    ErrorCode code;
    Blame blame;
    Subject subject;
    int status;
    std::string_view oci;
  };
  const auto c = GENERATE(values<Case>({
      {ErrorCode::not_found, Blame::upstream, Subject::manifest, 404, "MANIFEST_UNKNOWN"},
      {ErrorCode::not_found, Blame::upstream, Subject::tag, 404, "MANIFEST_UNKNOWN"},
      {ErrorCode::not_found, Blame::upstream, Subject::blob, 404, "BLOB_UNKNOWN"},
      {ErrorCode::not_found, Blame::upstream, Subject::digest, 404, "BLOB_UNKNOWN"},
      {ErrorCode::not_found, Blame::client, Subject::name, 404, "NAME_UNKNOWN"},
      {ErrorCode::not_found, Blame::client, Subject::none, 404, "NAME_UNKNOWN"},
      {ErrorCode::denied, Blame::client, Subject::manifest, 403, "DENIED"},
      {ErrorCode::denied, Blame::upstream, Subject::blob, 403, "DENIED"},
      {ErrorCode::unauthorized, Blame::upstream, Subject::manifest, 403, "DENIED"},
      {ErrorCode::unauthorized, Blame::client, Subject::manifest, 403, "DENIED"},
      {ErrorCode::unavailable, Blame::upstream, Subject::manifest, 502, "UNAVAILABLE"},
      {ErrorCode::timeout, Blame::upstream, Subject::blob, 504, "UNAVAILABLE"},
      {ErrorCode::rate_limited, Blame::upstream, Subject::manifest, 503, "TOOMANYREQUESTS"},
      {ErrorCode::digest_mismatch, Blame::upstream, Subject::blob, 502, "UNKNOWN"},
      {ErrorCode::protocol, Blame::upstream, Subject::manifest, 502, "UNKNOWN"},
      {ErrorCode::too_large, Blame::upstream, Subject::manifest, 502, "UNKNOWN"},
      {ErrorCode::too_large, Blame::client, Subject::none, 413, "SIZE_INVALID"},
      {ErrorCode::invalid_argument, Blame::client, Subject::name, 400, "NAME_INVALID"},
      {ErrorCode::invalid_argument, Blame::client, Subject::digest, 400, "DIGEST_INVALID"},
      {ErrorCode::invalid_argument, Blame::client, Subject::blob, 400, "DIGEST_INVALID"},
      {ErrorCode::invalid_argument, Blame::client, Subject::tag, 400, "TAG_INVALID"},
      {ErrorCode::invalid_argument, Blame::client, Subject::manifest, 400, "MANIFEST_INVALID"},
      {ErrorCode::invalid_argument, Blame::upstream, Subject::blob, 502, "UNKNOWN"},
      {ErrorCode::invalid_argument, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::unsupported, Blame::client, Subject::none, 405, "UNSUPPORTED"},
      {ErrorCode::no_space, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::io, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::corrupt, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::conflict, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::denied, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::unsupported, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::not_found, Blame::us, Subject::blob, 500, "UNKNOWN"},
      {ErrorCode::unavailable, Blame::us, Subject::blob, 502, "UNAVAILABLE"},
      {ErrorCode::cancelled, Blame::us, Subject::blob, 503, "UNAVAILABLE"},
  }));
  CAPTURE(paddock::to_string(c.code), paddock::to_string(c.blame), c.status);
  const auto answer = to_registry_error(Error{c.code, c.blame, "context"}, c.subject);
  CHECK(answer.status == c.status);
  CHECK(answer.code == c.oci);
  CHECK_FALSE(answer.message.empty());
}

TEST_CASE("no error becomes 401, 408 or 429, which clients retry or take for a challenge") {
  for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
    for (const Blame blame : {Blame::client, Blame::upstream, Blame::us}) {
      for (const Subject subject : {Subject::none, Subject::name, Subject::manifest, Subject::blob, Subject::tag}) {
        const int status = to_registry_error(Error{static_cast<ErrorCode>(code), blame, "x"}, subject).status;
        CHECK((status >= 400 && status < 600));
        CHECK((status != 401 && status != 408 && status != 429));
      }
    }
  }
}

TEST_CASE("refused credentials say whose they are") {
  const auto answer =
      to_registry_error(Error{ErrorCode::unauthorized, Blame::upstream, "401 from h"}, Subject::manifest);
  CHECK(answer.message == "the upstream refused the cache: 401 from h");
}

TEST_CASE("of an error of ours the client learns nothing but what kind it is, the log learns all") {
  for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
    const Error error{static_cast<ErrorCode>(code), Blame::us, "write /var/lib/paddock/blobs/x: failed"};
    for (const Subject subject : {Subject::none, Subject::name, Subject::manifest, Subject::blob, Subject::tag}) {
      CAPTURE(paddock::to_string(error.code));
      const auto answer = to_registry_error(error, subject);
      CHECK(answer.message.find('/') == std::string::npos);
      CHECK_FALSE(answer.message.empty());
      // 4xx would say that it is the client's doing, 404 that the upstream has said so.
      CHECK(answer.status >= 500);
      CHECK(std::get<std::string>(error_response(error, subject).body).find("/var") == std::string::npos);
      CHECK(error_response(error, subject).log_note.find("/var/lib/paddock") != std::string::npos);
    }
  }
}

TEST_CASE("what is on its way is no timeout: the client is told to come back") {
  Error error{ErrorCode::timeout, Blame::upstream, "not complete yet", true};
  error.retry_after = std::chrono::seconds{10};
  const Response response = error_response(error, Subject::blob);
  CHECK(response.status == 503);
  CHECK(header(response, "Retry-After") == "10");
}

TEST_CASE("secrets in a context reach neither the client nor the log") {
  const Error error{ErrorCode::unavailable, Blame::upstream, "GET https://u:hunter2@bos.example/b?sign=hunter2: reset"};
  const Response response = error_response(error, Subject::blob);
  CHECK(std::get<std::string>(response.body).find("hunter2") == std::string::npos);
  CHECK(response.log_note.find("hunter2") == std::string::npos);
}

TEST_CASE("the JSON is the specification's, whatever the message holds") {
  const auto json = nlohmann::json::parse(error_json("NAME_INVALID", "a \"b\" \\ \r\n\x01 \xff \xc3\xa4"));
  REQUIRE(json["errors"].size() == 1);
  const auto& error = json["errors"][0];
  CHECK(error["code"] == "NAME_INVALID");
  CHECK(error["detail"].is_null());
  const std::string message = error["message"];
  CHECK(message.starts_with("a \"b\" \\ "));
  CHECK(message.find('\x01') == std::string::npos);
  CHECK(message.ends_with("\xef\xbf\xbd \xc3\xa4"));  // U+FFFD for the broken byte
}

TEST_CASE("a response carries status, type and body") {
  const Response response = error_response(Error{ErrorCode::not_found, Blame::upstream, "no such tag"}, Subject::tag);
  CHECK(response.status == 404);
  CHECK(header(response, "Content-Type") == "application/json");
  CHECK_FALSE(header(response, "Retry-After"));
  CHECK(body(response)["errors"][0]["code"] == "MANIFEST_UNKNOWN");
  CHECK(response.log_note == "no such tag");
}

TEST_CASE("Retry-After is what the peer asked for, and always there for a rate limit") {
  Error error{ErrorCode::rate_limited, Blame::upstream, "429"};
  CHECK(header(error_response(error, Subject::manifest), "Retry-After") == "10");
  error.retry_after = std::chrono::seconds{77};
  CHECK(header(error_response(error, Subject::manifest), "Retry-After") == "77");
  error.retry_after = std::chrono::seconds{0};
  CHECK(header(error_response(error, Subject::manifest), "Retry-After") == "1");
  Error away{ErrorCode::unavailable, Blame::upstream, "away"};
  CHECK_FALSE(header(error_response(away, Subject::manifest), "Retry-After"));
  away.retry_after = std::chrono::seconds{5};
  CHECK(header(error_response(away, Subject::manifest), "Retry-After") == "5");
  Error missing{ErrorCode::not_found, Blame::upstream, "no"};
  missing.retry_after = std::chrono::seconds{5};
  CHECK_FALSE(header(error_response(missing, Subject::manifest), "Retry-After"));
}

TEST_CASE("a method that is not offered names those that are") {
  const Response response = error_response(405, "UNSUPPORTED", "this is a cache: push to the upstream");
  CHECK(response.status == 405);
  CHECK(header(response, "Allow") == "GET, HEAD");
  CHECK(body(response)["errors"][0]["message"] == "this is a cache: push to the upstream");
  CHECK_FALSE(header(error_response(404, "NAME_UNKNOWN", "x"), "Allow"));
}
