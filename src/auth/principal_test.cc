// Names from certificates and from login configurations: the examples of Kafka's documentation and
// of KIP-371, and what is refused.
#include "auth/principal.h"

#include <gtest/gtest.h>

#include "auth/jaas.h"

namespace tailrace::auth {
namespace {

std::string named(const std::string& rules, const std::string& subject) {
  const auto parsed = PrincipalRules::parse(rules);
  if (!parsed) return parsed.error().what;
  return parsed->name_of(subject).value_or("none");
}

TEST(PrincipalRules, the_documentations_rules_name_its_subjects) {
  const std::string rules =
      "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,"
      "RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,"
      "RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,"
      "DEFAULT";
  EXPECT_EQ(named(rules, "CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown"),
            "serviceuser");
  EXPECT_EQ(named(rules, "CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown"),
            "adminuser@admin");
  EXPECT_EQ(named(rules, "OU=x,cn=Duke"), "duke");
  EXPECT_EQ(named(rules, "OU=nobody"), "OU=nobody");
}

TEST(PrincipalRules, without_rules_the_subject_is_the_name) {
  EXPECT_EQ(named("DEFAULT", "CN=a,O=b"), "CN=a,O=b");
  EXPECT_EQ(named("", "CN=a"), "CN=a");
}

TEST(PrincipalRules, letters_are_changed_and_patterns_match_the_whole_subject) {
  EXPECT_EQ(named("RULE:^CN=(\\w+)$/$1/U", "CN=duke"), "DUKE");
  EXPECT_EQ(named("RULE:CN=(\\w+)/$1/", "CN=duke,O=x"), "none");
  EXPECT_EQ(named("RULE:^CN=(.*)\\/(.*)$/$1-$2/", "CN=a/b"), "a-b");
}

TEST(PrincipalRules, what_is_no_rule_is_named) {
  for (const auto* rules :
       {"RULE:", "RULE:a", "RULE:a/b", "OTHER", "RULE:(/x/", "RULE:a/b/X", "RULE:a/$1/"}) {
    const auto parsed = PrincipalRules::parse(rules);
    ASSERT_FALSE(parsed) << rules;
    EXPECT_NE(parsed.error().what.find(rules), std::string::npos) << parsed.error().what;
  }
}

TEST(Principal, a_principal_is_type_and_name) {
  EXPECT_EQ(parse_principal("User:a:b")->name, "a:b");
  EXPECT_EQ(parse_principal("User:*")->text(), "User:*");
  for (const auto* text : {"", "User", "User:", ":a"}) EXPECT_FALSE(parse_principal(text)) << text;
}

TEST(Jaas, options_are_read_as_java_writes_them) {
  const auto module = parse_jaas(
      "org.apache.kafka.common.security.plain.PlainLoginModule required\n username=\"admin\" "
      "password='s3;c\"ret' user_admin=\"a\\\"b\" user_bob=plain;");
  ASSERT_TRUE(module) << module.error().what;
  EXPECT_EQ(module->module, "org.apache.kafka.common.security.plain.PlainLoginModule");
  EXPECT_EQ(module->options.at("username"), "admin");
  EXPECT_EQ(module->options.at("password"), "s3;c\"ret");
  EXPECT_EQ(module->options.at("user_admin"), "a\"b");
  EXPECT_EQ(module->options.at("user_bob"), "plain");
  EXPECT_TRUE(parse_jaas("Module required;"));
}

TEST(Jaas, what_cannot_be_read_is_refused_without_telling_a_value) {
  for (const auto* text : {"", "Module", "Module must a=b;", "Module required a=hidden",
                           "Module required a hidden;"}) {
    const auto module = parse_jaas(text);
    ASSERT_FALSE(module) << text;
    EXPECT_EQ(module.error().what.find("hidden"), std::string::npos) << module.error().what;
  }
}

}  // namespace
}  // namespace tailrace::auth
