// Writes files below a folder that stands for "/". One that is there already with other content is never written over:
// where others write into it as well it is left to be merged by hand, otherwise nothing at all is written.
// Blocking. Errors: conflict, denied, io; they name the file.
#pragma once

#include <filesystem>
#include <vector>

#include "proxy/host/client_config.h"
#include "storage/error.h"

namespace paddock {

struct Installed {
  std::vector<std::filesystem::path> written;  // in order; without those that were there with the same content
  std::vector<const ClientFile*> to_merge;     // of the files that were given
};

Result<Installed> install_files(const std::vector<ClientFile>& files, const std::filesystem::path& root);

}  // namespace paddock
