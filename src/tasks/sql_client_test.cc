// Statements cut at their semicolons, parameters put into their places.
#include "tasks/sql_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::tasks {
namespace {

using jinja::Dict;
using jinja::List;
using jinja::Value;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(SqlClient, statements_end_at_semicolons_that_are_neither_quoted_nor_comments) {
  EXPECT_THAT(split_statements("SELECT ';', \"a;b\" -- no; \n; /* ; */ SELECT 2;;\n"),
              ElementsAre("SELECT ';', \"a;b\"  \n;", "SELECT 2;"));
  EXPECT_THAT(split_statements("CREATE FUNCTION f() AS $body$ a; $$b;$$ $body$; SELECT $1"),
              ElementsAre("CREATE FUNCTION f() AS $body$ a; $$b;$$ $body$;", "SELECT $1"));
  EXPECT_TRUE(split_statements(" ; -- nothing").empty());
}

TEST(SqlClient, parameters_become_literals_that_cannot_be_left) {
  const Value list(List{Value("it's; --"), Value(3), Value(), Value(true), Value(1.5)});
  EXPECT_EQ(*interpolated("SELECT %s, %s, %s, %s, %s, '100%%'", list, false),
            "SELECT 'it''s; --', 3, NULL, true, 1.5, '100%'");
  EXPECT_EQ(*interpolated("SELECT %s", Value(List{Value("a'b\\")}), true), "SELECT 'a\\'b\\\\'");
  Dict named;
  named.set("n", Value("x"));
  EXPECT_EQ(*interpolated("%(n)s%(n)s", Value(named), false), "'x''x'");
}

TEST(SqlClient, placeholders_and_parameters_that_do_not_fit_are_said) {
  const Value one(List{Value(1)});
  EXPECT_THAT(interpolated("%s %s", one, false).error().what, HasSubstr("more placeholders"));
  EXPECT_THAT(interpolated("x", one, false).error().what, HasSubstr("0 placeholders but 1"));
  EXPECT_THAT(interpolated("%d", one, false).error().what, HasSubstr("only '%s'"));
  EXPECT_THAT(interpolated("%(m)s", Value(Dict()), false).error().what, HasSubstr("missing: m"));
}

}  // namespace
}  // namespace tailrace::tasks
