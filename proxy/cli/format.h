// How the command line shows things to people. Pure; thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace paddock {

std::string format_duration(std::chrono::seconds duration);  // "3d 4h", "12m 5s", the two largest units
// Columns padded to their widest cell, two spaces between, no spaces at the end of a line. Cells are printed with
// control characters replaced: a server's answer is not trusted with the terminal.
std::string format_table(const std::vector<std::vector<std::string>>& rows);
std::string printable(std::string_view text);

}  // namespace paddock
