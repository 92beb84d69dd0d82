#include "auth/authorizer.h"

#include <charconv>
#include <mutex>
#include <optional>

#include "auth/word_file.h"
#include "base/log.h"

namespace tailrace::auth {
namespace {

template <typename Enum>
std::string number(Enum value) {
  return std::to_string(static_cast<int>(value));
}

template <typename Enum>
bool read_number(const std::string& text, Enum& value) {
  int read = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), read);
  value = static_cast<Enum>(read);
  return failed == std::errc() && end == text.data() + text.size() && read > 1 && read < 32;
}

std::optional<Acl> decode(const Words& words) {
  Acl acl;
  if (words.size() != 7 || !read_number(words[0], acl.resource) ||
      !read_number(words[1], acl.pattern) || !read_number(words[5], acl.operation) ||
      !read_number(words[6], acl.permission)) {
    return std::nullopt;
  }
  acl.name = words[2];
  acl.principal = words[3];
  acl.host = words[4];
  return acl;
}

}  // namespace

Status Authorizer::open() {
  const std::unique_lock lock(mutex_);
  ASSIGN(const auto lines, read_words(path_));
  for (const auto& words : lines) {
    const auto acl = decode(words);
    if (!acl) return error(Code::kDataLoss, path_ + ": a line is no rule");
    acls_.add(*acl);
  }
  return {};
}

bool Authorizer::allows(const Action& action, std::string_view request) const {
  if (config_.super_users.contains(action.principal)) return true;
  const std::shared_lock lock(mutex_);
  if (acls_.allows(action)) return true;
  if (!request.empty()) {
    LOG(info, "audit: {} from {} may not {} {} {} ({})", action.principal, action.host,
        operation_word(action.operation), resource_word(action.resource), action.name, request);
  }
  return false;
}

bool Authorizer::allows_on_some(const Action& action) const {
  if (config_.super_users.contains(action.principal)) return true;
  const std::shared_lock lock(mutex_);
  return acls_.allows_on_some(action);
}

std::vector<Acl> Authorizer::matching(const AclFilter& filter) const {
  const std::shared_lock lock(mutex_);
  std::vector<Acl> found;
  for (const auto& acl : acls_.all()) {
    if (filter.matches(acl)) found.push_back(acl);
  }
  return found;
}

Status Authorizer::save(const Acls& acls) const {
  std::vector<Words> lines;
  for (const auto& acl : acls.all()) {
    lines.push_back({number(acl.resource), number(acl.pattern), acl.name, acl.principal, acl.host,
                     number(acl.operation), number(acl.permission)});
  }
  return write_words(path_, lines);
}

Status Authorizer::add(const std::vector<Acl>& acls) {
  const std::unique_lock lock(mutex_);
  std::vector<Acl> added;
  for (const auto& acl : acls) {
    if (acls_.add(acl)) added.push_back(acl);
  }
  if (added.empty()) return {};
  auto saved = save(acls_);
  if (!saved) {
    for (const auto& acl : added) acls_.remove(acl);
  }
  return saved;
}

Result<std::vector<std::vector<Acl>>> Authorizer::remove(const std::vector<AclFilter>& filters) {
  const std::unique_lock lock(mutex_);
  std::vector<std::vector<Acl>> removed;
  std::set<Acl> gone;
  for (const auto& filter : filters) {
    auto& of_filter = removed.emplace_back();
    for (const auto& acl : acls_.all()) {
      if (filter.matches(acl)) of_filter.push_back(acl);
    }
    gone.insert(of_filter.begin(), of_filter.end());
  }
  if (gone.empty()) return removed;
  for (const auto& acl : gone) acls_.remove(acl);
  if (const auto saved = save(acls_); !saved) {
    for (const auto& acl : gone) acls_.add(acl);
    return std::unexpected(saved.error());
  }
  return removed;
}

}  // namespace tailrace::auth
