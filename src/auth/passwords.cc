#include "auth/passwords.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/digest.h"

namespace tailrace::auth {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

// Jetty's words before a password that was changed.
bool is_encoded(std::string_view password) {
  return password.starts_with("MD5:") || password.starts_with("CRYPT:") ||
         password.starts_with("OBF:");
}

std::unexpected<Error> bad_line(int number, std::string_view why) {
  return error(Code::kInvalidArgument, fmt::format("line {}: {}", number, why));
}

Status parse_line(std::string_view line, int number, FileUsers& users) {
  line = trimmed(line);
  if (line.empty() || line.front() == '#' || line.front() == '!') return {};
  const auto split = line.find_first_of(":=");
  if (split == std::string_view::npos || split == 0)
    return bad_line(number, "USER: PASSWORD[,ROLE…] is expected");
  const std::string user(trimmed(line.substr(0, split)));
  std::string_view rest = trimmed(line.substr(split + 1));
  FileUser one;
  for (bool first = true; !rest.empty() || first; first = false) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string word(trimmed(rest.substr(0, comma)));
    if (first)
      one.password = word;
    else
      one.roles.push_back(word);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (one.password.empty()) return bad_line(number, "the password is empty");
  if (is_encoded(one.password)) {
    return bad_line(number,
                    "passwords are read as they are, not MD5:, CRYPT: or OBF:; to keep none in a "
                    "file, leave the file out and make SCRAM users with kafka-configs");
  }
  if (!users.emplace(user, std::move(one)).second)
    return bad_line(number, "the user is there twice");
  return {};
}

}  // namespace

Result<FileUsers> parse_users(std::string_view text) {
  FileUsers users;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    TRY(parse_line(text.substr(0, end), number, users));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return users;
}

std::optional<BasicLogin> basic_login(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  const bool basic =
      authorization.size() > kScheme.size() &&
      std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme,
                         [](unsigned char a, char b) { return std::tolower(a) == b; });
  if (!basic) return std::nullopt;
  const auto text = from_base64(authorization.substr(kScheme.size()));
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicLogin{text->substr(0, colon), text->substr(colon + 1)};
}

Passwords::Passwords(const ScramUsers& users) : users_(&users), key_(random_bytes(64)) {}

bool Passwords::is_right(const std::string& user, std::string_view password) const {
  if (users_ != nullptr) return is_scram_password(user, password);
  const auto found = file_.find(user);
  // Who is not known takes as long as who is.
  const std::string_view right =
      found == file_.end() ? "" : std::string_view(found->second.password);
  const std::string nobody(password.size() + 1, ' ');
  return same_secret(found == file_.end() ? nobody : right, password) && found != file_.end();
}

bool Passwords::is_scram_password(const std::string& user, std::string_view password) const {
  auto mechanism = ScramMechanism::kSha256;
  auto credential = users_->find(user, mechanism);
  if (!credential) {
    mechanism = ScramMechanism::kSha512;
    credential = users_->find(user, mechanism);
  }
  if (!credential) return false;
  const std::string digest = hmac_sha512(key_, password);
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_.find(user);
    if (seen != seen_.end() && seen->second.credential == *credential)
      return same_secret(seen->second.digest, digest);
  }
  const std::string salted =
      salted_password(mechanism, password, credential->salt, credential->iterations);
  const auto own = credential_of(mechanism, salted, credential->salt, credential->iterations);
  if (!same_secret(own.stored_key, credential->stored_key)) return false;
  const std::lock_guard lock(mutex_);
  seen_[user] = {*credential, digest};
  return true;
}

bool Passwords::has_role(const std::string& user, const std::vector<std::string>& wanted) const {
  const auto found = file_.find(user);
  if (found == file_.end()) return false;
  return std::ranges::any_of(found->second.roles, [&](const std::string& role) {
    return std::ranges::find(wanted, role) != wanted.end();
  });
}

}  // namespace tailrace::auth
