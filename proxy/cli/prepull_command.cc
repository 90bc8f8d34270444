#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/checks.h"
#include "config/units.h"
#include "proxy/cli/cache_client.h"
#include "proxy/cli/ci_images.h"
#include "proxy/cli/command.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/format.h"
#include "proxy/cli/image_list_file.h"
#include "proxy/cli/interrupts.h"
#include "proxy/cli/prepull_display.h"
#include "proxy/cli/prepull_view.h"
#include "proxy/host/platform.h"
#include "proxy/host/prepull/find_engine.h"
#include "proxy/host/prepull/names.h"
#include "proxy/net/tls.h"
#include "proxy/upstream/authenticator.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

struct PrepullOptions {
  std::vector<std::string> images, files, from_ci;
  std::string cache, user, password_file, ca_file;
  EngineChoice choice;
  std::string platform;
  std::string patience = "30m";
  bool as_json = false;
};

std::unexpected<Error> usage(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

Result<CacheAccess> cache_access(const PrepullOptions& options) {
  auto url = Url::parse(options.cache.contains("://") ? options.cache : "http://" + options.cache);
  if (!url) return std::unexpected(std::move(url).error().with("--cache"));
  if (url->target != "/") return usage("--cache: give HOST:PORT, or a URL without a path");
  if (!url->user.empty()) return usage("--cache: everybody sees what stands there: give --user and --password-file");
  CacheAccess access{*std::move(url)};
  if (options.user.empty() != options.password_file.empty()) return usage("--user and --password-file go together");
  if (!options.user.empty()) {
    auto password = read_secret(options.password_file, "password");
    if (!password) return std::unexpected(std::move(password).error().with("--password-file"));
    access.user = options.user;
    access.password = *std::move(password);
  }
  if (!options.ca_file.empty()) {
    if (!access.url.tls) return usage("--ca: the cache is spoken to in plain HTTP: give --cache https://HOST:PORT");
    access.ca_file = std::filesystem::absolute(options.ca_file).string();
  }
  return access;
}

Result<CacheClient> cache_client(const CacheAccess& access) {
  CacheTrust trust;
  if (!access.user.empty()) trust.authorization = "Basic " + base64(access.user + ":" + access.password);
  if (!access.ca_file.empty()) {
    auto tls = make_tls_client(access.ca_file);
    if (!tls) return std::unexpected(std::move(tls).error().with("--ca"));
    trust.tls = *std::move(tls);
  }
  return CacheClient(access.url, std::chrono::seconds(30), std::move(trust));
}

// An image, and whether somebody asked for it by name; what CI files name may be no business of the cache.
struct Wanted {
  ImageReference image;
  bool by_name = true;
};

Result<std::vector<Wanted>> wanted_images(const PrepullOptions& options, Console& console) {
  std::vector<Wanted> wanted;
  auto names = options.images;
  for (const auto& file : options.files) {
    auto listed = read_image_list(file);
    if (!listed) return std::unexpected(std::move(listed).error().with("--file"));
    std::ranges::move(*listed, std::back_inserter(names));
  }
  const auto by_name = names.size();
  if (!options.from_ci.empty())
    std::ranges::move(images_in_ci_files(options.from_ci, console), std::back_inserter(names));
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto image = parse_original_name(names[i]);
    if (!image) return std::unexpected(std::move(image).error());
    const auto same = [&](const Wanted& other) { return other.image.to_string() == image->to_string(); };
    if (std::ranges::none_of(wanted, same)) wanted.push_back({*std::move(image), i < by_name});
  }
  if (options.images.empty() && options.files.empty() && options.from_ci.empty()) {
    return usage("prepull: say which images: REF..., --file LIST or --from-ci PATH");
  }
  if (wanted.empty()) return fail(ErrorCode::not_found, Blame::client, "prepull: no image is named there");
  return wanted;
}

Result<CacheImage> ask_cache(const CacheClient& client, const ImageReference& image, const std::string& platform) {
  auto found = client.platform_manifest(image, platform.empty() ? this_platform() : platform);
  if (!found && found.error().code == ErrorCode::unauthorized) {
    found.error().context += " (--user and --password-file say who you are)";
  }
  if (!found) return std::unexpected(std::move(found).error());
  return CacheImage{found->asked, found->digest, found->manifest.config->digest, std::move(found->manifest.layers),
                    std::move(found->platform)};
}

class Prepull {
 public:
  Prepull(const PrepullOptions& options, Engine& engine, const CacheClient& client, Console& console,
          std::chrono::milliseconds patience)
      : options_(options),
        engine_(engine),
        client_(client),
        console_(console),
        display_(console.out, options.as_json),
        run_{.ask_cache = [this](const auto& image) { return ask_cache(client_, image, options_.platform); },
             .platform = options.platform,
             .watch = {.patience = patience,
                       .stopped = [] { return Interrupts::came(); },
                       .show = [this](const PullProgress& progress) { display_.show(progress); }}} {}

  void run(const std::vector<Wanted>& wanted) {
    const Interrupts interrupts;
    std::signal(SIGPIPE, SIG_IGN);  // images are wanted even if nobody reads of them any more
    display_.say("with " + printable(engine_.describe()) + ", through " + client_.url().origin());
    for (const auto& one : wanted) {
      if (Interrupts::came()) break;
      take(one);
    }
    for (auto i = outcomes_.size(); i < wanted.size(); ++i) {
      outcomes_.push_back(
          {.image = wanted[i].image, .error = Error{ErrorCode::cancelled, Blame::client, "interrupted"}});
    }
    end();
  }

 private:
  void take(const Wanted& one) {
    display_.begin(one.image.to_string());
    auto outcome = prepull(engine_, one.image, run_);
    display_.clear();
    const bool may_be = outcome.error && (outcome.error->code == ErrorCode::not_found ||
                                          outcome.error->code == ErrorCode::unsupported);  // by the engine, unasked
    if (!one.by_name && may_be && client_.is_elsewhere(one.image)) outcome.state = PrepullState::elsewhere;
    if (outcome.state != PrepullState::failed) {
      display_.say(describe(outcome));
    } else {
      console_.err << "paddock: " << describe(outcome) << "\n";
    }
    for (const auto& note : outcome.notes) display_.say("  " + printable(note));
    outcomes_.push_back(std::move(outcome));
  }

  void end() {
    // That a pipeline names others' images too is no failure; that all are is.
    const bool ready = std::ranges::none_of(outcomes_, [](auto& one) { return one.state == PrepullState::failed; }) &&
                       std::ranges::any_of(outcomes_, &PrepullOutcome::ready);
    if (!ready) console_.status = exit_failed;
    display_.say(summary(outcomes_));
    if (!options_.as_json) return;
    Json json{
        {"engine", engine_.name()}, {"cache", client_.url().origin()}, {"ready", ready}, {"images", Json::array()}};
    for (const auto& outcome : outcomes_) json["images"].push_back(outcome_json(outcome));
    console_.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
  }

  const PrepullOptions& options_;
  Engine& engine_;
  const CacheClient& client_;
  Console& console_;
  PrepullDisplay display_;
  PrepullRun run_;
  std::vector<PrepullOutcome> outcomes_;
};

Result<void> run(PrepullOptions options, Console& console) {
  if (const auto bad = options.platform.empty() ? "" : config::check_platform(options.platform); !bad.empty()) {
    return usage("--platform: '" + options.platform + "' " + bad);
  }
  const auto patience = config::parse_duration(options.patience);
  if (!patience) return usage("--patience: " + patience.error().context);
  if (patience->count() <= 0) return usage("--patience: give a time longer than none");
  const auto access = cache_access(options);
  if (!access) return std::unexpected(access.error());
  const auto client = cache_client(*access);
  if (!client) return std::unexpected(client.error());
  const auto wanted = wanted_images(options, console);
  if (!wanted) return std::unexpected(wanted.error());
  if (const char* host = std::getenv("DOCKER_HOST"); host != nullptr) options.choice.docker_host = host;
  const auto engine = find_engine(options.choice, *access);
  if (!engine) return std::unexpected(engine.error());
  Prepull(options, **engine, *client, console, std::chrono::duration_cast<std::chrono::milliseconds>(*patience))
      .run(*wanted);
  return {};
}

void add_options(CLI::App& command, PrepullOptions& options) {
  command.add_option("images", options.images, "Images by their original names: REGISTRY/REPOSITORY[:TAG][@DIGEST]");
  command.add_option("--cache", options.cache, "The cache's registry side, as HOST:PORT or URL")->required();
  command.add_option("--file", options.files, "A file that lists images, one a line, with # comments");
  command.add_option("--from-ci", options.from_ci, "CI files, or folders of them, whose images are pulled");
  command.add_option("--engine", options.choice.engine,
                     "docker, containerd or podman (default: the first that answers)");
  command.add_option("--socket", options.choice.socket,
                     "Docker's or containerd's socket, where it is not the usual one");
  command.add_option("--namespace", options.choice.name_space, "containerd's namespace")->capture_default_str();
  command.add_option("--platform", options.platform, "Platform of an image with several (default: this machine's)");
  command.add_option("--user", options.user, "Name at a cache that asks for one");
  command.add_option("--password-file", options.password_file, "File that holds its password");
  command.add_option("--ca", options.ca_file, "PEM file of the CA that vouches for the cache");
  command.add_option("--patience", options.patience, "Give up a pull that gets no further for so long")
      ->capture_default_str();
  command.add_flag("--json", options.as_json, "Print an object with what became of each image");
}

}  // namespace

void add_prepull_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand(
      "prepull", "Pull images through the cache into this machine's container engine, under their original names");
  const auto options = std::make_shared<PrepullOptions>();
  add_options(*command, *options);
  command->callback([&console, options] {
    if (auto done = run(*options, console); !done) console.finish(std::unexpected(done.error()));
  });
}

}  // namespace paddock
