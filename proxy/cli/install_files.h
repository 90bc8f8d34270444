// Writes files below a folder that stands for "/": all of them or, where one is there already with other content, none.
// Blocking. Errors: conflict, denied, io; they name the file.
#pragma once

#include <filesystem>
#include <vector>

#include "proxy/host/client_config.h"
#include "storage/error.h"

namespace paddock {

// What was written, in order; files that are there already, with the same content, are not among them.
Result<std::vector<std::filesystem::path>> install_files(const std::vector<ClientFile>& files,
                                                         const std::filesystem::path& root);

}  // namespace paddock
