// TlsPeer: a TLS client that says exactly what a test wants said, on a RawSocket, with memory between OpenSSL and the
// socket, so that its records can be sent in pieces. Trusts whatever certificate it is shown.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/proxy/net/raw_socket.h"

namespace paddock {

class TlsPeer {
 public:
  struct Options {
    int version = TLS1_3_VERSION;
    std::string cipher{};            // one that is allowed, by OpenSSL's name; any when empty
    std::size_t piece = 1U << 20U;   // bytes a send
    SSL_SESSION* session = nullptr;  // to resume
    int receive_buffer = 0;          // bytes; 0: the system's
  };

  TlsPeer(const std::string& address, Options options)
      : socket_(RawSocket::connect(address, options.receive_buffer)),
        piece_(options.piece),
        context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), options.version);
    SSL_CTX_set_max_proto_version(context_.get(), options.version);
    if (!options.cipher.empty()) {
      const auto set = options.version == TLS1_3_VERSION ? &SSL_CTX_set_ciphersuites : &SSL_CTX_set_cipher_list;
      if (set(context_.get(), options.cipher.c_str()) != 1) throw std::runtime_error("no such cipher");
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
    SSL_set_connect_state(ssl_.get());
  }

  bool handshake() {
    return finished([this] { return SSL_do_handshake(ssl_.get()); });
  }
  // False when the other side has gone.
  bool send(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    return flush();
  }
  // What comes until the other side ends it, in one way or another.
  std::string read_all() {
    while (fill()) {
    }
    return std::move(text_);
  }
  std::string read_response() {
    while (!text_.contains("\r\n\r\n") && fill()) {
    }
    auto size = std::min(text_.find("\r\n\r\n"), text_.size() - 4) + 4;
    const auto at = text_.find("Content-Length: ");
    if (at < size) size += std::stoul(text_.substr(at + 16));
    while (text_.size() < size && fill()) {
    }
    auto out = text_.substr(0, size);
    text_.erase(0, size);
    return out;
  }
  void say_goodbye() {
    SSL_shutdown(ssl_.get());
    flush();
  }
  void ask_for_key_update(int kind) {
    SSL_key_update(ssl_.get(), kind);
    SSL_do_handshake(ssl_.get());
    flush();
  }
  // What `count` new keys of ours and then `text` are on the wire.
  std::string after_new_keys(int count, std::string_view text) {
    for (int i = 0; i < count; ++i) {
      SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(ssl_.get());
    }
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    return taken_out();
  }
  void ask_for_renegotiation() {
    SSL_renegotiate(ssl_.get());
    SSL_do_handshake(ssl_.get());
    flush();
  }
  [[nodiscard]] bool ended_cleanly() const { return clean_; }  // by a word of the other side's, no alert
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] std::string cipher() const { return SSL_get_cipher_name(ssl_.get()); }
  std::shared_ptr<SSL_SESSION> session() { return {SSL_get1_session(ssl_.get()), SSL_SESSION_free}; }
  RawSocket& socket() { return socket_; }

 private:
  template <typename Call>
  bool finished(Call call) {
    for (;;) {
      ERR_clear_error();
      const int result = call();
      if (!flush()) return false;
      if (result == 1) return true;
      if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ || !receive()) return false;
    }
  }
  bool fill() {
    std::array<char, 16384> piece;
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      if (got > 0) {
        text_.append(piece.data(), static_cast<std::size_t>(got));
        return true;
      }
      const int error = SSL_get_error(ssl_.get(), got);
      clean_ = error == SSL_ERROR_ZERO_RETURN;
      if (error != SSL_ERROR_WANT_READ || !receive()) return false;
    }
  }
  bool receive() {
    const auto bytes = socket_.read_some();
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    return !bytes.empty();
  }
  std::string taken_out() {
    char* data = nullptr;
    BIO* const out = SSL_get_wbio(ssl_.get());
    const long size = BIO_get_mem_data(out, &data);
    std::string bytes(data, static_cast<std::size_t>(size));
    (void)BIO_reset(out);
    return bytes;
  }
  bool flush() {
    const auto bytes = taken_out();
    bool sent = true;
    for (std::string_view rest = bytes; sent && !rest.empty(); rest.remove_prefix(std::min(piece_, rest.size()))) {
      sent = socket_.send(rest.substr(0, piece_));
    }
    return sent;
  }

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  RawSocket socket_;
  const std::size_t piece_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string text_;
  bool clean_ = false;
};

}  // namespace paddock
