// What rules decide, in the words of Kafka's documentation; acl_decisions_test.cc compares with
// what Kafka's own authorizer decides.
#include "auth/acl.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "auth/authorizer.h"

namespace tailrace::auth {
namespace {

Acl rule(Permission permission, Operation operation, std::string name,
         Pattern pattern = Pattern::kLiteral, std::string principal = "User:alice",
         std::string host = "*") {
  return {Resource::kTopic, pattern,   std::move(name), std::move(principal),
          std::move(host),  operation, permission};
}

Action action(Operation operation, std::string_view name, std::string_view principal = "User:alice",
              std::string_view host = "127.0.0.1") {
  return {principal, host, operation, Resource::kTopic, name};
}

TEST(Acls, without_a_rule_nothing_is_allowed_unless_everyone_else_is) {
  EXPECT_FALSE(Acls(false).allows(action(Operation::kRead, "a")));
  Acls open(true);
  EXPECT_TRUE(open.allows(action(Operation::kRead, "a")));
  open.add(rule(Permission::kAllow, Operation::kRead, "a", Pattern::kLiteral, "User:bob"));
  EXPECT_FALSE(open.allows(action(Operation::kRead, "a")));
  EXPECT_TRUE(open.allows(action(Operation::kRead, "b")));
}

TEST(Acls, a_denying_rule_wins) {
  Acls acls;
  acls.add(rule(Permission::kAllow, Operation::kAll, "*", Pattern::kLiteral, "User:*"));
  EXPECT_TRUE(acls.allows(action(Operation::kWrite, "secret-1")));
  acls.add(rule(Permission::kDeny, Operation::kWrite, "secret-", Pattern::kPrefixed));
  EXPECT_FALSE(acls.allows(action(Operation::kWrite, "secret-1")));
  EXPECT_TRUE(acls.allows(action(Operation::kRead, "secret-1")));
  EXPECT_TRUE(acls.allows(action(Operation::kWrite, "secret-1", "User:bob")));
  EXPECT_TRUE(acls.allows(action(Operation::kWrite, "secret")));
}

TEST(Acls, to_read_is_to_describe_but_not_to_be_denied_it) {
  Acls acls;
  acls.add(rule(Permission::kAllow, Operation::kRead, "a"));
  EXPECT_TRUE(acls.allows(action(Operation::kDescribe, "a")));
  EXPECT_FALSE(acls.allows(action(Operation::kDescribeConfigs, "a")));
  acls.add(rule(Permission::kDeny, Operation::kWrite, "a"));
  EXPECT_TRUE(acls.allows(action(Operation::kDescribe, "a")));
  acls.add(rule(Permission::kAllow, Operation::kAlterConfigs, "a"));
  EXPECT_TRUE(acls.allows(action(Operation::kDescribeConfigs, "a")));
}

TEST(Acls, a_rule_of_an_address_holds_there_only) {
  Acls acls;
  acls.add(
      rule(Permission::kAllow, Operation::kRead, "a", Pattern::kLiteral, "User:*", "10.0.0.1"));
  EXPECT_FALSE(acls.allows(action(Operation::kRead, "a")));
  EXPECT_TRUE(acls.allows(action(Operation::kRead, "a", "User:bob", "10.0.0.1")));
}

TEST(Acls, some_resource_is_allowed_when_no_denial_covers_it) {
  Acls acls;
  EXPECT_FALSE(acls.allows_on_some(action(Operation::kWrite, "")));
  acls.add(rule(Permission::kAllow, Operation::kWrite, "orders"));
  EXPECT_TRUE(acls.allows_on_some(action(Operation::kWrite, "")));
  acls.add(rule(Permission::kDeny, Operation::kAll, "ord", Pattern::kPrefixed));
  EXPECT_FALSE(acls.allows_on_some(action(Operation::kWrite, "")));
  acls.add(rule(Permission::kAllow, Operation::kAll, "o", Pattern::kPrefixed));
  EXPECT_TRUE(acls.allows_on_some(action(Operation::kWrite, "")));
  acls.add(rule(Permission::kDeny, Operation::kWrite, "*"));
  EXPECT_FALSE(acls.allows_on_some(action(Operation::kWrite, "")));
}

TEST(AclFilter, a_match_finds_every_rule_that_holds_for_a_name) {
  const auto literal = rule(Permission::kAllow, Operation::kRead, "orders");
  const auto every = rule(Permission::kAllow, Operation::kRead, "*");
  const auto prefixed = rule(Permission::kAllow, Operation::kRead, "ord", Pattern::kPrefixed);
  AclFilter filter;
  filter.name = "orders";
  filter.pattern = Pattern::kMatch;
  for (const auto& acl : {literal, every, prefixed}) EXPECT_TRUE(filter.matches(acl)) << acl.name;
  filter.pattern = Pattern::kAny;
  EXPECT_TRUE(filter.matches(literal));
  EXPECT_FALSE(filter.matches(every));
  filter.name = "ord";
  filter.pattern = Pattern::kPrefixed;
  EXPECT_TRUE(filter.matches(prefixed));
  filter.principal = "User:bob";
  EXPECT_FALSE(filter.matches(prefixed));
}

TEST(Authorizer, rules_last_and_super_users_stand_above_them) {
  const auto path = std::filesystem::temp_directory_path() / ("acls_" + std::to_string(getpid()));
  std::filesystem::remove(path);
  const AuthorizerConfig config{{"User:root"}, false};
  const auto odd =
      rule(Permission::kAllow, Operation::kAll, "a b%", Pattern::kPrefixed, "User:CN=x y");
  {
    Authorizer authorizer(path, config);
    ASSERT_TRUE(authorizer.open());
    ASSERT_TRUE(authorizer.add({odd, rule(Permission::kDeny, Operation::kRead, "*")}));
  }
  Authorizer authorizer(path, config);
  ASSERT_TRUE(authorizer.open());
  EXPECT_TRUE(authorizer.allows(action(Operation::kRead, "x", "User:root"), "test"));
  EXPECT_FALSE(authorizer.allows(action(Operation::kRead, "x"), "test"));
  EXPECT_TRUE(authorizer.allows(action(Operation::kRead, "a b%c", "User:CN=x y"), "test"));
  const auto removed = authorizer.remove({AclFilter{}, AclFilter{}});
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->at(0).size(), 2u);
  Authorizer again(path, config);
  ASSERT_TRUE(again.open());
  EXPECT_TRUE(again.matching({}).empty());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tailrace::auth
