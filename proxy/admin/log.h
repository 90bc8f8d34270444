// Logging set-up: spdlog's default logger and the access log, one line a record on stderr, as text or JSON.
//
// Whatever is logged becomes exactly one line without secrets (public_message in proxy/oci/printable.h), here and not
// at each call. JSON lines are objects with time, level, message and an access line's fields.
//
// Lines are made and written by a thread of the log's own, in order: an event loop never waits for who reads stderr.
// While nobody does, some thousands of lines are kept; then the oldest are lost, and counted. A process that is killed
// or crashes loses those that are not written yet.
//
// Lifecycle: set_up_log() before other threads log; flush_log() before the process ends; the rest at any time, from any
// thread. Fails with invalid_argument for an unknown level.
#pragma once

#include <cstdint>
#include <spdlog/common.h>
#include <string>
#include <string_view>

#include "proxy/net/server.h"
#include "storage/error.h"

namespace paddock {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  std::string level = "info";  // trace, debug, info, warn, error, critical, off
  LogFormat format = LogFormat::text;
};

Result<LogFormat> parse_log_format(std::string_view text);
Result<void> set_up_log(const LogOptions& options);
Result<void> set_up_log(const LogOptions& options, spdlog::sink_ptr sink);  // elsewhere than stderr
Result<void> set_log_level(std::string_view level);
// Waits until what has been logged is written; false when that takes more than a second. Then the log's thread may
// never end, and a process that waits for it, as exit() does, neither.
bool flush_log();
std::uint64_t lost_log_lines();  // since the start

// One line for a finished request; answers of 500 and above are warnings, untroubled admin requests are debug.
void access_log(const Exchange& exchange);

}  // namespace paddock
