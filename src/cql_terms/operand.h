// What may be passed to a function or stand in a literal, before its type is fixed: a term of a
// statement, a selector, or a type alone.
#pragma once

#include <optional>
#include <string>

#include "cql_terms/assignable.h"
#include "cql_terms/term.h"

namespace tailrace::cql_terms {

class Operand {
 public:
  virtual ~Operand() = default;
  virtual Outcome<Match> test(const ColumnSpec& receiver) const = 0;
  /// A type it may have, or null: an exact one, or what constants prefer.
  virtual Outcome<TypePtr> compatible_type() const = 0;
  /// As Cassandra's sentences show it.
  virtual std::string text() const = 0;
  virtual bool is_marker() const { return false; }
  /// Of a selector's list literal how many elements.
  virtual std::optional<std::size_t> list_size() const { return std::nullopt; }
};

/// An operand of which the type alone is known.
class TypeOperand : public Operand {
 public:
  explicit TypeOperand(TypePtr type) : type_(std::move(type)) {}
  Outcome<Match> test(const ColumnSpec& receiver) const override {
    return match_types(type_, receiver.type);
  }
  Outcome<TypePtr> compatible_type() const override { return type_; }
  std::string text() const override { return to_cql(*type_); }

 private:
  TypePtr type_;
};

/// The type a statement names, in the statement's keyspace. kInvalid for an unknown one.
Outcome<TypePtr> named_type(const cql_syntax::Type& type, const Scope& scope);
/// As sentences show it.
std::string type_text(const cql_syntax::Type& type, const Scope& scope);

/// A spec of the same keyspace and table.
inline ColumnSpec named(const ColumnSpec& like, std::string name, TypePtr type) {
  return {like.keyspace, like.table, std::move(name), std::move(type)};
}
/// What literals' parts are checked against: value(c), key(c), c[0], c.field.
ColumnSpec value_spec(const ColumnSpec& collection);
ColumnSpec key_spec(const ColumnSpec& map);
ColumnSpec component_spec(const ColumnSpec& tuple, std::size_t i);
ColumnSpec field_spec(const ColumnSpec& user_type, std::size_t i);

}  // namespace tailrace::cql_terms
