// gzip of a whole answer (RFC 1952), for large text.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::net {

/// The compressed text, or "" when zlib cannot.
std::string gzip(std::string_view text);

/// Whether an Accept-Encoding header takes gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace tailrace::net
