// Rules of a schema about its records: which are asked when, and what a broken one does.
#include "subjects/record_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::subjects {
namespace {

using schema::cel::Record;
using schema::cel::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using When = RecordRules::When;

Type user_type() {
  return arrow::struct_(
      {arrow::field("email", arrow::utf8()), arrow::field("age", arrow::int32())});
}

Value user(const std::string& email, std::int64_t age) {
  return Value::record({{{"email", Value(email)}, {"age", Value(age)}}});
}

Rule condition(const std::string& name, const std::string& expr, const std::string& type = "CEL") {
  return {.name = name, .kind = "CONDITION", .type = type, .expr = expr};
}

std::string broken(Rule rule, const Value& message, When when = When::kWrite) {
  auto rules = RecordRules::make(RuleSet{.domain = {std::move(rule)}}, when, user_type());
  if (!rules.kept().empty()) return rules.kept()[0];
  return rules.broken(message).value_or("");
}

TEST(record_rules, a_false_condition_is_broken_and_names_the_rule) {
  EXPECT_EQ(broken(condition("adult", "message.age >= 18"), user("a", 18)), "");
  EXPECT_EQ(broken(condition("adult", "message.age >= 18"), user("a", 7)),
            "rule adult: message.age >= 18 is false");
}

TEST(record_rules, an_error_breaks_a_rule) {
  EXPECT_THAT(broken(condition("r", "10 / message.age > 1"), user("a", 0)),
              HasSubstr("cannot be evaluated: 1:4: divide by zero"));
}

TEST(record_rules, a_guard_that_is_not_true_skips_the_rule) {
  const auto rule = condition("r", "message.age > 5 ; message.email.isEmail()");
  EXPECT_EQ(broken(rule, user("nothing", 3)), "");
  EXPECT_NE(broken(rule, user("nothing", 7)), "");
  EXPECT_EQ(broken(condition("r", "1 / message.age > 0 ; false"), user("x", 0)), "");
  EXPECT_NE(broken(condition("r", " ; message.age > 5"), user("x", 0)), "");
}

TEST(record_rules, a_rule_is_asked_in_its_mode) {
  auto rule = condition("r", "false");
  rule.mode = "READ";
  EXPECT_EQ(broken(rule, user("a", 1), When::kWrite), "");
  EXPECT_NE(broken(rule, user("a", 1), When::kRead), "");
  rule.mode = "WRITEREAD";
  EXPECT_NE(broken(rule, user("a", 1), When::kWrite), "");
  rule.disabled = true;
  EXPECT_EQ(broken(rule, user("a", 1), When::kWrite), "");
}

TEST(record_rules, on_failure_none_lets_pass_when_it_says) {
  auto rule = condition("r", "false");
  rule.on_failure = "NONE";
  EXPECT_EQ(broken(rule, user("a", 1)), "");
  rule.on_failure = "DLQ,NONE";
  EXPECT_NE(broken(rule, user("a", 1), When::kWrite), "");
  EXPECT_EQ(broken(rule, user("a", 1), When::kRead), "");
}

TEST(record_rules, on_reading_the_last_rule_is_asked_first) {
  const RuleSet rules{.domain = {condition("a", "false"), condition("b", "false")}};
  auto written = RecordRules::make(rules, When::kWrite, user_type());
  auto read = RecordRules::make(rules, When::kRead, user_type());
  EXPECT_THAT(*written.broken(user("x", 1)), HasSubstr("rule a:"));
  EXPECT_THAT(*read.broken(user("x", 1)), HasSubstr("rule b:"));
}

TEST(record_rules, a_field_rule_is_asked_of_each_field) {
  const auto rule = condition("r", "typeName == 'STRING' ; value != ''", "CEL_FIELD");
  EXPECT_EQ(broken(rule, user("a", 1)), "");
  EXPECT_EQ(broken(rule, user("", 1)),
            "rule r: typeName == 'STRING' ; value != '' is false for the field email");
  EXPECT_NE(broken(condition("r", "name == 'age' ; value > 5", "CEL_FIELD"), user("a", 1)), "");
}

TEST(record_rules, what_cannot_be_evaluated_is_kept_and_said) {
  auto transform = condition("t", "message");
  transform.kind = "TRANSFORM";
  auto tagged = condition("p", "value != ''", "CEL_FIELD");
  tagged.tags = {"PII"};
  const RuleSet rules{.domain = {transform, condition("j", "$", "JSONATA"), tagged,
                                 condition("f", "message.nothing == 1")}};
  auto made = RecordRules::make(rules, When::kWrite, user_type());
  EXPECT_TRUE(made.empty());
  EXPECT_THAT(made.kept(),
              ElementsAre("rule t is kept and not evaluated: its kind is TRANSFORM",
                          "rule j is kept and not evaluated: its type is JSONATA",
                          "rule p is kept and not evaluated: fields' tags are not known here",
                          HasSubstr("rule f is kept and not evaluated: 1:9: there is no field")));
}

TEST(record_rules, a_record_without_a_value_has_nothing_to_keep) {
  EXPECT_EQ(broken(condition("r", "false"), Value()), "");
}

}  // namespace
}  // namespace tailrace::subjects
