#include "proxy/oci/registry_error.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::chrono::seconds default_retry_after{10};  // for rate limits that came without one

std::string_view unknown_code(Subject subject) {
  switch (subject) {
    case Subject::manifest:
    case Subject::tag:
      return "MANIFEST_UNKNOWN";
    case Subject::blob:
    case Subject::digest:
      return "BLOB_UNKNOWN";
    case Subject::none:
    case Subject::name:
      break;
  }
  return "NAME_UNKNOWN";
}

std::string_view invalid_code(Subject subject) {
  switch (subject) {
    case Subject::name:
      return "NAME_INVALID";
    case Subject::blob:
    case Subject::digest:
      return "DIGEST_INVALID";
    case Subject::tag:
      return "TAG_INVALID";
    case Subject::manifest:
      return "MANIFEST_INVALID";
    case Subject::none:
      break;
  }
  return "UNSUPPORTED";
}

struct Answer {
  int status;
  std::string_view code;
};

// Of ours nothing may look like the client's doing (4xx), nor like an upstream that says no (403, 404).
Answer decide_own(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
      return {502, "UNAVAILABLE"};
    case ErrorCode::timeout:
      return {504, "UNAVAILABLE"};
    case ErrorCode::rate_limited:
    case ErrorCode::cancelled:
      return {503, "UNAVAILABLE"};
    default:
      return {500, "UNKNOWN"};
  }
}

// Errors of ours name files and folders, which are nobody else's business: the log has them, clients get this.
std::string own_message(ErrorCode code) {
  switch (code) {
    case ErrorCode::no_space:
      return "the cache has no space left for this";
    case ErrorCode::io:
    case ErrorCode::corrupt:
    case ErrorCode::denied:
      return "the cache could not read or write its storage; its log says why";
    case ErrorCode::cancelled:
      return "the cache is shutting down";
    case ErrorCode::unavailable:
      return "the cache does not have this, and is not to ask an upstream (offline mode)";
    default:
      return "the cache failed; its log says why";
  }
}

// What the same code means depends on who is to blame: 4xx tells clients that asking again is of no use.
Answer by_blame(const Error& error, Answer client) {
  return error.blame == Blame::client ? client : Answer{502, "UNKNOWN"};
}

Answer decide(const Error& error, Subject subject) {
  if (error.blame == Blame::us) return decide_own(error.code);
  switch (error.code) {
    case ErrorCode::not_found:
      return {404, unknown_code(subject)};
    case ErrorCode::denied:
    case ErrorCode::unauthorized:  // never 401: it would need a challenge of ours, and send clients after credentials
      return {403, "DENIED"};
    case ErrorCode::invalid_argument:
      return by_blame(error, {400, invalid_code(subject)});
    case ErrorCode::too_large:
      return by_blame(error, {413, "SIZE_INVALID"});
    case ErrorCode::digest_mismatch:
    case ErrorCode::protocol:
      return by_blame(error, {400, invalid_code(subject)});
    case ErrorCode::unavailable:
      return {502, "UNAVAILABLE"};
    case ErrorCode::timeout:  // with a time to come back it is on its way
      return {error.retry_after ? 503 : 504, "UNAVAILABLE"};
    case ErrorCode::rate_limited:  // never 429: clients answer it with immediate tries on the same host
      return {503, "TOOMANYREQUESTS"};
    case ErrorCode::unsupported:
      return {405, "UNSUPPORTED"};
    case ErrorCode::cancelled:
      return {503, "UNAVAILABLE"};
    case ErrorCode::no_space:
    case ErrorCode::io:
    case ErrorCode::corrupt:
    case ErrorCode::conflict:
      break;
  }
  return {500, "UNKNOWN"};
}

std::string message_of(const Error& error) {
  if (error.blame == Blame::us) return own_message(error.code);
  const std::string message = public_message(error.context);
  return error.code == ErrorCode::unauthorized ? "the upstream refused the cache: " + message : message;
}

Response make_response(const RegistryError& answer, std::string log_note) {
  Response response;
  response.status = answer.status;
  response.headers.add("Content-Type", "application/json");
  if (answer.status == 405) response.headers.add("Allow", "GET, HEAD");  // RFC 9110, 15.5.6
  response.body = error_json(answer.code, answer.message);
  response.log_note = std::move(log_note);
  return response;
}

}  // namespace

RegistryError to_registry_error(const Error& error, Subject subject) {
  const Answer answer = decide(error, subject);
  return {answer.status, std::string(answer.code), message_of(error)};
}

std::string error_json(std::string_view code, std::string_view message) {
  const nlohmann::json body{
      {"errors", nlohmann::json::array({{{"code", code}, {"message", public_message(message)}, {"detail", nullptr}}})}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Response error_response(const Error& error, Subject subject) {
  Response response = make_response(to_registry_error(error, subject), public_message(error.context));
  auto wait = error.retry_after;
  if (!wait && error.code == ErrorCode::rate_limited) wait = default_retry_after;
  const bool can_wait = response.status >= 500;
  if (wait && can_wait) {
    response.headers.add("Retry-After", std::to_string(std::max(wait->count(), std::chrono::seconds::rep{1})));
  }
  return response;
}

Response error_response(int status, std::string_view code, std::string_view message) {
  return make_response({status, std::string(code), public_message(message)}, public_message(message));
}

}  // namespace paddock
