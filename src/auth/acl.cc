#include "auth/acl.h"

#include <algorithm>

namespace tailrace::auth {
namespace {

constexpr std::string_view kEvery = "*";
constexpr std::string_view kEverybody = "User:*";

bool implies(Operation allowed, Operation asked) {
  if (allowed == asked) return true;
  switch (asked) {
    case Operation::kDescribe:
      return allowed == Operation::kRead || allowed == Operation::kWrite ||
             allowed == Operation::kDelete || allowed == Operation::kAlter;
    case Operation::kDescribeConfigs:
      return allowed == Operation::kAlterConfigs;
    default:
      return false;
  }
}

/// Whether the rule is about this principal, address and operation.
bool holds(const Acl& acl, const Action& action) {
  if (acl.principal != action.principal && acl.principal != kEverybody) return false;
  if (acl.host != action.host && acl.host != kEvery) return false;
  if (acl.operation == Operation::kAll) return true;
  return acl.permission == Permission::kAllow ? implies(acl.operation, action.operation)
                                              : acl.operation == action.operation;
}

}  // namespace

std::string_view resource_word(Resource resource) {
  constexpr std::array<std::string_view, 8> kWords = {
      "Unknown", "Any", "Topic", "Group", "Cluster", "TransactionalId", "DelegationToken", "User"};
  const auto at = static_cast<std::size_t>(resource);
  return kWords[at < kWords.size() ? at : 0];
}

std::string_view operation_word(Operation operation) {
  constexpr std::array<std::string_view, 16> kWords = {"Unknown",
                                                       "Any",
                                                       "All",
                                                       "Read",
                                                       "Write",
                                                       "Create",
                                                       "Delete",
                                                       "Alter",
                                                       "Describe",
                                                       "ClusterAction",
                                                       "DescribeConfigs",
                                                       "AlterConfigs",
                                                       "IdempotentWrite",
                                                       "CreateTokens",
                                                       "DescribeTokens",
                                                       "TwoPhaseCommit"};
  const auto at = static_cast<std::size_t>(operation);
  return kWords[at < kWords.size() ? at : 0];
}

std::vector<Operation> operations_on(Resource resource) {
  using enum Operation;
  switch (resource) {
    case Resource::kTopic:
      return {kRead, kWrite, kCreate, kDescribe, kDelete, kAlter, kDescribeConfigs, kAlterConfigs};
    case Resource::kGroup:
      return {kRead, kDescribe, kDelete, kDescribeConfigs, kAlterConfigs};
    case Resource::kCluster:
      return {kCreate,          kClusterAction, kDescribeConfigs, kAlterConfigs,
              kIdempotentWrite, kAlter,         kDescribe};
    case Resource::kTransactionalId:
      return {kDescribe, kWrite, kTwoPhaseCommit};
    case Resource::kDelegationToken:
      return {kDescribe};
    case Resource::kUser:
      return {kCreateTokens, kDescribeTokens};
    case Resource::kAny:
      break;
  }
  return {};
}

bool AclFilter::matches(const Acl& acl) const {
  if (resource != Resource::kAny && resource != acl.resource) return false;
  if (principal && *principal != acl.principal) return false;
  if (host && *host != acl.host) return false;
  if (operation != Operation::kAny && operation != acl.operation) return false;
  if (permission != Permission::kAny && permission != acl.permission) return false;
  const bool exact = pattern == Pattern::kLiteral || pattern == Pattern::kPrefixed;
  if (exact && pattern != acl.pattern) return false;
  if (!name) return true;
  if (pattern != Pattern::kMatch) return *name == acl.name;
  if (acl.pattern == Pattern::kLiteral) return *name == acl.name || acl.name == kEvery;
  return name->starts_with(acl.name);
}

bool Acls::add(const Acl& acl) {
  if (!all_.insert(acl).second) return false;
  auto& of_type = by_type_[acl.resource];
  (acl.pattern == Pattern::kPrefixed ? of_type.prefixed : of_type.literal)[acl.name].push_back(acl);
  return true;
}

bool Acls::remove(const Acl& acl) {
  if (all_.erase(acl) == 0) return false;
  auto& of_type = by_type_[acl.resource];
  auto& rules = acl.pattern == Pattern::kPrefixed ? of_type.prefixed : of_type.literal;
  const auto found = rules.find(acl.name);
  std::erase(found->second, acl);
  if (found->second.empty()) rules.erase(found);
  return true;
}

void Acls::judge(const ByName& rules, std::string_view name, const Action& action,
                 Verdict& verdict) {
  const auto found = rules.find(name);
  if (found == rules.end()) return;
  verdict.any = true;
  for (const auto& acl : found->second) {
    if (!holds(acl, action)) continue;
    (acl.permission == Permission::kDeny ? verdict.denied : verdict.allowed) = true;
  }
}

bool Acls::allows(const Action& action) const {
  const auto found = by_type_.find(action.resource);
  if (found == by_type_.end()) return everyone_else_;
  Verdict verdict;
  judge(found->second.literal, action.name, action, verdict);
  if (action.name != kEvery) judge(found->second.literal, kEvery, action, verdict);
  if (!found->second.prefixed.empty()) {
    for (std::size_t size = 0; size <= action.name.size(); ++size) {
      judge(found->second.prefixed, action.name.substr(0, size), action, verdict);
    }
  }
  if (verdict.denied) return false;
  return verdict.allowed || (!verdict.any && everyone_else_);
}

bool Acls::some_prefix(const std::set<std::string, std::less<>>& prefixes, std::string_view name) {
  for (std::size_t size = 1; size <= name.size(); ++size) {
    if (prefixes.contains(name.substr(0, size))) return true;
  }
  return false;
}

bool Acls::allows_on_some(const Action& action) const {
  std::set<std::string, std::less<>> denied_names;
  std::set<std::string, std::less<>> denied_prefixes;
  std::vector<const Acl*> allowing;
  const auto found = by_type_.find(action.resource);
  if (found == by_type_.end()) return everyone_else_;
  for (const auto& acl : all_) {
    if (acl.resource != action.resource || !holds(acl, action)) continue;
    // Kafka implies no operation here.
    if (acl.operation != Operation::kAll && acl.operation != action.operation) continue;
    const bool every = acl.pattern == Pattern::kLiteral && acl.name == kEvery;
    if (acl.permission == Permission::kAllow) {
      allowing.push_back(&acl);
    } else if (every) {
      return false;
    } else {
      (acl.pattern == Pattern::kLiteral ? denied_names : denied_prefixes).insert(acl.name);
    }
  }
  if (std::ranges::any_of(allowing, [&](const Acl* acl) {
        if (acl->pattern == Pattern::kLiteral && acl->name == kEvery) return true;
        if (acl->pattern == Pattern::kLiteral && denied_names.contains(acl->name)) return false;
        return !some_prefix(denied_prefixes, acl->name);
      })) {
    return true;
  }
  // A resource that no rule names.
  Action other = action;
  other.name = "hardcode";
  return allows(other);
}

}  // namespace tailrace::auth
