#include "proxy/net/tls_records.h"

#include <openssl/buffer.h>
#include <openssl/err.h>

namespace paddock {

bool TlsRecords::encrypt(SSL* ssl, boost::asio::const_buffer plain) {
  if (!memory_) {
    memory_.reset(BIO_new(BIO_s_mem()));
    if (!memory_) return false;
    BIO_set_flags(memory_.get(), BIO_FLAGS_NONCLEAR_RST);  // a reset need not write zeros over what was sent
  }
  BUF_MEM* sent = nullptr;
  BIO_get_mem_ptr(memory_.get(), &sent);
  sent->length = 0;
  (void)BIO_reset(memory_.get());
  BIO* const before = SSL_get_wbio(ssl);
  BIO_up_ref(before);
  BIO_up_ref(memory_.get());
  SSL_set0_wbio(ssl, memory_.get());
  bool taken = true;
  // One record a call, where partial writes are allowed.
  for (std::size_t size = 0; taken && plain.size() != 0; plain += size) {
    ERR_clear_error();
    taken = SSL_write_ex(ssl, plain.data(), plain.size(), &size) == 1;
  }
  SSL_set0_wbio(ssl, before);
  ERR_clear_error();
  return taken;
}

boost::asio::const_buffer TlsRecords::bytes() const {
  char* data = nullptr;
  const long size = memory_ ? BIO_get_mem_data(memory_.get(), &data) : 0;
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace paddock
