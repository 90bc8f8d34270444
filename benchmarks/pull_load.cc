// pull_load: clients that pull an image and throw it away, light enough not to be what limits a measurement.
//
//   pull_load --clients 8 http://127.0.0.1:5000/v2/paddlepaddle/paddle 2.6.2
//   pull_load --idle 10000 http://127.0.0.1:5000/v2/paddlepaddle/paddle 2.6.2 -- COMMAND...
//   pull_load --beat 1 --seconds 5 http://127.0.0.1:5000/v2/paddlepaddle/paddle 2.6.2
//
// Prints one JSON object; exit status 1 on any error or short body. The second form opens connections that ask once and
// stay; COMMAND runs while they do, with this program's standard streams, before the JSON is printed. The third asks
// for the manifest every millisecond, and says how long that took.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmarks/load/beat.h"
#include "benchmarks/load/crowd.h"

namespace {

using paddock::load::Outcome;

struct Arguments {
  paddock::load::Plan plan;
  std::size_t idle = 0;
  int beat = 0;     // milliseconds
  int seconds = 5;  // of beats
  std::string ca, base;
  std::vector<std::string> command;
};

void add_options(CLI::App& app, Arguments& arguments) {
  auto& plan = arguments.plan;
  app.add_option("--clients", plan.clients, "that pull at once")->check(CLI::Range(1, 100000));
  app.add_option("--parallel", plan.parallel, "blobs that one client fetches at a time")->check(CLI::Range(1, 64));
  app.add_option("--range", plan.range, "FIRST-LAST byte of each blob, instead of all")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const bool good = text.find_first_not_of("0123456789-") == std::string::npos && !text.starts_with('-') &&
                              std::ranges::count(text, '-') == 1;
            return good ? "" : "must be FIRST-LAST or FIRST-";
          },
          "RANGE"));
  app.add_option("--ca", arguments.ca, "PEM file to trust with https; without it anybody is trusted");
  app.add_option("--idle", arguments.idle, "connections to open and to hold while COMMAND runs")
      ->check(CLI::Range(1, 100000));
  auto* const beat =
      app.add_option("--beat", arguments.beat, "milliseconds between two requests for the manifest, and nothing else")
          ->check(CLI::Range(1, 10000));
  app.add_option("--seconds", arguments.seconds, "of beats (5)")->check(CLI::Range(1, 600))->needs(beat);
  app.add_option_function<int>(
      "--stall", [&plan](int s) { plan.stall = std::chrono::seconds(s); },
      "seconds without a byte that are an error (120)");
  app.add_option_function<int>(
      "--deadline", [&plan](int s) { plan.deadline = std::chrono::seconds(s); }, "seconds for everything (900)");
  app.add_option("base", arguments.base, "http[s]://HOST:PORT/v2/REPOSITORY")->required();
  app.add_option("tag", plan.tag, "of the image")->required();
  app.add_option("command", arguments.command, "after --");
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

nlohmann::ordered_json describe(const Outcome& outcome) {
  auto waits = outcome.first_bytes;
  std::ranges::sort(waits);
  return {{"bytes", outcome.bytes},
          {"seconds", outcome.seconds},
          {"requests", outcome.requests},
          {"errors", outcome.errors.size()},
          {"first_error", outcome.errors.empty() ? "" : outcome.errors.front()},
          {"first_byte_longest", waits.empty() ? 0.0 : waits.back()},
          {"first_byte_median", waits.empty() ? 0.0 : waits[waits.size() / 2]}};
}

int run(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::execvp(words[0], words.data());
    std::cerr << "pull_load: " << command[0] << " cannot be run\n";
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int hold_idle(const paddock::load::Target& target, SSL_CTX* tls, Arguments& arguments) {
  arguments.plan.clients = arguments.idle;
  const paddock::load::IdleCrowd crowd(target, tls, arguments.plan);
  const std::size_t opened = crowd.open();
  // With connections missing, what COMMAND measures would mean nothing.
  const bool all = crowd.outcome().errors.empty() && opened == arguments.idle;
  const int status = all && !arguments.command.empty() ? run(arguments.command) : 0;
  auto json = describe(crowd.outcome());
  json["open_before"] = opened;
  json["open_after"] = crowd.open();
  json["command_status"] = status;
  std::cout << json.dump() << '\n';
  return all && status == 0 && crowd.open() == opened ? 0 : 1;
}

int keep_beat(const paddock::load::Target& target, SSL_CTX* tls, const Arguments& arguments) {
  const auto outcome = paddock::load::beat(target, tls, arguments.plan, std::chrono::milliseconds(arguments.beat),
                                           std::chrono::seconds(arguments.seconds));
  const auto& waits = outcome.waits;
  const auto share = [&](std::size_t percent) { return waits.empty() ? 0.0 : waits[waits.size() * percent / 100]; };
  const nlohmann::ordered_json json = {{"requests", waits.size()},
                                       {"p50", share(50)},
                                       {"p99", share(99)},
                                       {"longest", waits.empty() ? 0.0 : waits.back()},
                                       {"errors", outcome.error.empty() ? 0 : 1},
                                       {"first_error", outcome.error}};
  std::cout << json.dump() << '\n';
  return outcome.error.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  Arguments arguments;
  CLI::App app("Pulls an image with many clients, throws it away and says how that went.");
  add_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  if (!arguments.command.empty() && arguments.idle == 0) throw std::runtime_error("a command goes with --idle only");

  raise_descriptor_limit();
  const auto target = paddock::load::parse_target(arguments.base);
  const auto tls = target.tls ? paddock::load::make_tls_context(arguments.ca) : nullptr;
  if (arguments.idle > 0) return hold_idle(target, tls.get(), arguments);
  if (arguments.beat > 0) return keep_beat(target, tls.get(), arguments);
  const Outcome outcome = paddock::load::pull(target, tls.get(), arguments.plan);
  std::cout << describe(outcome).dump() << '\n';
  return outcome.errors.empty() ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "pull_load: " << e.what() << '\n';
  return 1;
}
