#include "proxy/admin/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <thread>
#include <utility>

#include "proxy/admin/access_line.h"
#include "proxy/admin/text.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr const char* access_logger = "access";
constexpr std::size_t kept_lines = 4096;  // 2 MB
constexpr std::chrono::seconds flush_patience{1};
std::atomic<LogFormat> current_format{LogFormat::text};
std::shared_ptr<spdlog::logger> request_log;  // looking it up in spdlog takes a lock

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

// An access line comes with its fields made, see access_line.h; everything else is a message.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& out) override {
    const bool access = view(msg.logger_name) == access_logger;
    const auto line = format_ == LogFormat::json ? json(msg, access) : text(msg, access);
    out.append(line.data(), line.data() + line.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  static std::string text(const spdlog::details::log_msg& msg, bool access) {
    const auto payload = access ? std::string(view(msg.payload)) : public_message(view(msg.payload));
    return fmt::format("{} {:<7} {}\n", utc_milliseconds(msg.time), view(spdlog::level::to_string_view(msg.level)),
                       payload);
  }

  static std::string json(const spdlog::details::log_msg& msg, bool access) {
    const auto message =
        access ? "\"request\"," + std::string(view(msg.payload)) : json_string(public_message(view(msg.payload)));
    return fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":{}}}\n", utc_milliseconds(msg.time),
                       view(spdlog::level::to_string_view(msg.level)), message);
  }

  LogFormat format_;
};

Result<spdlog::level::level_enum> parse_level(std::string_view text) {
  using Level = spdlog::level::level_enum;
  static constexpr std::array<std::pair<std::string_view, Level>, 8> levels{{{"trace", Level::trace},
                                                                             {"debug", Level::debug},
                                                                             {"info", Level::info},
                                                                             {"warn", Level::warn},
                                                                             {"warning", Level::warn},
                                                                             {"error", Level::err},
                                                                             {"critical", Level::critical},
                                                                             {"off", Level::off}}};
  for (const auto& [name, level] : levels) {
    if (name == text) return level;
  }
  return fail(ErrorCode::invalid_argument, Blame::client,
              fmt::format("log level '{}' is none of trace, debug, info, warn, error, critical, off",
                          escape_hostile(text, 40)));
}

}  // namespace

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "text") return LogFormat::text;
  if (text == "json") return LogFormat::json;
  return fail(ErrorCode::invalid_argument, Blame::client,
              fmt::format("log format '{}' is neither text nor json", escape_hostile(text, 40)));
}

Result<void> set_up_log(const LogOptions& options) {
  return set_up_log(options, std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

Result<void> set_up_log(const LogOptions& options, spdlog::sink_ptr sink) {
  const auto level = parse_level(options.level);
  if (!level) return std::unexpected(level.error());
  sink->set_formatter(std::make_unique<LineFormatter>(options.format));
  current_format = options.format;
  spdlog::drop(access_logger);
  spdlog::init_thread_pool(kept_lines, 1);
  const auto logger = [&sink](const char* name) {
    return std::make_shared<spdlog::async_logger>(name, sink, spdlog::thread_pool(),
                                                  spdlog::async_overflow_policy::overrun_oldest);
  };
  request_log = logger(access_logger);
  spdlog::register_logger(request_log);
  spdlog::set_default_logger(logger("paddock"));
  spdlog::set_level(*level);
  return {};
}

Result<void> set_log_level(std::string_view level) {
  const auto parsed = parse_level(level);
  if (!parsed) return std::unexpected(parsed.error());
  spdlog::set_level(*parsed);
  return {};
}

// The request to flush comes after all lines in the queue: when it is empty these have been written.
bool flush_log() {
  spdlog::default_logger()->flush();
  const auto lines = spdlog::thread_pool();
  const auto end = std::chrono::steady_clock::now() + flush_patience;
  while (lines && lines->queue_size() != 0) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

std::uint64_t lost_log_lines() {
  const auto lines = spdlog::thread_pool();
  return lines ? lines->overrun_counter() : 0;
}

void access_log(const Exchange& exchange) {
  const auto level = access_level(exchange);
  if (!request_log || !request_log->should_log(level)) return;
  const auto line = current_format.load() == LogFormat::json ? access_json(exchange) : access_text(exchange);
  request_log->log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace paddock
