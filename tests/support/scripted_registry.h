// ScriptedRegistry: a registry on loopback that misbehaves as told, for tests of whatever talks to an upstream.
//
//   ScriptedRegistry registry;
//   const Digest layer = registry.add_blob("a/b", content);
//   registry.script("GET /v2/a/b/blobs/", {.reset_at = 100});  // the next such request breaks after 100 bytes
//   ...                                                        // then all is well again
//   CHECK(registry.body_bytes("/blobs/") == content.size() + 100);
//
// Serves from its own threads, one a connection, over blocking sockets and plain HTTP/1.1 with keep-alive. Thread-safe.
// The destructor ends all transfers, stalled ones too. Waits return false after half a minute, so that a broken test
// fails and does not hang; nothing else in here looks at a clock.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/http.h"
#include "storage/digest.h"

namespace paddock::test {

struct SeenRequest {
  std::string method{};
  std::string target{};  // path and query as received
  Headers headers{};

  [[nodiscard]] std::string line() const { return method + ' ' + target; }
  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
  [[nodiscard]] std::string header(std::string_view name) const;  // empty when absent
  [[nodiscard]] std::string query(std::string_view name) const;   // decoded; empty when absent
};

// How one request is answered, where that differs from what a good registry does. Offsets count from the first byte
// of this response's body.
struct Behaviour {
  std::optional<int> status{};  // with `body`, in place of the registry's own answer
  std::string body{};
  std::string content_type = "text/plain";
  std::optional<std::string> redirect{};      // Location, 307 unless `status` says otherwise
  Headers headers{};                          // set on top of whatever is answered
  std::vector<std::string> omit{};            // header fields left out
  bool ignore_range = false;                  // 200 and the whole
  bool chunked = false;                       // no Content-Length
  std::optional<std::uint64_t> announce{};    // a wrong Content-Length
  std::optional<std::uint64_t> corrupt_at{};  // this byte of the body is flipped
  std::optional<std::uint64_t> stall_at{};    // waits here for release()
  std::optional<std::uint64_t> reset_at{};    // the connection is reset (RST) here
  std::optional<std::uint64_t> close_at{};    // the connection is closed in order here: a truncated body
  bool stall_before_header = false;           // waits for release() before answering at all
  bool drop = false;                          // reset before the answer's first byte
};

Behaviour html_page();                                 // an error page with status 200
Behaviour rate_limited(std::string_view retry_after);  // 429

// Makes and knows tokens. Shared by the registry that wants them and the one (or another) that answers /token.
class TokenIssuer {
 public:
  struct Options {
    std::string username{}, password{};  // empty: everybody gets a token
    std::string field = "token";         // or "access_token"
    std::optional<std::int64_t> expires_in = 1800;
    std::string service = "test-service";
  };
  explicit TokenIssuer(Options options);
  ~TokenIssuer();
  [[nodiscard]] const Options& options() const { return options_; }
  std::string issue(std::string_view scope);
  [[nodiscard]] bool valid(std::string_view token, std::string_view scope) const;
  void revoke_all();            // as if they had expired
  void issue_useless(bool on);  // tokens that the registry refuses
  [[nodiscard]] std::size_t issued() const;

 private:
  struct State;
  Options options_;
  std::unique_ptr<State> state_;
};

// An image as put in by add_image().
struct TestImage {
  Digest manifest, config;
  std::vector<Digest> layers;
  std::string content;  // of the manifest
};

inline constexpr std::string_view oci_manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index_type = "application/vnd.oci.image.index.v1+json";

class ScriptedRegistry {
 public:
  using Hook = std::function<std::optional<Behaviour>(const SeenRequest&)>;

  ScriptedRegistry();  // listens on 127.0.0.1, on a port of its own
  ~ScriptedRegistry();
  ScriptedRegistry(const ScriptedRegistry&) = delete;
  ScriptedRegistry& operator=(const ScriptedRegistry&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string host() const;  // "127.0.0.1:PORT"
  [[nodiscard]] std::string url() const;   // "http://127.0.0.1:PORT"

  // Content. A digest's bytes may be replaced by others (a registry that lies).
  Digest add_blob(std::string_view repository, std::string content);
  void add_blob_as(std::string_view repository, const Digest& digest, std::string content);
  Digest add_manifest(std::string_view repository, std::string content, std::string_view media_type = oci_manifest_type,
                      std::string_view tag = {});
  TestImage add_image(std::string_view repository, std::string_view tag, const std::vector<std::string>& layers);
  void set_tag(std::string_view repository, std::string_view tag, const Digest& digest);
  void remove_tag(std::string_view repository, std::string_view tag);
  // Whatever is asked for by exactly this target, outside /v2/: a signed URL of object storage.
  void add_object(std::string_view target, std::string content);
  void offer_referrers(bool on);  // the referrers API; on at first

  // Authentication. Requests below /v2/ need a token of `issuer`, made at `realm` (empty: this registry's /token).
  void require_token(std::shared_ptr<TokenIssuer> issuer, std::string realm = {});
  void require_basic(std::string username, std::string password);  // an empty name: no longer
  // Answers /token for another registry.
  void serve_tokens(std::shared_ptr<TokenIssuer> issuer);

  // The next `times` requests whose "METHOD TARGET" holds `match`, in the order of scripting. 0: all, for good.
  void script(std::string match, Behaviour behaviour, std::size_t times = 1);
  // Asked first for every request; called on the connection's thread.
  void hook(Hook hook);
  void clear_script();
  // Lets every transfer that is stalled now go on to its end.
  void release();
  // Closes the port and all connections, as when the upstream is away; come_back() listens on the same port again.
  void go_away();
  void come_back();

  // What was seen. `match` is looked for in "METHOD TARGET"; empty matches all.
  [[nodiscard]] std::vector<SeenRequest> requests(std::string_view match = {}) const;
  [[nodiscard]] std::size_t count(std::string_view match = {}) const;
  [[nodiscard]] std::uint64_t body_bytes(std::string_view match = {}) const;  // written to sockets
  [[nodiscard]] std::size_t connections() const;                              // accepted so far
  bool wait_for_requests(std::size_t n, std::string_view match = {}) const;
  bool wait_for_stalled(std::size_t n = 1) const;  // transfers stalled now, at least n

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace paddock::test
