// A term as it is written: what it may be assigned to, its text in sentences, and its preparation
// for a receiver.
#pragma once

#include "cql_syntax/expression.h"
#include "cql_terms/function.h"
#include "cql_terms/operand.h"
#include "cql_terms/prepared.h"

namespace tailrace::cql_terms {

using cql_syntax::Expression;

/// A view of a tree, of which both must stay.
class RawTerm : public Operand {
 public:
  RawTerm(const Expression& expression, const Scope& scope)
      : expression_(&expression), scope_(&scope) {}

  Outcome<Match> test(const ColumnSpec& receiver) const override;
  Outcome<TypePtr> compatible_type() const override;
  std::string text() const override;
  bool is_marker() const override { return expression_->kind == Expression::Kind::kMarker; }
  /// Null where only a receiver can tell.
  Outcome<TypePtr> exact_type() const;
  Outcome<PreparedPtr> prepare(const ColumnSpec& receiver) const;

 private:
  RawTerm item(std::size_t i) const { return {expression_->items[i], *scope_}; }
  std::vector<RawTerm> items() const;
  Outcome<TypePtr> call_type() const;
  Outcome<FunctionPtr> called(const ColumnSpec& of) const;
  Outcome<Match> test_call(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> constant(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> marker(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> collection(const ColumnSpec& receiver, std::string_view word) const;
  Outcome<PreparedPtr> map(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> vector(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> tuple(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> user_type(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> call(const ColumnSpec& receiver) const;
  Outcome<PreparedPtr> hinted(const ColumnSpec& receiver) const;

  const Expression* expression_;
  const Scope* scope_;
};

/// Constants, which selectors have too.
bool is_constant(Expression::Kind kind);

/// What is called by a kCall, kCast, kNegation or kOperation. kInvalid for a CAST to an unknown
/// type.
Outcome<Called> called_by(const Expression& expression, const Scope& scope);

// Assignments of literals, whose parts are terms or selectors alike.
using Operands = Factory::Operands;
Outcome<Match> test_all(Operands operands, const ColumnSpec& receiver);
Outcome<Match> test_list(Operands elements, const ColumnSpec& receiver);
Outcome<Match> test_set(Operands elements, const ColumnSpec& receiver);
Outcome<Match> test_vector(Operands elements, const ColumnSpec& receiver);
/// `parts` are keys and values in turn.
Outcome<Match> test_map(Operands parts, const ColumnSpec& receiver);
Outcome<Match> test_tuple(Operands components, const ColumnSpec& receiver);
Outcome<void> check_tuple(Operands components, const ColumnSpec& receiver);
bool is_tuple(const Type& type);

// Texts of literals from those of their parts.
std::string list_text(const std::vector<std::string>& parts, char open, char close);
/// "{a: b, c: d}" of parts in turn.
std::string pairs_text(const std::vector<std::string>& parts);

/// A compatible type of elements, or null: the first that takes all.
Outcome<TypePtr> common_type_of(Operands elements);

template <typename Operand>
std::vector<const cql_terms::Operand*> pointers(const std::vector<Operand>& operands) {
  std::vector<const cql_terms::Operand*> out;
  for (const auto& operand : operands) out.push_back(&operand);
  return out;
}

}  // namespace tailrace::cql_terms
