// What the kernel says about this process, for the usual process_* metrics. Linux's /proc (proc(5)).
// Reads files of /proc, which never wait for a disk. Values that cannot be read are 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace paddock {

struct ProcessInfo {
  double cpu_seconds = 0;    // user and system
  double start_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_files = 0, open_files_limit = 0;
};

ProcessInfo read_process_info();

// The fields of /proc/PID/stat that are used, found behind the command's name, which may hold anything.
struct ProcessStat {
  std::uint64_t user_ticks = 0, system_ticks = 0, start_ticks = 0;
  std::uint64_t virtual_bytes = 0, resident_pages = 0;
};
ProcessStat parse_process_stat(std::string_view text);

}  // namespace paddock
