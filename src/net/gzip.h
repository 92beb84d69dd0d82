// gzip of whole bodies (RFC 1952).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::net {

/// The compressed text, or "" when zlib cannot.
std::string gzip(std::string_view text);

/// What was compressed, members one after the other too. kInvalidArgument when it is no gzip,
/// kResourceExhausted when it is more than `most` bytes.
Result<std::string> gunzip(std::string_view bytes, std::size_t most);

/// Whether an Accept-Encoding header takes gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace tailrace::net
