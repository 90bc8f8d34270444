#include "proxy/registry/handler.h"

#include <utility>

#include "proxy/oci/registry_error.h"
#include "proxy/registry/blobs.h"
#include "proxy/registry/listings.h"
#include "proxy/registry/manifests.h"

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

Response push_refused() {
  return error_response(405, "UNSUPPORTED", "this is a pull-through cache: push to the upstream registry");
}

}  // namespace

Task<Response> RegistryHandler::handle(const Request& request) {
  auto response = co_await dispatch(request);
  // What did not come through the cache came from the upstream, or was never there.
  if (response.cache.empty()) response.cache = response.status < 400 ? "hit" : "bypass";
  put_headers(response.headers, response.cache);
  co_return response;
}

void RegistryHandler::put_headers(Headers& headers, std::string_view cache) {
  headers.set("X-Paddock-Cache", std::string(cache));
  headers.set("Docker-Distribution-API-Version", "registry/2.0");
  headers.set("X-Content-Type-Options", "nosniff");
}

Task<Response> RegistryHandler::dispatch(const Request& request) {
  auto route = parse_route(request.path);
  if (!route) co_return error_response(route.error(), Subject::name);
  Response response;
  if (route->kind == Route::Kind::unknown) {
    response = error_response(404, "NOT_FOUND", "the registry's API is below /v2/");
  } else if (route->kind == Route::Kind::upload || (request.method != Method::get && request.method != Method::head)) {
    response = push_refused();
  } else if (route->kind == Route::Kind::base) {
    response = base_response();
  } else if (route->kind == Route::Kind::catalog) {
    response = co_await list_repositories(context_, request, request.parameter("ns").value_or(""));
  } else {
    response = co_await in_repository(request, *route);
  }
  response.route = route_name(route->kind);
  co_return response;
}

Task<Response> RegistryHandler::in_repository(const Request& request, Route route) {
  const auto set = context_.upstreams.get();
  const auto ns = request.parameter("ns");
  const auto target = set->selector.select(ns ? std::optional<std::string_view>(*ns) : std::nullopt,
                                           request.headers.get("Host").value_or(""), request.tls_name, route.name);
  if (!target) co_return error_response(target.error(), Subject::name);
  RepositoryRequest found{
      request, {target->upstream, target->repository}, set->entries.at(target->upstream), route.reference, route.name};
  Response response;
  switch (route.kind) {
    case Route::Kind::manifest:
      response = co_await serve_manifest(context_, std::move(found));
      break;
    case Route::Kind::blob:
      response = co_await serve_blob(context_, std::move(found));
      break;
    case Route::Kind::tags:
      response = co_await list_tags(context_, std::move(found));
      break;
    default:
      response = co_await list_referrers(context_, std::move(found));
      break;
  }
  response.upstream = target->upstream;
  co_return response;
}

}  // namespace paddock
