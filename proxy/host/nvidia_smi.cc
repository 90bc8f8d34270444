#include "proxy/host/nvidia_smi.h"

#include <algorithm>
#include <utility>

#include "proxy/host/run_program.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t gpus_limit = 256;
constexpr std::size_t name_limit = 96;
constexpr std::string_view separator = ", ";

std::unexpected<Error> nonsense(std::string_view line) {
  return fail(ErrorCode::protocol, Blame::us, "nvidia-smi printed " + quote(line) + ", which is no GPU");
}

// The last column; a name may hold the separator too.
std::string_view take_last(std::string_view& line) {
  const auto at = line.rfind(separator);
  if (at == line.npos) return {};
  const auto column = line.substr(at + separator.size());
  line = line.substr(0, at);
  return column;
}

bool is_unknown(std::string_view column) { return column.starts_with('[') && column.ends_with(']'); }  // "[N/A]"

struct Line {
  Gpu gpu;
  DriverVersion driver;
};

Result<Line> parse_line(std::string_view line, bool with_compute_capability) {
  auto rest = line;
  Gpu gpu;
  if (with_compute_capability) {
    const auto column = take_last(rest);
    if (!is_unknown(column)) {
      auto capability = DottedVersion::parse(column);
      if (!capability || capability->size() != 2) return nonsense(line);
      gpu.compute_capability = *std::move(capability);
    }
  }
  auto driver = DriverVersion::parse(take_last(rest));
  const bool printable = std::ranges::all_of(rest, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!driver || driver->is_branch() || rest.empty() || rest.size() > name_limit || !printable) return nonsense(line);
  gpu.name = rest;
  return Line{std::move(gpu), *std::move(driver)};
}

}  // namespace

Result<GpuHost> parse_nvidia_smi(std::string_view output, bool with_compute_capability) {
  std::optional<GpuHost> host;
  for (std::size_t at = 0; at < output.size();) {
    const auto end = std::min(output.find('\n', at), output.size());
    auto text = output.substr(at, end - at);
    at = end + 1;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    auto line = parse_line(text, with_compute_capability);
    if (!line) return std::unexpected(std::move(line).error());
    if (!host) host.emplace(GpuHost{.driver = line->driver, .source = "nvidia-smi"});
    if (line->driver.version() != host->driver.version() || host->gpus.size() == gpus_limit) return nonsense(text);
    line->gpu.index = static_cast<unsigned>(host->gpus.size());
    host->gpus.push_back(std::move(line->gpu));
  }
  if (!host) return fail(ErrorCode::not_found, Blame::us, "nvidia-smi lists no GPU");
  return *std::move(host);
}

Result<GpuHost> ask_nvidia_smi(const std::string& program, std::chrono::milliseconds patience) {
  const std::string query = "--query-gpu=name,driver_version";
  const std::string format = "--format=csv,noheader";
  auto output = run_program({program, query + ",compute_cap", format}, {.patience = patience});
  if (output) return parse_nvidia_smi(*output, true);
  // Before driver 510 it does not know compute_cap.
  if (output.error().code != ErrorCode::unavailable) return std::unexpected(std::move(output).error());
  const auto plain = run_program({program, query, format}, {.patience = patience});
  if (!plain) return std::unexpected(plain.error());
  return parse_nvidia_smi(*plain, false);
}

}  // namespace paddock
