#include "proxy/registry/handler.h"

#include <utility>

#include "proxy/oci/registry_error.h"
#include "proxy/registry/blobs.h"
#include "proxy/registry/listings.h"
#include "proxy/registry/manifests.h"
#include "proxy/registry/private_access.h"

namespace paddock {
namespace {

std::string_view route_name(Route::Kind kind) {
  switch (kind) {
    case Route::Kind::base:
      return "base";
    case Route::Kind::catalog:
      return "catalog";
    case Route::Kind::manifest:
      return "manifest";
    case Route::Kind::blob:
      return "blob";
    case Route::Kind::tags:
      return "tags";
    case Route::Kind::referrers:
      return "referrers";
    case Route::Kind::upload:
      return "upload";
    case Route::Kind::unknown:
      return "unknown";
  }
  return "unknown";
}

Response base_response() {
  Response response;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::string("{}");
  return response;
}

Response push_refused(const Request& request) {
  if (request.connect_host.empty()) {
    return error_response(405, "UNSUPPORTED", "this is a pull-through cache: push to the upstream registry");
  }
  return error_response(405, "UNSUPPORTED",
                        "this proxy answers " + request.connect_host +
                            " from a cache, which takes no pushes: push with "
                            "NO_PROXY=" +
                            request.connect_host);
}

}  // namespace

Task<Response> RegistryHandler::handle(const Request& request) {
  auto found = dispatch(request);
  auto response = co_await std::move(found.answer);
  response.route = found.route;
  response.upstream = std::move(found.upstream);
  // What did not come through the cache came from the upstream, or was never there.
  if (response.cache.empty()) response.cache = response.status < 400 ? "hit" : "bypass";
  put_headers(response.headers, response.cache);
  co_return response;
}

void RegistryHandler::put_headers(Headers& headers, std::string_view cache) {
  headers.set("X-Paddock-Cache", cache);
  headers.set("Docker-Distribution-API-Version", "registry/2.0");
  headers.set("X-Content-Type-Options", "nosniff");
}

RegistryHandler::Answering RegistryHandler::dispatch(const Request& request) {
  auto route = parse_route(request.path);
  if (!route) return {.answer = at_once(error_response(route.error(), Subject::name))};
  const auto answered = [name = route_name(route->kind)](Task<Response> answer) {
    return Answering{.route = name, .answer = std::move(answer)};
  };
  if (route->kind == Route::Kind::unknown) {
    return answered(at_once(error_response(404, "NOT_FOUND", "the registry's API is below /v2/")));
  }
  if (route->kind == Route::Kind::upload || (request.method != Method::get && request.method != Method::head)) {
    return answered(at_once(push_refused(request)));
  }
  if (route->kind == Route::Kind::base) return answered(at_once(base_response()));
  if (route->kind == Route::Kind::catalog) {
    return answered(list_repositories(context_, request, request.parameter("ns").value_or("")));
  }
  return in_repository(request, *std::move(route));
}

RegistryHandler::Answering RegistryHandler::in_repository(const Request& request, Route route) {
  const auto name = route_name(route.kind);
  const auto set = context_.upstreams.get();
  const auto ns = request.parameter("ns");
  const bool through_connect = !request.connect_host.empty();
  auto target = set->selector.select({.ns = ns ? std::optional<std::string_view>(*ns) : std::nullopt,
                                      .host = request.headers.get("Host").value_or(""),
                                      .server_name = request.tls_name,
                                      .listener = through_connect ? std::string_view() : request.listener},
                                     route.name);
  if (!target) {
    auto refused = error_response(target.error(), Subject::name);
    if (target.error().code == ErrorCode::not_found) refused.headers.set("X-Paddock-Reason", "unknown-upstream");
    return {.route = name, .answer = at_once(std::move(refused))};
  }
  // Who believes to speak with one registry has credentials for that one, and gets nothing of another's.
  const auto registry = context_.login == nullptr ? std::string_view() : context_.login->registry_of(request);
  const bool believed = !registry.empty() && UpstreamSelector::is_meant(registry, target->upstream);
  if (through_connect && !believed) {
    return {.route = name,
            .answer = at_once(error_response(
                421, "UNSUPPORTED",
                "the CONNECT was for " + request.connect_host + ", this request is for " + target->upstream))};
  }
  RepositoryRequest found{request,
                          {target->upstream, std::move(target->repository)},
                          {set, &set->entries.at(target->upstream)},
                          std::move(route.reference),
                          std::move(route.name)};
  return {.route = name,
          .upstream = std::move(target->upstream),
          .answer = believed ? serve_client(std::move(found), route.kind) : serve(std::move(found), route.kind)};
}

Task<Response> RegistryHandler::serve(RepositoryRequest request, Route::Kind kind) {
  switch (kind) {
    case Route::Kind::manifest:
      return serve_manifest(context_, std::move(request));
    case Route::Kind::blob:
      return serve_blob(context_, std::move(request));
    case Route::Kind::tags:
      return list_tags(context_, std::move(request));
    default:
      return list_referrers(context_, std::move(request));
  }
}

// First as for everybody, so that what is public is one thing in the cache, whoever asks.
Task<Response> RegistryHandler::serve_client(RepositoryRequest request, Route::Kind kind) {
  auto& access = *context_.private_access;
  auto credentials = context_.login->credentials_of(request.http);
  const auto repository = request.repository;
  if (!credentials || !access.is_closed(repository)) {
    auto response = co_await serve(request, kind);
    if (response.status != 403 && response.status != 404) co_return response;
    if (response.status == 403) access.note_closed(repository);
    // Some registries hide what is private behind a 404, and some clients bring credentials only when asked for them.
    const bool may_bring = response.status == 403 || !request.http.headers.get("Authorization");
    if (!credentials && may_bring) {
      co_return context_.login->challenge(request.http, repository.upstream + " gives this to nobody without " +
                                                            "credentials, if it has it: docker login " +
                                                            repository.upstream);
    }
    if (!credentials) co_return response;
  }
  auto admitted = co_await access.enter(std::move(request), kind, *std::move(credentials));
  if (admitted) co_return co_await serve(*std::move(admitted), kind);
  const auto code = admitted.error().code;
  if (code != ErrorCode::denied && code != ErrorCode::unauthorized) {
    co_return error_response(admitted.error(), kind == Route::Kind::blob ? Subject::blob : Subject::manifest);
  }
  co_return error_response(403, "DENIED",
                           repository.upstream + " does not give " + repository.repository + " to these credentials");
}

}  // namespace paddock
