// A file that lists images: a reference a line; what follows a '#' and empty lines are passed over.
//
// Blocking. invalid_argument names the file, and the line; too_large: more than a list of images ever has.
#pragma once

#include <string>
#include <vector>

#include "storage/error.h"

namespace paddock {

Result<std::vector<std::string>> read_image_list(const std::string& path);

}  // namespace paddock
