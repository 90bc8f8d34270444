#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "config/units.h"
#include "proxy/cli/admin_client.h"
#include "proxy/cli/ci_images.h"
#include "proxy/cli/command.h"
#include "proxy/cli/follow_job.h"
#include "proxy/cli/format.h"
#include "proxy/cli/job_view.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::chrono::minutes plan_patience{10};  // hundreds of manifests may have to be fetched

struct WarmOptions {
  AdminOptions admin;
  std::vector<std::string> images, from_ci, platforms;
  std::string rule, pin;
  bool dry_run = false, no_wait = false, as_json = false;
};

std::unexpected<Error> usage(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

Result<Json> body_of(const WarmOptions& options, Console& console) {
  if (options.images.empty() && options.from_ci.empty() && options.rule.empty()) {
    return usage("warm: say which images: REF..., --from-ci PATH or --rule NAME");
  }
  if (!options.rule.empty() && !(options.images.empty() && options.from_ci.empty())) {
    return usage("warm: --rule names its own images: leave out the others");
  }
  Json body;
  if (!options.rule.empty()) body["rule"] = options.rule;
  auto images = options.images;
  if (!options.from_ci.empty()) {
    std::ranges::move(images_in_ci_files(options.from_ci, console), std::back_inserter(images));
    if (images.empty()) return fail(ErrorCode::not_found, Blame::client, "--from-ci: no image is named there");
    body["ours_only"] = true;
  }
  if (!images.empty()) body["images"] = images;
  if (!options.platforms.empty()) body["platforms"] = options.platforms;
  if (options.dry_run) body["dry_run"] = true;
  if (!options.pin.empty()) {
    const auto pin = config::parse_duration(options.pin);
    if (!pin) return usage("--pin: " + pin.error().context);
    body["pin_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(*pin).count();
  }
  return body;
}

void show_plan(const Json& plan, Console& console, bool as_json) {
  const JsonView view(plan);
  console.out << (as_json ? plan.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : describe_plan(view))
              << std::flush;
  for (const auto& line : failures(view)) console.err << "paddock: " << line << "\n";
  if (!failures(view).empty() || !view.flag("fits")) console.status = exit_failed;
}

Result<void> wait_for(const AdminClient& client, const JsonView& ticket, const WarmOptions& options, Console& console) {
  const auto id = printable(ticket.text("job"));
  if (options.no_wait && options.as_json) {
    console.out << Json{{"job", id}, {"joined", ticket.flag("joined")}}.dump(2) << "\n";
  } else if (!options.as_json) {
    console.out << "job " << id << (ticket.flag("joined") ? ", which is doing the same already" : "") << std::endl;
  }
  if (options.no_wait) return {};
  const auto job = follow_job(client, id, console, {.quiet = options.as_json});
  if (!job) return std::unexpected(job.error());
  report_end(*job, console, options.as_json);
  return {};
}

Result<void> run(const WarmOptions& options, Console& console) {
  const auto body = body_of(options, console);
  if (!body) return std::unexpected(body.error());
  auto admin = options.admin;
  if (options.dry_run) admin.patience = plan_patience;
  const auto client = AdminClient::make(admin);
  if (!client) return std::unexpected(client.error());
  const auto answer = client->post("/api/v1/warm", *body);
  if (!answer) return std::unexpected(answer.error());
  if (!options.dry_run) return wait_for(*client, JsonView(*answer), options, console);
  show_plan(*answer, console, options.as_json);
  return {};
}

}  // namespace

void add_warm_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("warm", "Have the server fetch images before they are asked for");
  const auto options = std::make_shared<WarmOptions>();
  options->admin.add_to(*command);
  command->add_option("images", options->images, "Images, as [UPSTREAM/]REPOSITORY[:TAG][@DIGEST]");
  command->add_option("--from-ci", options->from_ci, "CI files, or folders of them, whose images are fetched");
  command->add_option("--rule", options->rule, "A rule of the server's configuration");
  command->add_option("--platform", options->platforms, "What is fetched of an index (linux/amd64), or all")
      ->delimiter(',');
  command->add_option("--pin", options->pin, "Keep them from eviction for so long (30d)");
  command->add_flag("--dry-run", options->dry_run, "Only say what it would fetch, and whether that fits");
  command->add_flag("!--wait,--no-wait", options->no_wait, "Do not wait for the end; --wait, the default, does");
  command->add_flag("--json", options->as_json, "Print the API's JSON");
  command->callback([&console, options] {
    if (auto done = run(*options, console); !done) console.finish(std::unexpected(done.error()));
  });
}

}  // namespace paddock
