#include "proxy/cli/image_list_file.h"

#include <sstream>
#include <utility>

#include "proxy/host/host_files.h"
#include "proxy/oci/reference.h"

namespace paddock {

Result<std::vector<std::string>> read_image_list(const std::string& path) {
  std::error_code ignored;
  const auto whole = std::filesystem::absolute(path, ignored);
  const auto text = HostFiles().read(whole.string());
  if (!text) {
    const bool large = text.error().code == ErrorCode::too_large;
    return fail(large ? ErrorCode::too_large : ErrorCode::invalid_argument, Blame::client, text.error().context);
  }
  std::vector<std::string> images;
  std::istringstream lines(*text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string image, more;
    if (!(words >> image)) continue;
    auto parsed = parse_image_reference(image);
    if (parsed && words >> more) {
      parsed = fail(ErrorCode::invalid_argument, Blame::client, "one image a line: what follows it is too much");
    }
    if (!parsed) {
      return fail(ErrorCode::invalid_argument, Blame::client,
                  path + ":" + std::to_string(number) + ": " + parsed.error().context);
    }
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace paddock
