#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/command.h"
#include "proxy/cli/format.h"
#include "proxy/cli/image_pages.h"
#include "proxy/cli/json_view.h"
#include "proxy/net/url.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

std::string short_digest(const std::string& digest) {
  const auto colon = digest.find(':');
  return colon == std::string::npos ? digest : digest.substr(colon + 1, 12);
}

// The platforms whose manifests are stored; a plain image does not say its own.
std::string platforms(const JsonView& image) {
  std::string out;
  for (const auto& platform : image.items("platforms")) {
    const auto name = platform.text("platform");
    if (name.empty() || !platform.flag("present")) continue;
    out += (out.empty() ? "" : ",") + name;
  }
  return out.empty() ? "-" : out;
}

std::string completeness(const JsonView& image) {
  if (image.flag("complete")) return "yes";
  const auto total = image.number("total_bytes");
  const auto stored = image.number("stored_bytes");
  if (total == 0) return "no";
  if (stored < total) return fmt::format("{:.0f}%", 100.0 * static_cast<double>(stored) / static_cast<double>(total));
  // All of what is known: an index of which only some platforms were pulled.
  return "in part";
}

std::string describe(const Json& images) {
  std::vector<std::vector<std::string>> rows{
      {"IMAGE", "DIGEST", "PLATFORMS", "SIZE", "STORED", "COMPLETE", "LAST USED", "PINS"}};
  for (const auto& item : images) {
    const JsonView image(item);
    const auto used = image.text("last_used");
    rows.push_back({image.text("name"), short_digest(image.text("digest")), platforms(image),
                    human_bytes(image.number("total_bytes")), human_bytes(image.number("stored_bytes")),
                    completeness(image), used.empty() ? "-" : used, std::to_string(image.items("pins").size())});
  }
  return format_table(rows);
}

std::string cuda_text(const JsonView& image) {
  const auto cuda = image.text("cuda");
  if (cuda.empty()) return "-";
  return image.text("cuda_from") == "tag" ? cuda + " (tag)" : cuda;
}

std::string answer_text(const JsonView& image) {
  auto answer = image.text("answer");
  std::ranges::replace(answer, '_', ' ');
  return answer.empty() ? "not known" : answer;
}

std::string describe_compatibility(const Json& images) {
  std::vector<std::vector<std::string>> rows{{"IMAGE", "PLATFORM", "CUDA", "ANSWER", "LEAST DRIVER", "WHY"}};
  for (const auto& item : images) {
    const JsonView image(item);
    const auto reasons = image.texts("reasons");
    const auto least = image.text("least_driver");
    rows.push_back({image.text("name"), image.text("platform"), cuda_text(image), answer_text(image),
                    least.empty() ? "-" : least, reasons.empty() ? "" : reasons.front()});
  }
  return format_table(rows);
}

Result<std::string> run(const AdminOptions& options, const std::string& driver, bool as_json) {
  const auto client = AdminClient::make(options);
  if (!client) return std::unexpected(client.error());
  const auto images =
      fetch_pages(*client, driver.empty() ? "/api/v1/images?limit=500"
                                          : "/api/v1/compat?limit=500&driver=" + percent_encode(driver));
  if (!images) return std::unexpected(images.error());
  if (as_json) return images->dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (images->empty()) return "nothing is cached yet\n";
  return driver.empty() ? describe(*images) : describe_compatibility(*images);
}

}  // namespace

void add_images_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("images", "List the cached images");
  const auto options = std::make_shared<AdminOptions>();
  const auto driver = std::make_shared<std::string>();
  const auto as_json = std::make_shared<bool>(false);
  options->add_to(*command);
  command->add_option("--driver", *driver, "Say which run with this NVIDIA driver: 535.104.05, or 535");
  command->add_flag("--json", *as_json, "Print an array of the API's objects");
  command->callback([&console, options, driver, as_json] { console.finish(run(*options, *driver, *as_json)); });
}

}  // namespace paddock
