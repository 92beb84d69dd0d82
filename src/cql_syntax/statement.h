// CQL text → a statement and back: the grammar of Cassandra 5.0.9, without its meaning.
//
// What is refused here is what Cassandra's parser refuses, in its words and at its place: "line 1:9
// no viable alternative at input 'b' (SELECT [a] b...)". What a statement means (whether a table is
// there, whether types fit) is for others. No function here throws or keeps state; any thread may
// call them.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "cql_syntax/access_statements.h"

namespace tailrace::cql_syntax {

struct Statement {
  std::variant<Select, Insert, Update, Delete, Batch, Truncate, Use, CreateKeyspace, AlterKeyspace,
               CreateTable, AlterTable, CreateType, AlterType, CreateIndex, CreateView, AlterView,
               CreateTrigger, DropTrigger, CreateFunction, CreateAggregate, Drop, RoleStatement,
               PermissionStatement, RoleGrant, ListStatement, IdentityStatement, Describe>
      body;
  std::vector<std::string> markers;  // the names of the bind markers in their order; empty for `?`
};

struct Limits {
  std::size_t bytes = 16 << 20;  // of the text
  std::size_t depth =
      200;  // of terms, types and relations in each other, and of operators in a row
  std::size_t terms = 1'000'000;  // terms, selectors and types of a statement
};

/// One statement, with any number of `;` after it. kInvalidArgument: a syntax error, `what` is
/// Cassandra's sentence. kResourceExhausted: beyond a limit.
Result<Statement> parse(std::string_view text, const Limits& limits = {});

/// Canonical text on one line, without `;`: keywords in capitals, names quoted only where they must
/// be. Parsing it gives an equal statement.
std::string print(const Statement& statement);
std::string print(const Expression& expression);
std::string print(const Type& type);
std::string print(const Select& select);
/// Of a WHERE clause, without the word.
std::string print(const std::vector<Relation>& where);

/// A name as it must be written: quoted unless it is an identifier in small letters and no keyword
/// that means something else.
std::string print_name(std::string_view name);

}  // namespace tailrace::cql_syntax
