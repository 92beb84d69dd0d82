// Passwords as they are kept: bcrypt, in the form of jBCrypt ($2a$10$ salt hash), as Cassandra
// writes and reads them.
//
// Passwords and hashes stand in no message.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::cql_roles {

/// Hashes of more than 2^14 rounds take a second and more: they are not taken, since a role may
/// set its own.
constexpr int kMostLog2Rounds = 14;

/// Takes some 60 ms.
std::string hash_password(std::string_view password);
/// Takes as long as the hash says, and no time for what is none.
bool is_password(std::string_view password, std::string_view salted_hash);

enum class HashForm { kUsable, kTooSlow, kNone };
HashForm form_of_hash(std::string_view salted_hash);

}  // namespace tailrace::cql_roles
