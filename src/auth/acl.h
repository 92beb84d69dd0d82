// Access rules of Kafka and what they decide (KIP-11, 290, 801): who may do what to which resource.
//
// A rule holds for one resource (literal), for all of a type (literal "*") or for those whose names
// begin with its own (prefixed); for one principal or "User:*"; from one address or "*"; for one
// operation or all. Of the rules that hold for an action a denying one wins, then an allowing one;
// without any it is denied, or where no rule at all names the resource, as `everyone_else` says.
// To be allowed to read, write, delete or alter is to be allowed to describe, and to alter configs
// to describe them; to be denied the former is not to be denied the latter.
//
// The numbers are those of Kafka's protocol. Pure: no locks, no disk (acl_store.h has both).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"

namespace tailrace::auth {

enum class Resource : std::int8_t {
  kAny = 1,
  kTopic = 2,
  kGroup = 3,
  kCluster = 4,
  kTransactionalId = 5,
  kDelegationToken = 6,
  kUser = 7,
};

enum class Operation : std::int8_t {
  kAny = 1,
  kAll = 2,
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kClusterAction = 9,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
  kCreateTokens = 13,
  kDescribeTokens = 14,
  kTwoPhaseCommit = 15,
};

enum class Pattern : std::int8_t { kAny = 1, kMatch = 2, kLiteral = 3, kPrefixed = 4 };
enum class Permission : std::int8_t { kAny = 1, kDeny = 2, kAllow = 3 };

/// The one resource of type kCluster.
inline constexpr std::string_view kClusterName = "kafka-cluster";

/// "Topic", "TransactionalId"; "Describe", "IdempotentWrite".
std::string_view resource_word(Resource resource);
std::string_view operation_word(Operation operation);

/// What can be done with a resource of the type.
std::vector<Operation> operations_on(Resource resource);

struct Acl {
  Resource resource = Resource::kTopic;
  Pattern pattern = Pattern::kLiteral;
  std::string name;
  std::string principal;  ///< "User:alice", "User:*"
  std::string host;       ///< an address or "*"
  Operation operation = Operation::kAll;
  Permission permission = Permission::kAllow;

  auto operator<=>(const Acl&) const = default;
};

/// Rules to describe or delete; what is nullopt or kAny is not asked about. kMatch means every rule
/// that holds for the resource of the name.
struct AclFilter {
  Resource resource = Resource::kAny;
  Pattern pattern = Pattern::kAny;
  std::optional<std::string> name;
  std::optional<std::string> principal;
  std::optional<std::string> host;
  Operation operation = Operation::kAny;
  Permission permission = Permission::kAny;

  bool matches(const Acl& acl) const;
};

struct Action {
  std::string_view principal;  ///< "User:alice"
  std::string_view host;
  Operation operation;
  Resource resource;
  std::string_view name;
};

class Acls {
 public:
  explicit Acls(bool everyone_else = false) : everyone_else_(everyone_else) {}

  /// False when it is there already, or is not there.
  bool add(const Acl& acl);
  bool remove(const Acl& acl);
  const std::set<Acl>& all() const { return all_; }

  bool allows(const Action& action) const;
  /// Whether the action is allowed on some resource of the type, whatever its name (KIP-679).
  bool allows_on_some(const Action& action) const;

 private:
  using ByName = std::map<std::string, std::vector<Acl>, std::less<>>;
  struct OfType {
    ByName literal;
    ByName prefixed;
  };
  struct Verdict {
    bool denied = false;
    bool allowed = false;
    bool any = false;  // some rule names the resource
  };
  static void judge(const ByName& rules, std::string_view name, const Action& action,
                    Verdict& verdict);
  static bool some_prefix(const std::set<std::string, std::less<>>& prefixes,
                          std::string_view name);

  bool everyone_else_;
  std::set<Acl> all_;
  std::map<Resource, OfType> by_type_;
};

}  // namespace tailrace::auth
