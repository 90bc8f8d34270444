// TlsRecords: what a TLS connection sends, many records at a time, so that a big body costs few system calls.
//
// Borrows the SSL object's way out for the length of encrypt(), which needs no network; whoever owns the object must
// not be at work on it meanwhile. The bytes then go to the socket in order, all of them, before anything else of that
// connection. Private to proxy/net; on the connection's loop.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>
#include <openssl/ssl.h>
#include <vector>

namespace paddock {

class TlsRecords {
 public:
  // After the handshake. False when the connection is of no more use.
  bool encrypt(SSL* ssl, boost::asio::const_buffer plain);
  [[nodiscard]] boost::asio::const_buffer bytes() const { return boost::asio::buffer(bytes_); }  // until encrypt()

 private:
  struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  std::unique_ptr<BIO, Free> out_;
  std::vector<char> bytes_;
};

}  // namespace paddock
