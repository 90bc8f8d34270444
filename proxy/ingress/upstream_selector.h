// UpstreamSelector: which upstream and repository does a request mean?
//
// ?ns=HOST  >  Host header or SNI naming an upstream  >  first path component naming an upstream  >  the upstream that
// the address stands for  >  the default. Where the first component repeats what ns or Host say, as with containerd's
// override_path, it is left out.
// A name is only ever compared with the configured ones, never dialled. Pure; immutable, so thread-safe.
// Errors: not_found (no such upstream; names the known ones), denied (repository not on the allow list),
// invalid_argument (malformed repository).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

// '**' crosses '/', '*' does not; "paddlepaddle/*" matches "paddlepaddle/paddle".
bool glob_match(std::string_view pattern, std::string_view text);

bool matches_any(const std::vector<std::string>& patterns, std::string_view text);

struct UpstreamRule {
  std::string name;                // "registry.baidubce.com", compared without case
  std::vector<std::string> allow;  // globs over repositories
  bool is_default = false;
};

// Whether a client that says `host` means the upstream `name`: Docker Hub has several names.
bool names_upstream(std::string_view host, std::string_view name);

// What a request says about where it wants to go.
struct Asked {
  std::optional<std::string_view> ns{};
  std::string_view host{};         // as in the Host header: a port is ignored unless an upstream's name has one
  std::string_view server_name{};  // SNI
  std::string_view listener{};     // the upstream that the address it came to stands for
};

struct Target {
  std::string upstream;
  std::string repository;
};

class UpstreamSelector {
 public:
  explicit UpstreamSelector(std::vector<UpstreamRule> rules) : rules_(std::move(rules)) {}
  // `name` is Route::name.
  [[nodiscard]] Result<Target> select(const Asked& asked, std::string_view name) const;
  [[nodiscard]] bool knows(std::string_view upstream) const { return find(upstream) != nullptr; }
  // Whether a client that believes to speak with `host` means this upstream, whose name may have a port.
  [[nodiscard]] static bool is_meant(std::string_view host, std::string_view upstream);

 private:
  [[nodiscard]] const UpstreamRule* find(std::string_view name) const;
  std::vector<UpstreamRule> rules_;
};

}  // namespace paddock
