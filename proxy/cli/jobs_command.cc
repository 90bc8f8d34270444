#include <memory>
#include <nlohmann/json.hpp>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/command.h"
#include "proxy/cli/follow_job.h"
#include "proxy/cli/job_view.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

struct JobsOptions {
  AdminOptions admin;
  std::string id, cancel;
  bool follow = false, as_json = false;
};

std::string path_of(const std::string& id) { return "/api/v1/jobs/" + percent_encode(id); }

Result<Json> ask(const AdminClient& client, const JobsOptions& options) {
  if (!options.cancel.empty()) return client.del(path_of(options.cancel));
  return client.get(options.id.empty() ? "/api/v1/jobs" : path_of(options.id));
}

Result<std::string> run(const JobsOptions& options, Console& console) {
  const auto client = AdminClient::make(options.admin);
  if (!client) return std::unexpected(client.error());
  if (options.follow && !options.id.empty()) {
    const auto job = follow_job(*client, options.id, console, {.quiet = options.as_json});
    if (!job) return std::unexpected(job.error());
    report_end(*job, console, options.as_json);
    return "";
  }
  const auto answer = ask(*client, options);
  if (!answer) return std::unexpected(answer.error());
  if (options.as_json) return answer->dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (!options.cancel.empty()) return "cancelled\n";
  return options.id.empty() ? describe_jobs(JsonView(*answer)) : describe_job(JsonView(*answer));
}

}  // namespace

void add_jobs_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("jobs", "List, show, follow or cancel warm-ups");
  const auto options = std::make_shared<JobsOptions>();
  options->admin.add_to(*command);
  command->add_option("job", options->id, "Show this one");
  command->add_flag("--follow", options->follow, "Show its progress to the end; the exit status tells");
  command->add_option("--cancel", options->cancel, "Cancel this one; what it has fetched stays");
  command->add_flag("--json", options->as_json, "Print the API's JSON");
  command->callback([&console, options] { console.finish(run(*options, console)); });
}

}  // namespace paddock
