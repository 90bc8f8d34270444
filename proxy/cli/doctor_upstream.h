// One try to reach an endpoint of an upstream, as a pull would: its name, its /v2/, and where that wants a token or a
// password, whether this machine gets in.
//
// Blocking, each of at most three requests within `patience`. Never fails: what went wrong is in the trial.
#pragma once

#include <chrono>
#include <string>

#include "config/options.h"
#include "proxy/host/host_checks.h"
#include "proxy/net/client.h"

namespace paddock {

struct EndpointAnswer {
  EndpointTrial trial{};
  std::string date{};  // the answer's; empty: none
};

// `addresses` as the configuration's `resolve` has them.
EndpointAnswer try_endpoint(const std::string& endpoint, const config::UpstreamOptions& upstream,
                            std::chrono::milliseconds patience, const HostAddresses& addresses = {});

// Of a request that failed because the peer's certificate is not trusted.
bool is_untrusted(const Error& error);

}  // namespace paddock
