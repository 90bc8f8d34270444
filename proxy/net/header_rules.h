// Which header fields may be written as they are (RFC 9110, 5.1 and 5.5). Pure; used by both sides, so that no value
// taken from somewhere else can start a header or a message of its own.
#pragma once

#include <string_view>

namespace paddock {

bool is_token(std::string_view name);
bool is_field_value(std::string_view value);  // no control characters but tab

}  // namespace paddock
