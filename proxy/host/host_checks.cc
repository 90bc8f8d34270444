#include "proxy/host/host_checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <spdlog/fmt/fmt.h>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::uint64_t compressed_image = std::uint64_t{12} << 30U;  // the large ones
constexpr std::uint64_t unpacked_image = std::uint64_t{30} << 30U;
constexpr std::chrono::seconds good_clock{30};
constexpr std::chrono::seconds bearable_clock{300};  // tokens live for as long

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Finding data_room_finding(const std::string& folder, const Result<Room>& room, std::uint64_t min_free) {
  if (!room) {
    return wrong("disk", "the data folder " + folder + ": " + room.error().context,
                 "make it, or set storage.path to a folder that the cache may write to");
  }
  const auto text = fmt::format("{} of {} free for the data folder {}", human_bytes(room->available),
                                human_bytes(room->total), folder);
  if (room->available <= min_free) {
    return wrong("disk", text + ", of which " + human_bytes(min_free) + " stay free: nothing is cached",
                 "free some, set storage.path to a larger disk, or lower storage.min_free");
  }
  if (room->available - min_free < compressed_image) {
    return warning("disk", text + ": a large image has up to 12 GiB",
                   "free some, or set storage.path to a larger disk");
  }
  return fine("disk", text);
}

Finding engine_room_finding(const std::string& folder, const Room& room) {
  const auto text = fmt::format("{} of {} free in {}", human_bytes(room.available), human_bytes(room.total), folder);
  if (room.available >= unpacked_image) return fine("disk", text);
  return warning("disk", text + ": a large image takes up to 30 GiB unpacked",
                 "remove images that nobody needs (docker image prune, nerdctl image prune), or add room");
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT") || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

Finding clock_finding(std::string_view date, const std::string& server, std::chrono::system_clock::time_point now) {
  const auto there = parse_http_date(date);
  if (!there) return warning("clock", server + " does not say what time it is", "compare this machine's clock by hand");
  const auto off = std::chrono::duration_cast<std::chrono::seconds>(now - *there);
  const auto text = fmt::format("this machine's is {} s {} that of {}", std::abs(off.count()),
                                off.count() < 0 ? "behind" : "ahead of", server);
  if (std::chrono::abs(off) <= good_clock) return fine("clock", "this machine's agrees with that of " + server);
  const std::string remedy = "let NTP set it: timedatectl set-ntp true";
  if (std::chrono::abs(off) <= bearable_clock) return warning("clock", text, remedy);
  return wrong("clock", text + ": certificates and tokens are refused so", remedy);
}

namespace {

Finding no_answer(const std::string& what, const EndpointTrial& trial) {
  const auto text = what + ": " + public_message(trial.status.error().context);
  if (trial.untrusted) {
    return wrong("upstream", text,
                 "set upstreams[].ca_file to the CA that made it; a proxy that opens TLS has one of its own");
  }
  return wrong("upstream", text,
               trial.proxy.empty() ? "look at routes and firewalls, set HTTPS_PROXY where the way out is a proxy, or "
                                     "offline: true where there is none"
                                   : "look at the proxy, and at NO_PROXY");
}

Finding wants_credentials(const std::string& name, const EndpointTrial& trial, bool credentials) {
  using enum EndpointTrial::Wants;
  if (trial.wants == something) {
    return wrong("upstream", name + ", and wants credentials, without saying what kind",
                 "ask its operator which; username and password_file take them");
  }
  if (trial.wants == password && !credentials) {
    return wrong("upstream", name + ", and wants a user and password", "set username and password_file");
  }
  if (trial.auth_error) {
    const auto said = public_message(trial.auth_error->context);
    if (trial.auth_error->code == ErrorCode::unauthorized) {
      return wrong("upstream", name + ", and refuses the credentials: " + said, "look at username and password_file");
    }
    return wrong("upstream", name + ", but gives no token: " + said,
                 "its token server has to be reached too: look at firewalls, and at trusted_realms");
  }
  return fine("upstream", name + ", and wants a " + (trial.wants == token ? "token" : "password") +
                              (credentials ? ", for which there are credentials" : "; none are configured"));
}

}  // namespace

Finding endpoint_finding(const std::string& upstream, const EndpointTrial& trial, bool credentials) {
  const auto name = upstream + " at " + trial.endpoint;
  const auto way = trial.proxy.empty() ? std::string() : " through the proxy " + trial.proxy;
  if (trial.name_error) {
    return wrong("upstream", name + ": its name cannot be resolved (" + *trial.name_error + ")",
                 "look at /etc/resolv.conf, or set HTTPS_PROXY where the way out is a proxy");
  }
  if (!trial.status) return no_answer(name + " cannot be reached" + way, trial);
  const int status = *trial.status;
  if (status == 200) return fine("upstream", name + " answers" + way);
  if (status == 401) return wants_credentials(name + " answers" + way, trial, credentials);
  if (status == 403) {
    return wrong("upstream", name + " refuses this machine" + way,
                 "ask its operator, or set username and password_file");
  }
  const auto said = fmt::format("{} answers {}{}", name, status, way);
  if (status == 407) {
    return wrong("upstream", said, "give the proxy a user and password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT");
  }
  if (status == 429) {
    return warning("upstream", said + ": this address asks too often",
                   "wait, or set username and password_file of an account that may ask more");
  }
  if (status >= 500) {
    return wrong("upstream", said + ": it is in trouble itself",
                 "wait, or add endpoints or mirrors; what is cached is served meanwhile");
  }
  return wrong("upstream", said + ": that is no registry",
               "look at upstreams[].endpoints: the registry's origin, without a path");
}

Finding cache_finding(const CacheAddress& cache, const Result<int>& status, bool marked) {
  if (!status) {
    return wrong("cache", "none at " + cache.origin() + ": " + public_message(status.error().context),
                 "start it (paddock serve), or say where it is with --cache URL");
  }
  const auto said = fmt::format("{} answers {} to /v2/", cache.origin(), *status);
  if (!marked) return wrong("cache", said + ", and is not paddock", "say where the cache is with --cache URL");
  if (*status == 200) return fine("cache", "answers at " + cache.origin());
  if (*status == 401) {
    return fine("cache", "answers at " + cache.origin() + ", and wants a name and a password of who pulls");
  }
  return wrong("cache", said, *status == 503 ? "wait until it is ready, or look at its log" : "look at its log");
}

Finding trust_finding(const CacheAddress& cache, const CertificateTrust& trust) {
  const auto folder = "/etc/docker/certs.d/" + cache.authority;
  if (trust.system) return fine("certificate", "this system trusts that of " + cache.origin());
  if (trust.docker && *trust.docker) {
    return fine("certificate", "dockerd trusts that of " + cache.origin() + " by " + folder + "; other clients do not");
  }
  const auto& error = trust.docker ? trust.docker->error() : trust.system.error();
  const auto text = "nobody here trusts that of " + cache.origin() + ": " + public_message(error.context);
  if (text.contains("mismatch")) {
    return wrong("certificate", text, "make one for " + cache.host + ", and set server.tls.certificate to it");
  }
  if (text.contains("has expired")) return wrong("certificate", text, "make a new one for server.tls.certificate");
  return wrong("certificate", text,
               std::string("put the CA's certificate into ") +
                   (trust.docker_installed ? folder + "/ca.crt, or into " : "") +
                   "/usr/local/share/ca-certificates and run update-ca-certificates");
}

}  // namespace paddock
