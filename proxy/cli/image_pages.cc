#include "proxy/cli/image_pages.h"

#include "proxy/cli/json_view.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

// A server that never ends its list is not followed for ever.
constexpr std::size_t pages_limit = 10'000;
constexpr std::size_t images_limit = 1'000'000;

}  // namespace

Result<nlohmann::ordered_json> fetch_pages(const AdminClient& client, const std::string& target) {
  auto images = nlohmann::ordered_json::array();
  auto page = target;
  for (std::size_t at = 0; at < pages_limit; ++at) {
    const auto answer = client.get(page);
    if (!answer) return std::unexpected(answer.error());
    const auto found = answer->find("images");
    if (found == answer->end() || !found->is_array()) break;
    images.insert(images.end(), found->begin(), found->end());
    const auto next = JsonView(*answer).text("next");
    if (next.empty()) return images;
    if (found->empty() || images.size() > images_limit) break;
    page = target + "&after=" + percent_encode(next);
  }
  return fail(ErrorCode::protocol, Blame::upstream,
              "the server's list of images makes no sense: is it the same version?");
}

}  // namespace paddock
