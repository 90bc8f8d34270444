#include <memory>
#include <nlohmann/json.hpp>

#include "config/units.h"
#include "proxy/cli/admin_client.h"
#include "proxy/cli/command.h"
#include "proxy/cli/format.h"
#include "proxy/cli/json_view.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

struct PinOptions {
  AdminOptions admin;
  std::string image, time;
  bool as_json = false;
};

Result<Json> order_of(const PinOptions& options) {
  Json body = {{"image", options.image}};
  if (options.time.empty()) return body;
  const auto time = config::parse_duration(options.time);
  if (!time) return fail(ErrorCode::invalid_argument, Blame::client, "--for: " + time.error().context);
  body["seconds"] = std::chrono::duration_cast<std::chrono::seconds>(*time).count();
  return body;
}

std::string shown(const Json& answer, const PinOptions& options, const std::string& what) {
  if (options.as_json) return answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return printable(JsonView(answer).text("image") + what) + "\n";
}

Result<std::string> pin(const PinOptions& options) {
  const auto body = order_of(options);
  if (!body) return std::unexpected(body.error());
  const auto client = AdminClient::make(options.admin);
  if (!client) return std::unexpected(client.error());
  const auto answer = client->post("/api/v1/pins", *body);
  if (!answer) return std::unexpected(answer.error());
  const auto until = JsonView(*answer).text("until");
  return shown(*answer, options, " is kept" + (until.empty() ? "" : " until " + until));
}

Result<std::string> unpin(const PinOptions& options) {
  const auto client = AdminClient::make(options.admin);
  if (!client) return std::unexpected(client.error());
  const auto answer = client->del("/api/v1/pins/" + percent_encode(options.image));
  if (!answer) return std::unexpected(answer.error());
  return shown(*answer, options, " may be evicted");
}

std::shared_ptr<PinOptions> options_of(CLI::App& command) {
  const auto options = std::make_shared<PinOptions>();
  options->admin.add_to(command);
  command.add_option("image", options->image, "[UPSTREAM/]REPOSITORY[:TAG][@DIGEST]")->required();
  command.add_flag("--json", options->as_json, "Print the API's JSON");
  return options;
}

}  // namespace

void add_pin_commands(CLI::App& app, Console& console) {
  auto* pin_command = app.add_subcommand("pin", "Keep a cached image from eviction");
  const auto pin_options = options_of(*pin_command);
  pin_command->add_option("--for", pin_options->time, "For so long (30d); for ever without");
  pin_command->callback([&console, pin_options] { console.finish(pin(*pin_options)); });
  auto* unpin_command = app.add_subcommand("unpin", "Let an image be evicted again");
  const auto unpin_options = options_of(*unpin_command);
  unpin_command->callback([&console, unpin_options] { console.finish(unpin(*unpin_options)); });
}

}  // namespace paddock
