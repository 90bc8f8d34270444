// Lists of images that a running server gives page by page. Blocking; errors as AdminClient's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "proxy/cli/admin_client.h"
#include "storage/error.h"

namespace paddock {

// All pages of `target` ("/api/v1/images?limit=500"), as one array.
Result<nlohmann::ordered_json> fetch_pages(const AdminClient& client, const std::string& target);

}  // namespace paddock
