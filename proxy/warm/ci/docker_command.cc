#include "proxy/warm/ci/docker_command.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "proxy/warm/ci/reading.h"

namespace paddock::ci {
namespace {

using std::string_view;
using Words = std::span<const std::string>;

constexpr std::array<string_view, 8> engines{"docker",         "podman", "nerdctl", "nvidia-docker",
                                             "nvidia-docker2", "crictl", "ctr",     "paddock"};
// Commands whose words are text and no command.
constexpr std::array<string_view, 19> speakers{"echo",    "printf", "grep", "egrep", "sed",  "awk",  "alias",
                                               "type",    "which",  "cat",  "log",   "info", "warn", "die",
                                               "apt-get", "apt",    "yum",  "dnf",   "pip"};
// Long options of `run`, `create`, `pull` and of the engines that stand alone; all others take a value.
constexpr std::array<string_view, 26> flags{"--rm",
                                            "--privileged",
                                            "--init",
                                            "--detach",
                                            "--interactive",
                                            "--tty",
                                            "--publish-all",
                                            "--read-only",
                                            "--no-healthcheck",
                                            "--oom-kill-disable",
                                            "--sig-proxy",
                                            "--disable-content-trust",
                                            "--quiet",
                                            "--help",
                                            "--replace",
                                            "--all-tags",
                                            "--tls",
                                            "--debug",
                                            "--no-hosts",
                                            "--env-host",
                                            "--http-proxy",
                                            "--dry-run",
                                            "--no-wait",
                                            "--json",
                                            "--wait",
                                            "--pull-progress"};
constexpr string_view short_flags = "ditPqaD";  // of `run` and `pull`
constexpr string_view run_flags = "ditPq";      // `run -a STREAM` takes a value

string_view base_name(string_view word) { return word.substr(word.rfind('/') + 1); }

// "sudo", its options and numbers, "NAME=x", a prompt such as "root@host:/#".
bool may_precede(string_view word) {
  constexpr std::array<string_view, 8> callers{"sudo", "env", "time", "timeout", "retry", "exec", "nohup", "command"};
  if (word.size() > 1 && word.front() == '-') return true;
  const std::size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
  const bool number = digits > 0 && (digits == word.size() || word.substr(digits) == "s");
  const bool assignment = is_name(word.substr(0, word.find('='))) && word.contains('=');
  const bool prompt = word.ends_with('#') || word.ends_with('$') || word.ends_with('%');
  return number || assignment || prompt || contains(callers, word);
}

// After the option at `i`, with its value.
std::size_t after_option(Words words, std::size_t i, string_view alone) {
  const string_view word = words[i];
  if (word.starts_with("--")) return word.contains('=') || contains(flags, word) ? i + 1 : i + 2;
  const std::size_t takes_value = word.find_first_not_of(alone, 1);
  // "-v" takes the next word; "-v/a:/b" and "-e=X" have theirs.
  return takes_value != string_view::npos && takes_value + 1 == word.size() ? i + 2 : i + 1;
}

std::size_t skip_options(Words words, std::size_t i, string_view alone) {
  while (i < words.size() && words[i].size() > 1 && words[i].starts_with('-')) {
    if (words[i] == "--") return i + 1;
    i = after_option(words, i, alone);
  }
  return i;
}

void take_build(Words words, std::size_t i, ImageWords& out) {
  for (; i + 1 < words.size(); ++i) {
    if (words[i] == "-t" || words[i] == "--tag") out.made.push_back(i + 1);
  }
}

// All that are no options: `paddock warm A B`.
void take_all(Words words, std::size_t i, ImageWords& out) {
  for (i = skip_options(words, i, short_flags); i < words.size(); i = skip_options(words, i + 1, short_flags)) {
    out.pulled.push_back(i);
  }
}

ImageWords paddock_words(Words words, std::size_t i) {
  ImageWords out;
  if (i >= words.size()) return out;
  const string_view verb = words[i];
  if (verb == "warm" && contains(words, "--from-ci")) return out;  // they are paths
  if (verb == "warm" || verb == "prepull" || verb == "pin") take_all(words, i + 1, out);
  if (verb != "doctor") return out;
  for (++i; i + 1 < words.size(); ++i) {
    if (words[i] == "--image") out.pulled.push_back(i + 1);
  }
  return out;
}

}  // namespace

std::optional<std::size_t> find_engine(Words words, bool among_prose) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const string_view word = base_name(words[i]);
    if (contains(engines, word)) return i;
    if (contains(speakers, word) || (among_prose && !may_precede(words[i]))) return std::nullopt;
  }
  return std::nullopt;
}

bool is_said(Words words) {
  return std::ranges::any_of(words, [](string_view word) { return contains(speakers, base_name(word)); });
}

ImageWords image_words(Words words) {
  ImageWords out;
  std::size_t i = skip_options(words, 1, "DqvV");
  if (base_name(words.front()) == "paddock") return paddock_words(words, i);
  if (i < words.size() && contains(std::array<string_view, 4>{"container", "image", "images", "buildx"}, words[i])) {
    i = skip_options(words, i + 1, "");
  }
  if (i >= words.size()) return out;
  const string_view verb = words[i];
  if (verb == "run" || verb == "create" || verb == "pull") {
    i = skip_options(words, i + 1, verb == "pull" ? short_flags : run_flags);
    if (i < words.size()) out.pulled.push_back(i);
  } else if (verb == "build") {
    take_build(words, i + 1, out);
  } else if ((verb == "tag" || verb == "commit") && i + 2 < words.size()) {
    out.made.push_back(i + 2);
  }
  return out;
}

}  // namespace paddock::ci
