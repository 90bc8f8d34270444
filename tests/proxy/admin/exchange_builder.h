// ExchangeBuilder: a finished exchange with ordinary values, for tests of what records exchanges.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "proxy/net/server.h"

namespace paddock::test {

struct ExchangeBuilder {
  ExchangeBuilder() {
    request.method_name = "GET";
    request.path = "/v2/paddlepaddle/paddle/manifests/2.6.2";
    request.id = "42";
    request.peer = "192.0.2.7:51234";
    request.headers = {{"User-Agent", "containerd/1.6.20"}};
    response.route = "manifest";
    response.cache = "hit";
    response.upstream = "registry.baidubce.com";
  }

  ExchangeBuilder& route(std::string name, int status, std::string cache, std::uint64_t sent) {
    response.route = std::move(name);
    response.status = status;
    response.cache = std::move(cache);
    bytes = sent;
    return *this;
  }

  [[nodiscard]] Exchange get() const {
    return {request, response, bytes, first_byte, total, !abort_reason.empty(), abort_reason};
  }

  Request request;
  Response response;
  std::uint64_t bytes = 100;
  std::chrono::microseconds first_byte{1500}, total{2500};
  std::string abort_reason;  // not empty: aborted
};

}  // namespace paddock::test
