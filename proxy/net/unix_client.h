// One HTTP/1.1 request over a Unix socket: how a container engine on the same machine is spoken to.
//
// Otherwise as HttpClient::send(), which see; each request has a connection of its own. The response belongs to the
// coroutine that asked for it.
// Errors: unavailable (nobody listens there), denied (its permissions), invalid_argument (no path for a socket),
// timeout, protocol.
#pragma once

#include <memory>
#include <string>

#include "proxy/net/client.h"
#include "storage/error.h"
#include "storage/task.h"

namespace paddock {

// Of the request's URL only the target counts, and the host, which is sent.
Task<Result<std::unique_ptr<ClientResponse>>> send_to_socket(std::string path, ClientRequest request);

}  // namespace paddock
