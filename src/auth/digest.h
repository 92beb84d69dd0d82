// Random bytes, strict base64 and comparing in constant time: what secrets are made of and checked
// with.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::auth {

/// Bytes nobody can guess, from the system.
std::string random_bytes(std::size_t size);
/// Bytes of base64 as a peer must write it: padded, and nothing but its alphabet; else nullopt.
std::optional<std::string> from_base64(std::string_view text);
/// HMAC-SHA-512 (RFC 2104): 64 bytes.
std::string hmac_sha512(std::string_view key, std::string_view text);
/// The same with SHA-256 (32 bytes) and SHA-1 (20 bytes).
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string hmac_sha1(std::string_view key, std::string_view text);
/// SHA-256 (FIPS 180-4): 32 bytes.
std::string sha256(std::string_view text);
/// Takes as long for a wrong first byte as for a wrong last one.
bool same_secret(std::string_view one, std::string_view other);

}  // namespace tailrace::auth
