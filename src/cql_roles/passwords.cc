#include "cql_roles/passwords.h"

#include <crypt.h>

#include <memory>

#include "auth/digest.h"
#include "base/check.h"

namespace tailrace::cql_roles {
namespace {

constexpr std::string_view kVersion = "$2a$";
constexpr std::size_t kRoundsEnd = 7;  // "$2a$10$"
constexpr std::size_t kSaltEnd = kRoundsEnd + 22;

bool is_base64(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
         c == '/';
}

/// The hash, or an empty text. libxcrypt's own `$2a$` differs from everybody's for some passwords,
/// which its `$2b$` does not.
std::string bcrypt(std::string_view password, std::string_view settings) {
  std::string to_crypt(settings);
  to_crypt[2] = 'b';
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(std::string(password).c_str(), to_crypt.c_str(), data.get());
  if (made == nullptr || made[0] == '*') return {};
  std::string hash = made;
  hash[2] = 'a';
  return hash;
}

}  // namespace

HashForm form_of_hash(std::string_view salted_hash) {
  if (!salted_hash.starts_with(kVersion) || salted_hash.size() < kSaltEnd) return HashForm::kNone;
  const char tens = salted_hash[4];
  const char ones = salted_hash[5];
  const bool digits = tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
  if (!digits || salted_hash[kRoundsEnd - 1] != '$') return HashForm::kNone;
  for (std::size_t i = kRoundsEnd; i < kSaltEnd; ++i)
    if (!is_base64(salted_hash[i])) return HashForm::kNone;
  const int rounds = (tens - '0') * 10 + (ones - '0');
  if (rounds < 4 || rounds > 30) return HashForm::kNone;
  return rounds > kMostLog2Rounds ? HashForm::kTooSlow : HashForm::kUsable;
}

std::string hash_password(std::string_view password) {
  constexpr unsigned long kLog2Rounds = 10;
  const std::string salt = auth::random_bytes(16);
  const auto settings = std::make_unique<char[]>(CRYPT_GENSALT_OUTPUT_SIZE);
  CHECK(crypt_gensalt_rn("$2b$", kLog2Rounds, salt.data(), static_cast<int>(salt.size()),
                         settings.get(), CRYPT_GENSALT_OUTPUT_SIZE) != nullptr);
  // A client cannot send a password with a NUL, and bcrypt ends there: nobody gets in by it.
  std::string unknown = auth::random_bytes(16);
  for (char& c : unknown) c = static_cast<char>(c | 1);
  std::string hash = bcrypt(password.contains('\0') ? unknown : password, settings.get());
  CHECK(!hash.empty());
  return hash;
}

bool is_password(std::string_view password, std::string_view salted_hash) {
  if (form_of_hash(salted_hash) != HashForm::kUsable || password.contains('\0')) return false;
  const std::string made = bcrypt(password, salted_hash);
  return !made.empty() && auth::same_secret(made, salted_hash);
}

}  // namespace tailrace::cql_roles
