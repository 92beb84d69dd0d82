// Random bytes, base64 and comparing in constant time: what secrets are made of and checked with.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::auth {

/// Bytes nobody can guess, from the system.
std::string random_bytes(std::size_t size);
std::string base64(std::string_view bytes);
/// nullopt for what is not base64.
std::optional<std::string> from_base64(std::string_view text);
/// HMAC-SHA-512 (RFC 2104): 64 bytes.
std::string hmac_sha512(std::string_view key, std::string_view text);
/// Takes as long for a wrong first byte as for a wrong last one.
bool same_secret(std::string_view one, std::string_view other);

}  // namespace tailrace::auth
