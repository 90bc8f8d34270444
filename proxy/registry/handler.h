// RegistryHandler: every request to `server.listen` comes in here. Finds out what is meant, by whom it is served, and
// puts on every answer what registry clients expect.
//
// Thread-safe; one for the whole server.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "proxy/registry/context.h"

namespace paddock {

class RegistryHandler {
 public:
  explicit RegistryHandler(RegistryContext context) : context_(std::move(context)) {}

  // `request` must live until the task has ended.
  Task<Response> handle(const Request& request);
  // What every answer of a registry has, those that never come to a handler too.
  static void put_headers(Headers& headers, std::string_view cache);

 private:
  // Who answers, which is found without waiting.
  struct Answering {
    std::string_view route{};
    std::string upstream{};  // as a response has it
    Task<Response> answer;
  };
  Answering dispatch(const Request& request);
  Answering in_repository(const Request& request, Route route);
  Task<Response> serve(RepositoryRequest request, Route::Kind kind);
  // What the registry does not give to the cache itself it may give to the client.
  Task<Response> serve_client(RepositoryRequest request, Route::Kind kind);

  RegistryContext context_;
};

}  // namespace paddock
