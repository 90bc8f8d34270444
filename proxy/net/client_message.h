// What the client puts on the wire, and what it makes of an answer's header. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/client.h"
#include "storage/error.h"

namespace paddock {

std::string_view method_name(Method method);
Method method_from(std::string_view name);

// The request's header. invalid_argument when the target or a header cannot be sent as it is.
Result<std::string> render_request(const ClientRequest& request, std::string_view user_agent);

// May go out a second time when the first connection turned out to be dead: nothing happens twice.
bool repeatable(Method method);

}  // namespace paddock
