// The inside of ScriptedRegistry, shared by its files: content and scripts (scripted_registry.cc), what a good
// registry answers (scripted_answers.cc), and the sockets (scripted_server.cc). Not for tests.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/mutex.h"
#include "tests/support/scripted_registry.h"

namespace paddock::test {

struct Answer {
  int status = 200;
  Headers headers{};
  std::shared_ptr<const std::string> body = std::make_shared<const std::string>();
  std::uint64_t first = 0;                // of a partial answer
  std::optional<std::uint64_t> length{};  // of a partial answer
};

struct StoredManifest {
  std::shared_ptr<const std::string> content;
  std::string media_type;
};

struct Repository {
  std::map<Digest, std::shared_ptr<const std::string>> blobs;
  std::map<Digest, StoredManifest> manifests;
  std::map<std::string, Digest> tags;
};

struct Rule {
  std::string match;
  Behaviour behaviour;
  std::size_t left;
  bool forever;
};

struct ScriptedRegistry::State {
  // Content and scripts.
  mutable Mutex mutex;
  mutable Condition changed;
  std::map<std::string, Repository, std::less<>> repositories PADDOCK_GUARDED_BY(mutex);
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> objects PADDOCK_GUARDED_BY(mutex);
  std::list<Rule> rules PADDOCK_GUARDED_BY(mutex);
  Hook hook PADDOCK_GUARDED_BY(mutex);
  bool referrers_api PADDOCK_GUARDED_BY(mutex) = true;
  std::shared_ptr<TokenIssuer> wanted_tokens PADDOCK_GUARDED_BY(mutex);
  std::shared_ptr<TokenIssuer> served_tokens PADDOCK_GUARDED_BY(mutex);
  std::string realm PADDOCK_GUARDED_BY(mutex);
  std::string basic PADDOCK_GUARDED_BY(mutex);  // "Basic ...", when wanted
  // What was seen.
  std::vector<SeenRequest> seen PADDOCK_GUARDED_BY(mutex);
  std::vector<std::pair<std::string, std::uint64_t>> sent PADDOCK_GUARDED_BY(mutex);  // request line, body bytes
  std::size_t accepted PADDOCK_GUARDED_BY(mutex) = 0;
  std::size_t stalled PADDOCK_GUARDED_BY(mutex) = 0;
  std::uint64_t releases PADDOCK_GUARDED_BY(mutex) = 0;
  // Sockets.
  int listener PADDOCK_GUARDED_BY(mutex) = -1;
  std::set<int> open PADDOCK_GUARDED_BY(mutex);
  bool stopping PADDOCK_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads PADDOCK_GUARDED_BY(mutex);
  std::thread acceptor;
  std::uint16_t port = 0;

  // scripted_server.cc
  void start();
  void stop();
  void reserve_port();  // bound but refusing, so that nobody else gets it
  void accept_loop(int fd);
  void serve(int fd);
  bool answer_one(int fd, const SeenRequest& request);
  bool send_body(int fd, std::size_t index, const Behaviour& behaviour, const Answer& answer);
  bool stall();  // false: the server stops
  void count_body(std::size_t index, std::uint64_t bytes);
  std::size_t record(const SeenRequest& request);
  Behaviour behaviour_for(const SeenRequest& request);

  // scripted_answers.cc
  Answer answer_for(const SeenRequest& request, const Behaviour& behaviour) const;
  Answer token_answer(const SeenRequest& request) const;
  std::optional<Answer> refuse_unauthorized(const SeenRequest& request) const;
  Answer registry_answer(const SeenRequest& request) const;
  Answer manifest_answer(const Repository& repository, std::string_view reference) const PADDOCK_REQUIRES(mutex);
  Answer tags_answer(const std::string& name, const Repository& repository, const SeenRequest& request) const
      PADDOCK_REQUIRES(mutex);
  Answer referrers_answer(const Repository& repository, std::string_view subject) const PADDOCK_REQUIRES(mutex);
};

// "Basic dXNlcjpwYXNz"
std::string basic_credentials(std::string_view username, std::string_view password);

}  // namespace paddock::test
