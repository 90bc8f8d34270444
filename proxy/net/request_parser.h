// RequestParser: bytes of a client's connection to the head of its request, and its body. The grammar and the framing
// are Beast's (RFC 9112); what it finds goes where it is wanted, once. Trailers are dropped. Private to proxy/net.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "proxy/net/request_intake.h"

namespace paddock {

class RequestParser : public boost::beast::http::basic_parser<true> {
 public:
  RequestHead head;
  std::string body;  // of the size that body_limit() allows

 private:
  using Error = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb /*method*/, Text method, Text target, int version,
                       Error& /*error*/) override {
    head.method = method;
    head.target = target;
    head.version = version;
  }
  void on_field_impl(boost::beast::http::field /*known*/, Text name, Text value, Error& /*error*/) override {
    if (!whole_) head.headers.add(name, value);
  }
  void on_header_impl(Error& /*error*/) override { whole_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Error& /*error*/) override {}
  std::size_t on_body_impl(Text some, Error& /*error*/) override {
    body.append(some);
    return some.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/, Error& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, Text some, Error& error) override {
    return on_body_impl(some, error);
  }
  void on_finish_impl(Error& /*error*/) override {}
  void on_response_impl(int /*status*/, Text /*reason*/, int /*version*/, Error& /*error*/) override {}

  bool whole_ = false;  // the head
};

}  // namespace paddock
