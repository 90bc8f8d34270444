#include "proxy/admin/process_info.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <vector>

namespace paddock {
namespace {

TEST_CASE("a process's fields are found behind a hostile command name") {
  const auto stat = parse_process_stat(
      "123 (a) 1 2 (b)) S 1 123 123 0 -1 4194560 100 0 0 0 17 5 0 0 20 0 8 0 9876 1048576 256 18446744073709551615");
  CHECK(stat.user_ticks == 17);
  CHECK(stat.system_ticks == 5);
  CHECK(stat.start_ticks == 9876);
  CHECK(stat.virtual_bytes == 1048576);
  CHECK(stat.resident_pages == 256);
}

TEST_CASE("text that is no process status reads as zeros") {
  for (const auto* text : {"", "nonsense", "1 (x", "1 (x) S", "1 (x) S a b c d e f g h i j k l m n o p q r s t u"}) {
    const auto stat = parse_process_stat(text);
    CHECK(stat.user_ticks + stat.system_ticks + stat.start_ticks + stat.virtual_bytes + stat.resident_pages == 0);
  }
}

TEST_CASE("this process has memory, open files and a start in the past") {
  const auto info = read_process_info();
  CHECK(info.resident_bytes > 100 * 1024);
  CHECK(info.virtual_bytes >= info.resident_bytes);
  CHECK(info.open_files >= 3);
  CHECK(info.open_files_limit >= info.open_files);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(info.start_seconds > now - 24.0 * 3600);
  CHECK(info.start_seconds < now + 2);
}

TEST_CASE("opened files are counted") {
  const auto before = read_process_info().open_files;
  const std::ifstream one("/dev/null");
  const std::ifstream two("/dev/null");
  CHECK(read_process_info().open_files == before + 2);
}

}  // namespace
}  // namespace paddock
