#include "benchmarks/load/crowd.h"

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>

#include "benchmarks/load/poller.h"

namespace paddock::load {
namespace {

struct Part {
  std::string digest;
  std::uint64_t size = 0;  // bytes expected
};

// Each blob once, in the manifest's order; nothing when it cannot be read.
std::optional<std::deque<Part>> parts_of(const std::string& manifest) {
  try {
    const auto json = nlohmann::json::parse(manifest);
    std::deque<Part> parts;
    std::set<std::string> seen;
    const auto add = [&](const nlohmann::json& one) {
      Part part{.digest = one.at("digest").get<std::string>(), .size = one.at("size").get<std::uint64_t>()};
      if (seen.insert(part.digest).second) parts.push_back(std::move(part));
    };
    add(json.at("config"));
    for (const auto& layer : json.at("layers")) add(layer);
    return parts;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

// What a range asks for of so many bytes.
std::uint64_t expected_bytes(const std::string& range, std::uint64_t size) {
  const std::size_t dash = range.find('-');
  const std::uint64_t first = std::stoull(range.substr(0, dash));
  const std::string last = range.substr(dash + 1);
  const std::uint64_t end = last.empty() ? size : std::min<std::uint64_t>(size, std::stoull(last) + 1);
  return end > first ? end - first : 0;
}

// One client: its links, and what they have yet to fetch.
struct Client {
  std::vector<std::unique_ptr<Link>> links;
  std::deque<Part> wanted;
  std::unordered_map<const Link*, Part> asked;
  bool has_manifest = false;
};

class Pull {
 public:
  Pull(const Target& target, SSL_CTX* tls, const Plan& plan)
      : target_(target), tls_(tls), plan_(plan), poller_(plan.stall, plan.deadline, [this](Link& link) { on(link); }) {}

  Outcome run() {
    const Time start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < plan_.clients; ++i) {
      Link& link = add_link(clients_.emplace_back());
      ask(link, "/manifests/" + plan_.tag, accept_manifests, true);
    }
    poller_.run();
    outcome_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(outcome_);
  }

 private:
  Link& add_link(Client& client) {
    client.links.push_back(std::make_unique<Link>(target_, tls_));
    owner_[client.links.back().get()] = &client;
    return *client.links.back();
  }

  void ask(Link& link, const std::string& path, const std::string& headers, bool keep_body) {
    ++outcome_.requests;
    link.ask(path, headers, keep_body);
    poller_.add(link);
  }

  void ask_next(Client& client, Link& link) {
    // What a range leaves nothing of is not asked for.
    while (!plan_.range.empty() && !client.wanted.empty() && expected_bytes(plan_.range, client.wanted[0].size) == 0)
      client.wanted.pop_front();
    if (client.wanted.empty()) return;
    Part part = std::move(client.wanted.front());
    client.wanted.pop_front();
    const std::string path = "/blobs/" + part.digest;
    client.asked[&link] = std::move(part);
    ask(link, path, plan_.range.empty() ? "" : "Range: bytes=" + plan_.range + "\r\n", false);
  }

  void give_up(Client& client, std::string why) {
    outcome_.errors.push_back(std::move(why));
    client.wanted.clear();
  }

  void on(Link& link) {
    Client& client = *owner_.at(&link);
    outcome_.bytes += link.answer().received;
    if (client.has_manifest) return on_blob(client, link);
    const Answer& answer = link.answer();
    auto parts = answer.ok() ? parts_of(answer.body) : std::nullopt;
    if (!parts) return give_up(client, "manifest: " + answer.said());
    client.has_manifest = true;
    client.wanted = std::move(*parts);
    ask_next(client, link);
    while (client.links.size() < plan_.parallel && !client.wanted.empty()) ask_next(client, add_link(client));
  }

  void on_blob(Client& client, Link& link) {
    const Answer& answer = link.answer();
    const Part& part = client.asked.at(&link);
    const std::uint64_t expected = plan_.range.empty() ? part.size : expected_bytes(plan_.range, part.size);
    if (!answer.error.empty() || answer.status != (plan_.range.empty() ? 200 : 206) || answer.received != expected)
      return give_up(client, part.digest.substr(0, 19) + ": " + answer.said() + ", " + std::to_string(answer.received) +
                                 " of " + std::to_string(expected) + " bytes");
    outcome_.first_bytes.push_back(answer.first_byte);
    ask_next(client, link);
  }

  const Target& target_;
  SSL_CTX* tls_;
  const Plan& plan_;
  Outcome outcome_;
  std::deque<Client> clients_;  // their addresses stay
  std::unordered_map<const Link*, Client*> owner_;
  Poller poller_;
};

}  // namespace

Outcome pull(const Target& target, SSL_CTX* tls, const Plan& plan) { return Pull(target, tls, plan).run(); }

IdleCrowd::IdleCrowd(const Target& target, SSL_CTX* tls, const Plan& plan) {
  constexpr std::size_t at_once = 128;  // less than what servers let wait to be accepted
  const Time start = std::chrono::steady_clock::now();
  Poller* adder = nullptr;
  const auto open_next = [&] {
    if (links_.size() == plan.clients) return;
    Link& link = *links_.emplace_back(std::make_unique<Link>(target, tls));
    ++outcome_.requests;
    link.ask("/manifests/" + plan.tag, accept_manifests, false);
    adder->add(link);
  };
  Poller poller(plan.stall, plan.deadline, [&](Link& link) {
    const Answer& answer = link.answer();
    outcome_.bytes += answer.received;
    if (!answer.ok()) outcome_.errors.push_back(answer.said());
    open_next();
  });
  adder = &poller;
  for (std::size_t i = 0; i < at_once; ++i) open_next();
  poller.run();
  outcome_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::size_t IdleCrowd::open() const {
  return static_cast<std::size_t>(std::ranges::count_if(links_, [](const auto& link) { return link->open(); }));
}

}  // namespace paddock::load
