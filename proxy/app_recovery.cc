// The part of App that gets the store ready, and answers for the registry until it is.
#include <utility>

#include "proxy/app.h"
#include "proxy/oci/registry_error.h"

namespace paddock {
namespace {

constexpr const char* retry_after = "5";  // seconds

}  // namespace

// Usually over before a client notices. When files have to be hashed clients are not left waiting without an answer.
Result<void> App::recover() {
  auto recovered = storage_->recover([this](const Digest& digest) { return fills_ && fills_->find(digest) != nullptr; },
                                     [this](const CheckProgress& progress) -> Result<void> {
                                       checked_ = progress.blobs;
                                       to_check_ = progress.of_blobs;
                                       serve_registry();
                                       return {};
                                     },
                                     opening_);
  if (!recovered) return std::unexpected(std::move(recovered).error());
  recovery_ = *recovered;
  return {};
}

void App::serve_registry() {
  if (!std::exchange(serving_, true)) registry_server_->start();
}

// Quickly, so that a client that knows another host goes there.
Task<Response> App::answer_not_yet() {
  auto response =
      error_response(503, "UNAVAILABLE", "the cache checks what it has stored; it serves when that is done");
  response.route = "unknown";
  response.cache = "bypass";
  response.headers.set("Retry-After", retry_after);
  RegistryHandler::put_headers(response.headers, response.cache);
  co_return response;
}

Headers App::refusal_headers() {
  Headers headers;
  RegistryHandler::put_headers(headers, "bypass");
  return headers;
}

}  // namespace paddock
