#include "proxy/host/prepull/engine_program.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "proxy/host/watch_program.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t output_limit = std::size_t{256} * 1024;

void append_line(std::string& text, std::string_view line) {
  if (text.size() + line.size() < output_limit) text.append(line).append("\n");
}

}  // namespace

std::string no_proxy_for(const Url& cache) {
  std::string hosts;
  for (const auto* variable : {"NO_PROXY", "no_proxy"}) {
    const char* value = std::getenv(variable);
    if (hosts.empty() && value != nullptr) hosts = value;
  }
  return "NO_PROXY=" + (hosts.empty() ? "" : hosts + ",") + cache.host;
}

std::vector<std::string> EngineProgram::with(const std::vector<std::string>& arguments) const {
  auto all = command_;
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Result<ProgramAnswer> EngineProgram::ask(const std::vector<std::string>& arguments,
                                         std::chrono::milliseconds patience) const {
  ProgramAnswer answer;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto status = watch_program({.arguments = with(arguments),
                                     .output = [&](std::string_view line) { append_line(answer.output, line); },
                                     .errors = [&](std::string_view line) { answer.last_words = public_message(line); },
                                     .go_on = [&] { return std::chrono::steady_clock::now() < deadline; }});
  if (!status && status.error().code == ErrorCode::cancelled) {
    return fail(ErrorCode::timeout, Blame::us, name() + " does not come to an end");
  }
  if (!status) return std::unexpected(status.error());
  answer.status = *status;
  return answer;
}

Result<void> EngineProgram::follow(const Pull& pull, PullWatch& watch) const {
  std::string last_words;
  std::optional<Error> ended;
  const auto progress = [&](std::string_view line) { pull.take(line, watch.progress()); };
  const auto words = [&](std::string_view line) {
    progress(line);
    last_words = public_message(line);
  };
  const auto go_on = [&] {
    const auto looked = watch.look();
    if (!looked) ended = looked.error();
    return looked.has_value();
  };
  // On a terminal its last words are among the others.
  const auto output = pull.terminal ? std::function<void(std::string_view)>(words) : progress;
  const auto status = watch_program({.arguments = with(pull.arguments),
                                     .environment = pull.environment,
                                     .output = output,
                                     .errors = words,
                                     .terminal = pull.terminal,
                                     .go_on = go_on});
  if (ended) return std::unexpected(*std::move(ended));
  if (!status) return std::unexpected(status.error());
  if (*status == 0) return {};
  return fail(ErrorCode::unavailable, Blame::upstream,
              name() + " pull: " + (last_words.empty() ? "status " + std::to_string(*status) : last_words));
}

}  // namespace paddock
