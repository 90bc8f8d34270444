#include "proxy/admin/process_info.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace paddock {
namespace {

std::string read_text(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// /proc/stat's "btime": when the system started, in seconds since the epoch.
double boot_time() {
  const auto text = read_text("/proc/stat");
  const auto at = text.find("\nbtime ");
  std::uint64_t seconds = 0;
  if (at != std::string::npos) std::from_chars(text.data() + at + 7, text.data() + text.size(), seconds);
  return static_cast<double>(seconds);
}

std::uint64_t count_open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  const auto count = std::distance(begin(files), end(files));
  return count > 0 ? static_cast<std::uint64_t>(count) - 1 : 0;  // the listing itself held one
}

}  // namespace

ProcessStat parse_process_stat(std::string_view text) {
  ProcessStat stat;
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return stat;
  text.remove_prefix(name_end + 1);
  for (int field = 3; !text.empty(); ++field) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    std::uint64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    switch (field) {
      case 14:
        stat.user_ticks = value;
        break;
      case 15:
        stat.system_ticks = value;
        break;
      case 22:
        stat.start_ticks = value;
        break;
      case 23:
        stat.virtual_bytes = value;
        break;
      case 24:
        stat.resident_pages = value;
        break;
      default:
        break;
    }
  }
  return stat;
}

ProcessInfo read_process_info() {
  const auto stat = parse_process_stat(read_text("/proc/self/stat"));
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessInfo info;
  info.cpu_seconds = static_cast<double>(stat.user_ticks + stat.system_ticks) / ticks;
  info.start_seconds = boot_time() + static_cast<double>(stat.start_ticks) / ticks;
  info.resident_bytes = stat.resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  info.virtual_bytes = stat.virtual_bytes;
  info.open_files = count_open_files();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) info.open_files_limit = limit.rlim_cur;
  return info;
}

}  // namespace paddock
