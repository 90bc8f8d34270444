#include "proxy/net/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace paddock {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::unexpected<Error> refuse(ErrorCode code, std::string_view address, std::string_view why) {
  return fail(code, Blame::us, std::string("cannot listen on ").append(address).append(": ").append(why));
}

std::unexpected<Error> refuse(std::string_view address, error_code error) {
  if (error == asio::error::address_in_use) {
    return refuse(ErrorCode::conflict, address, "address already in use; stop what uses it, or choose another");
  }
  if (error == asio::error::access_denied || error == asio::error::no_permission) {
    return refuse(ErrorCode::denied, address, "permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE");
  }
  if (error == boost::system::errc::address_not_available) {
    return refuse(ErrorCode::invalid_argument, address,
                  "this machine has no such address; choose one of its own, or 0.0.0.0 for all of them");
  }
  return refuse(ErrorCode::invalid_argument, address, error.message());
}

std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (failed != std::errc() || end != port_text.data() + port_text.size()) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host == "localhost") host = "127.0.0.1";
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || address.is_v6() != bracketed) return std::nullopt;
  return tcp::endpoint(address, port);
}

std::string text_of(const tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

// What a connection attempt says about a socket file: 0 somebody answers, ECONNREFUSED nobody, or another errno.
int knock(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int failed = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
  ::close(fd);
  return failed;
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::open(asio::io_context& loop, std::string_view address) {
  auto listener = std::make_shared<Listener>(loop);
  constexpr std::string_view unix_prefix = "unix:";
  const auto bound = address.starts_with(unix_prefix)
                         ? listener->bind_unix(std::string(address.substr(unix_prefix.size())))
                         : listener->bind_tcp(address);
  if (!bound) return std::unexpected(bound.error());
  return listener;
}

Result<void> Listener::bind_tcp(std::string_view address) {
  const auto endpoint = parse_endpoint(address);
  if (!endpoint) {
    return refuse(ErrorCode::invalid_argument, address, "give it as ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH");
  }
  if (const auto error = bind({endpoint->data(), endpoint->size()}, false)) return refuse(address, error);
  error_code error;
  const auto local = acceptor_.local_endpoint(error);
  auto bound = *endpoint;
  std::memcpy(bound.data(), local.data(), local.size());
  address_ = text_of(bound);
  return {};
}

Result<void> Listener::bind_unix(const std::string& path) {
  const auto address = "unix:" + path;
  if (path.empty() || path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return refuse(ErrorCode::invalid_argument, address, "the path is empty or too long");
  }
  std::error_code absent;
  const auto status = std::filesystem::symlink_status(path, absent);
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_socket(status)) {
      return refuse(ErrorCode::invalid_argument, address, "a file that is no socket is in the way");
    }
    if (knock(path) != ECONNREFUSED) return refuse(address, asio::error::address_in_use);
    std::filesystem::remove(path, absent);
  }
  const asio::local::stream_protocol::endpoint endpoint(path);
  if (const auto error = bind({endpoint.data(), endpoint.size()}, false)) return refuse(address, error);
  socket_file_ = path;
  address_ = address;
  return {};
}

// Who comes first must have the address to himself, and listen on it; only then others of ours may join.
error_code Listener::bind(const Endpoint& endpoint, bool shared) {
  using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return error;
  const int family = endpoint.protocol().family();
  error_code ignored;
  if (family != AF_UNIX) acceptor_.set_option(asio::socket_base::reuse_address(true), ignored);
  if (family == AF_INET6) acceptor_.set_option(asio::ip::v6_only(false), ignored);
  if (shared) acceptor_.set_option(ReusePort(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!shared && family != AF_UNIX) acceptor_.set_option(ReusePort(true), ignored);
  return error;
}

Result<std::shared_ptr<Listener>> Listener::share(asio::io_context& loop) {
  if (!socket_file_.empty()) return nullptr;
  error_code error;
  const auto endpoint = acceptor_.local_endpoint(error);
  auto shared = std::make_shared<Listener>(loop);
  if (!error) error = shared->bind(endpoint, true);
  if (error) return refuse(address_, error);
  shared->address_ = address_;
  return shared;
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  std::error_code also_ignored;
  if (!socket_file_.empty()) std::filesystem::remove(socket_file_, also_ignored);
  socket_file_.clear();
}

}  // namespace paddock
