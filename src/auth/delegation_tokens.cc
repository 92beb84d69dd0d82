#include "auth/delegation_tokens.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "auth/digest.h"
#include "auth/word_file.h"
#include "base/base64.h"
#include "base/log.h"

namespace tailrace::auth {
namespace {

constexpr std::size_t kFixedWords = 6;

/// Never above what a time can be.
std::int64_t later(std::int64_t now_ms, std::int64_t by_ms) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return now_ms > kMost - by_ms ? kMost : now_ms + by_ms;
}

/// 16 random bytes in the letters of base64url; tools take what begins with '-' for an option.
std::string new_id() {
  for (;;) {
    auto id = encode_base64(random_bytes(16));
    id.resize(id.find('='));
    std::ranges::replace(id, '+', '-');
    std::ranges::replace(id, '/', '_');
    if (id[0] != '-') return id;
  }
}

std::optional<std::int64_t> time_of(const std::string& word) {
  std::int64_t value = 0;
  const auto* end = word.data() + word.size();
  const auto [rest, failed] = std::from_chars(word.data(), end, value);
  if (failed != std::errc() || rest != end) return std::nullopt;
  return value;
}

Result<DelegationToken> decode(const Words& words) {
  const auto broken = error(Code::kDataLoss, "a line is no delegation token");
  if (words.size() < kFixedWords || words[0].empty()) return broken;
  const auto issued = time_of(words[3]);
  const auto expiry = time_of(words[4]);
  const auto most = time_of(words[5]);
  if (!issued || !expiry || !most) return broken;
  DelegationToken token{words[0], {}, {}, *issued, *expiry, *most, {}};
  ASSIGN(token.owner, parse_principal(words[1]));
  ASSIGN(token.requester, parse_principal(words[2]));
  for (std::size_t i = kFixedWords; i < words.size(); ++i) {
    ASSIGN(token.renewers.emplace_back(), parse_principal(words[i]));
  }
  return token;
}

Words encode(const DelegationToken& token) {
  Words words = {token.id,
                 token.owner.text(),
                 token.requester.text(),
                 std::to_string(token.issued_ms),
                 std::to_string(token.expiry_ms),
                 std::to_string(token.most_ms)};
  for (const auto& one : token.renewers) words.push_back(one.text());
  return words;
}

std::unexpected<Error> over() {
  return error(Code::kDeadlineExceeded, "the delegation token is over");
}

std::unexpected<Error> not_his() {
  return error(Code::kPermissionDenied, "neither the token's owner nor one of its renewers");
}

}  // namespace

bool DelegationToken::renewed_by(const Principal& who) const {
  return who == owner || std::ranges::find(renewers, who) != renewers.end();
}

bool DelegationToken::concerns(const Principal& who) const {
  return who == requester || renewed_by(who);
}

DelegationTokens::DelegationTokens(std::string path, DelegationTokenConfig config,
                                   const rt::Clock& clock)
    : path_(std::move(path)), config_(std::move(config)), clock_(clock) {
  next_check_ = clock_.monotonic() + std::chrono::milliseconds(config_.check_interval_ms);
}

Status DelegationTokens::open() {
  const std::unique_lock lock(mutex_);
  ASSIGN(const auto lines, read_words(path_));
  for (const auto& words : lines) {
    auto token = decode(words);
    if (!token) return std::unexpected(Error{Code::kDataLoss, token.error().what}.in(path_));
    ids_[hmac(token->id)] = token->id;
    tokens_[token->id] = std::move(*token);
  }
  return {};
}

std::string DelegationTokens::hmac(const std::string& id) const {
  return hmac_sha512(config_.secret_key, id);
}

/// Forgets what is over, when it is time to; the file follows with the next change.
void DelegationTokens::sweep() {
  if (clock_.monotonic() < next_check_) return;
  next_check_ = clock_.monotonic() + std::chrono::milliseconds(config_.check_interval_ms);
  const auto time = now();
  std::erase_if(tokens_, [&](const auto& one) {
    const auto& [id, token] = one;
    if (!token.over(time)) return false;
    LOG(info, "the delegation token {} of {} is over", id, token.owner.text());
    return true;
  });
  forget_secrets();
}

/// Of tokens that there are no more.
void DelegationTokens::forget_secrets() {
  std::erase_if(ids_, [&](const auto& one) { return !tokens_.contains(one.second); });
  std::erase_if(credentials_, [&](const auto& one) { return !tokens_.contains(one.first.first); });
}

Status DelegationTokens::save(Tokens tokens) {
  std::vector<Words> lines;
  for (const auto& [id, token] : tokens) lines.push_back(encode(token));
  TRY(write_words(path_, lines));
  tokens_ = std::move(tokens);
  return {};
}

Result<DelegationToken> DelegationTokens::create(Principal owner, Principal requester,
                                                 std::vector<Principal> renewers,
                                                 std::int64_t lifetime_ms) {
  const std::unique_lock lock(mutex_);
  sweep();
  const auto lifetime =
      lifetime_ms > 0 ? std::min(lifetime_ms, config_.max_lifetime_ms) : config_.max_lifetime_ms;
  DelegationToken token;
  token.id = new_id();
  token.owner = std::move(owner);
  token.requester = std::move(requester);
  token.renewers = std::move(renewers);
  token.issued_ms = now();
  token.most_ms = later(token.issued_ms, lifetime);
  token.expiry_ms = std::min(token.most_ms, later(token.issued_ms, config_.expiry_time_ms));
  auto tokens = tokens_;
  tokens[token.id] = token;
  TRY(save(std::move(tokens)));
  ids_[hmac(token.id)] = token.id;
  return token;
}

Result<DelegationToken> DelegationTokens::find(const std::string& hmac) const {
  const auto id = ids_.find(hmac);
  if (id == ids_.end()) return error(Code::kNotFound, "no such delegation token");
  return tokens_.at(id->second);
}

Result<std::int64_t> DelegationTokens::move_expiry(DelegationToken token, std::int64_t by_ms) {
  const auto time = now();
  if (token.over(time)) return over();
  token.expiry_ms = std::min(token.most_ms, later(time, by_ms));
  auto tokens = tokens_;
  tokens[token.id] = token;
  TRY(save(std::move(tokens)));
  return token.expiry_ms;
}

Result<std::int64_t> DelegationTokens::renew(const std::string& hmac, const Principal& by,
                                             std::int64_t period_ms) {
  const std::unique_lock lock(mutex_);
  sweep();
  ASSIGN(auto token, find(hmac));
  // In this order: that it is over is told to everybody who has its secret.
  if (token.over(now())) return over();
  if (!token.renewed_by(by)) return not_his();
  const auto most = config_.expiry_time_ms;
  return move_expiry(std::move(token), period_ms > 0 ? std::min(period_ms, most) : most);
}

Result<std::int64_t> DelegationTokens::expire(const std::string& hmac, const Principal& by,
                                              std::int64_t period_ms) {
  const std::unique_lock lock(mutex_);
  sweep();
  ASSIGN(auto token, find(hmac));
  if (!token.renewed_by(by)) return not_his();
  if (period_ms >= 0) return move_expiry(std::move(token), period_ms);
  auto tokens = tokens_;
  tokens.erase(token.id);
  TRY(save(std::move(tokens)));
  forget_secrets();
  return now();
}

std::vector<DelegationToken> DelegationTokens::all() {
  const std::unique_lock lock(mutex_);
  sweep();
  std::vector<DelegationToken> tokens;
  for (const auto& [id, token] : tokens_) tokens.push_back(token);
  return tokens;
}

/// What SCRAM needs of a token's secret: some thousand rounds, so it is kept once it was asked for.
ScramCredential DelegationTokens::credential(const std::string& id, ScramMechanism mechanism) {
  const auto found = credentials_.find({id, mechanism});
  if (found != credentials_.end()) return found->second;
  const auto salt = random_bytes(24);
  const auto salted = salted_password(mechanism, encode_base64(hmac(id)), salt, kLeastIterations);
  return credentials_[{id, mechanism}] = credential_of(mechanism, salted, salt, kLeastIterations);
}

std::optional<DelegationTokens::Login> DelegationTokens::login(const std::string& id,
                                                               ScramMechanism mechanism) {
  if (!enabled()) return std::nullopt;
  const std::unique_lock lock(mutex_);
  sweep();
  const auto found = tokens_.find(id);
  const auto time = now();
  if (found == tokens_.end() || found->second.over(time)) return std::nullopt;
  const auto& token = found->second;
  return Login{token.owner, credential(id, mechanism),
               std::min(token.expiry_ms, token.most_ms) - time};
}

}  // namespace tailrace::auth
