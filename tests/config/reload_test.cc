#include "config/reload.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <variant>

#include "config/schema.h"

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace paddock::config;
using Names = std::vector<std::string>;

namespace {

// Some other value of the same kind.
struct Change {
  void operator()(std::string* value) const { *value += "x"; }
  void operator()(bool* value) const { *value = !*value; }
  void operator()(SizeLimit* value) const { *value = SizeLimit{value->bytes + 1, 0}; }
  void operator()(std::vector<std::string>* value) const { value->emplace_back("x"); }
  void operator()(std::map<std::string, std::vector<std::string>>* value) const { (*value)["x"]; }
  template <typename T>
  void operator()(T* value) const {
    *value += T{1};
  }
};

Config running() {
  Config config;
  config.server.tls_certificate = "cert.pem";
  config.server.tls_key = "key.pem";
  config.admin.token_file = "token";
  config.warm.emplace_back();
  return config;
}

bool contains(const Names& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

}  // namespace

TEST_CASE("nothing changed, nothing to do") {
  const auto plan = plan_reload(running(), running());
  CHECK(plan.taken.empty());
  CHECK(plan.restart.empty());
  CHECK(plan.config == running());
}

TEST_CASE("every single setting that changes is either taken over or named as needing a restart") {
  Config probe = running();
  const std::size_t count = schema_of(probe).fields.size();
  for (std::size_t i = 0; i < count; ++i) {
    Config loaded = running();
    const Field changed = schema_of(loaded).fields[i];
    CAPTURE(changed.path);
    std::visit(Change{}, changed.slot);
    REQUIRE_FALSE(loaded == running());
    const auto plan = plan_reload(running(), loaded);
    CHECK(plan.taken.size() + plan.restart.size() == 1);
    CHECK(contains(changed.live ? plan.taken : plan.restart, changed.path));
    CHECK(plan.config == (changed.live ? loaded : running()));
  }
}

TEST_CASE("every setting of every list counts too") {
  Config probe = running();
  for (std::size_t l = 0; l < schema_of(probe).lists.size(); ++l) {
    const std::size_t count = schema_of(probe).lists[l].element(0).size();
    for (std::size_t i = 0; i < count; ++i) {
      Config loaded = running();
      const ListField list = schema_of(loaded).lists[l];
      const Field changed = list.element(0)[i];
      CAPTURE(list.path, changed.path);
      std::visit(Change{}, changed.slot);
      const auto plan = plan_reload(running(), loaded);
      CHECK(contains(plan.taken, list.path));
    }
  }
}

TEST_CASE("what a reload can take over") {
  Config probe;
  Names live;
  for (const Field& field : schema_of(probe).fields) {
    if (field.live) live.push_back(field.path);
  }
  CHECK(live == Names{"server.tls.certificate", "server.tls.key", "server.tls.kernel", "server.auth.htpasswd",
                      "server.auth.anonymous_pull", "server.drain", "server.manifest_limit", "admin.token_file",
                      "storage.max_size", "storage.min_free", "ingress.connect_proxy.ca_certificate",
                      "ingress.connect_proxy.ca_key", "ingress.connect_proxy.hosts", "ingress.connect_proxy.tunnel",
                      "resolve", "offline", "log.level"});
}

TEST_CASE("TLS cannot be switched on or off by a reload") {
  Config plain = running();
  plain.server.tls_certificate.clear();
  plain.server.tls_key.clear();
  const Names both{"server.tls.certificate", "server.tls.key"};
  const auto on = plan_reload(plain, running());
  CHECK(on.restart == both);
  CHECK(on.config == plain);
  const auto off = plan_reload(running(), plain);
  CHECK(off.restart == both);
  CHECK(off.config == running());
}

TEST_CASE("the admin side's token cannot be switched on or off by a reload, as its address stays") {
  Config open = running();
  open.admin.token_file.clear();
  const auto on = plan_reload(open, running());
  CHECK(on.restart == Names{"admin.token_file"});
  CHECK(on.config == open);
  const auto off = plan_reload(running(), open);
  CHECK(off.restart == Names{"admin.token_file"});
  CHECK(off.config == running());
}

TEST_CASE("what needs a restart is named at every reload until there was one") {
  Config loaded = running();
  loaded.log.format = "json";
  const auto first = plan_reload(running(), loaded);
  CHECK(plan_reload(first.config, loaded).restart == Names{"log.format"});
}

TEST_CASE("where an upstream listens needs a restart, the rest of it does not") {
  Config loaded = running();
  loaded.upstreams[2].listen = {"127.0.0.1:5002"};
  loaded.upstreams[2].tag_ttl = std::chrono::seconds(7);
  const auto plan = plan_reload(running(), loaded);
  CHECK(contains(plan.restart, "upstreams[].listen"));
  CHECK(contains(plan.taken, "upstreams"));
  CHECK(plan.config.upstreams[2].tag_ttl == std::chrono::seconds(7));
  CHECK(plan.config.upstreams[2].listen.empty());
}

TEST_CASE("the proxy cannot be switched on or off by a reload, and one that goes stops no other change") {
  Config with = running();
  with.connect_proxy = {"127.0.0.1:3128", "ca.crt", "ca.key", {}, {"a.example"}};
  Config loaded = running();
  loaded.offline = true;
  const auto plan = plan_reload(with, loaded);
  CHECK(plan.config.connect_proxy == with.connect_proxy);
  CHECK(plan.config.offline);
  CHECK(contains(plan.restart, "ingress.connect_proxy.listen"));
  CHECK(contains(plan.restart, "ingress.connect_proxy.ca_key"));
}
