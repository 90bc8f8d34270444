// Errors as registry clients expect them: the one place that knows HTTP status and OCI codes.
// OCI distribution specification 1.1, "Error codes". What each client does with a status is in facts that the README of
// deploy/docs explains: 404 only where the upstream says so, 502/504 quickly when it is away, never 429. Of an error
// that blames us only its kind gets out, never its text, and it is always a 5xx.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/http.h"
#include "storage/error.h"

namespace paddock {

// What was asked for, which decides between MANIFEST_UNKNOWN, BLOB_UNKNOWN, ...
enum class Subject { none, name, manifest, blob, tag, digest };

struct RegistryError {
  int status = 500;
  std::string code;     // "BLOB_UNKNOWN"
  std::string message;  // one sentence, no secrets
};

RegistryError to_registry_error(const Error& error, Subject subject);
// {"errors":[{"code":...,"message":...,"detail":...}]}
std::string error_json(std::string_view code, std::string_view message);
// With Content-Type, and Retry-After where the error carries one.
Response error_response(const Error& error, Subject subject);
Response error_response(int status, std::string_view code, std::string_view message);

}  // namespace paddock
