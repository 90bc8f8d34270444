// The one translation unit that holds the compiled code of Boost.Beast and of Asio's TLS streams.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
