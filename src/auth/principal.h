// Who a client is, and how a certificate's subject becomes a name (KIP-371):
//
//   ssl.principal.mapping.rules=RULE:PATTERN/REPLACEMENT/[L|U], …, DEFAULT
//
// The first rule whose pattern matches the whole subject gives the name; DEFAULT the subject
// itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace tailrace::auth {

struct Principal {
  std::string type = "User";
  std::string name = "ANONYMOUS";

  bool operator==(const Principal&) const = default;
  auto operator<=>(const Principal&) const = default;
  /// "User:alice"
  std::string text() const { return type + ":" + name; }
};

/// kInvalidArgument for what is not TYPE:NAME.
Result<Principal> parse_principal(std::string_view text);

class PrincipalRules {
 public:
  PrincipalRules();
  ~PrincipalRules();
  PrincipalRules(PrincipalRules&&) noexcept;
  PrincipalRules& operator=(PrincipalRules&&) noexcept;

  /// kInvalidArgument names the rule that cannot be read.
  static Result<PrincipalRules> parse(std::string_view text);
  /// kNotFound when no rule matches.
  Result<std::string> name_of(const std::string& subject) const;

 private:
  struct Rule;
  std::vector<Rule> rules_;
};

}  // namespace tailrace::auth
