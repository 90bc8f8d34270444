#include "proxy/admin/access_line.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "proxy/admin/text.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t path_limit = 1024;  // bytes
constexpr std::size_t field_limit = 256;  // bytes

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000.0; }

std::string user_agent(const Exchange& exchange) {
  return escape_hostile(exchange.request.headers.get("User-Agent").value_or(""), field_limit);
}

std::string path(const Exchange& exchange) { return escape_hostile(exchange.request.path, path_limit); }

std::string ns(const Exchange& exchange) {
  return escape_hostile(exchange.request.parameter("ns").value_or(""), field_limit);
}

std::string note(const Exchange& exchange) {
  std::string text = exchange.response.log_note;
  if (exchange.aborted) {
    if (!text.empty()) text += "; ";
    text.append("aborted: ").append(exchange.abort_reason);
  }
  return escape_hostile(public_message(text), path_limit);
}

}  // namespace

std::string access_text(const Exchange& exchange) {
  const auto& [request, response] = std::tie(exchange.request, exchange.response);
  auto line = fmt::format("id={} peer={} \"{} {}", escape_hostile(request.id, field_limit),
                          escape_hostile(request.peer, field_limit), escape_hostile(request.method_name, field_limit),
                          path(exchange));
  if (const auto name = ns(exchange); !name.empty()) line += "?ns=" + name;
  line += fmt::format("\" {} bytes={} cache={} upstream={} first_byte_ms={:.1f} ms={:.1f} agent=\"{}\"",
                      response.status, exchange.body_bytes, response.cache.empty() ? "-" : response.cache,
                      response.upstream.empty() ? "-" : escape_hostile(response.upstream, field_limit),
                      milliseconds(exchange.to_first_byte), milliseconds(exchange.total), user_agent(exchange));
  if (const auto text = note(exchange); !text.empty()) line += fmt::format(" note=\"{}\"", text);
  return line;
}

std::string access_json(const Exchange& exchange) {
  const auto& [request, response] = std::tie(exchange.request, exchange.response);
  nlohmann::ordered_json fields = {{"id", request.id.substr(0, field_limit)},
                                   {"peer", request.peer.substr(0, field_limit)},
                                   {"method", request.method_name.substr(0, field_limit)},
                                   {"path", request.path.substr(0, path_limit)},
                                   {"status", response.status},
                                   {"bytes", exchange.body_bytes},
                                   {"cache", response.cache},
                                   {"upstream", response.upstream},
                                   {"first_byte_ms", milliseconds(exchange.to_first_byte)},
                                   {"ms", milliseconds(exchange.total)},
                                   {"aborted", exchange.aborted}};
  const auto agent = request.headers.get("User-Agent").value_or("").substr(0, field_limit);
  if (!agent.empty()) fields["agent"] = agent;
  if (const auto name = request.parameter("ns"); name && !name->empty()) fields["ns"] = name->substr(0, field_limit);
  if (!response.log_note.empty()) fields["note"] = public_message(response.log_note);
  if (exchange.aborted) fields["abort_reason"] = public_message(exchange.abort_reason);
  const auto text = fields.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.substr(1, text.size() - 2);
}

spdlog::level::level_enum access_level(const Exchange& exchange) {
  if (exchange.response.status >= 500) return spdlog::level::warn;
  const bool routine = exchange.response.route == "admin" && exchange.response.status < 400 && !exchange.aborted;
  return routine ? spdlog::level::debug : spdlog::level::info;
}

}  // namespace paddock
