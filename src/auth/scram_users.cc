#include "auth/scram_users.h"

#include <charconv>

#include "auth/digest.h"
#include "auth/word_file.h"
#include "base/base64.h"

namespace tailrace::auth {
namespace {

Result<std::pair<ScramUsers::Key, ScramCredential>> decode(const Words& words) {
  if (words.size() == 6) {
    const auto mechanism = scram_mechanism(words[1]);
    ScramCredential credential;
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), credential.iterations);
    const auto salt = from_base64(words[3]);
    const auto stored = from_base64(words[4]);
    const auto server = from_base64(words[5]);
    if (mechanism && credential.iterations > 0 && salt && stored && server) {
      credential.salt = *salt;
      credential.stored_key = *stored;
      credential.server_key = *server;
      return std::pair(ScramUsers::Key(words[0], *mechanism), std::move(credential));
    }
  }
  return error(Code::kDataLoss, "a line is no user with a key of SCRAM");
}

}  // namespace

Status ScramUsers::open() {
  const std::unique_lock lock(mutex_);
  ASSIGN(const auto lines, read_words(path_));
  for (const auto& words : lines) {
    auto user = decode(words);
    if (!user) return std::unexpected(user.error().in(path_));
    users_.insert(std::move(*user));
  }
  return {};
}

std::optional<ScramCredential> ScramUsers::find(const std::string& user,
                                                ScramMechanism mechanism) const {
  const std::unique_lock lock(mutex_);
  const auto found = users_.find({user, mechanism});
  if (found == users_.end()) return std::nullopt;
  return found->second;
}

std::map<std::string, std::vector<std::pair<ScramMechanism, std::int32_t>>> ScramUsers::all()
    const {
  const std::unique_lock lock(mutex_);
  std::map<std::string, std::vector<std::pair<ScramMechanism, std::int32_t>>> users;
  for (const auto& [key, credential] : users_) {
    users[key.first].emplace_back(key.second, credential.iterations);
  }
  return users;
}

Status ScramUsers::change(const std::map<Key, std::optional<ScramCredential>>& changes) {
  const std::unique_lock lock(mutex_);
  auto users = users_;
  for (const auto& [key, credential] : changes) {
    if (credential) {
      users[key] = *credential;
    } else {
      users.erase(key);
    }
  }
  std::vector<Words> lines;
  for (const auto& [key, credential] : users) {
    lines.push_back({key.first, std::string(mechanism_name(key.second)),
                     std::to_string(credential.iterations), encode_base64(credential.salt),
                     encode_base64(credential.stored_key), encode_base64(credential.server_key)});
  }
  TRY(write_words(path_, lines));
  users_ = std::move(users);
  return {};
}

}  // namespace tailrace::auth
