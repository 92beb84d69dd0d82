// Terms: the values of a statement, checked once when it is prepared, made when it runs.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_schema/schema.h"
#include "cql_syntax/expression.h"
#include "cql_types/failure.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_terms {

using cql_protocol::ColumnSpec;
using cql_protocol::Value;
using cql_types::Outcome;
using cql_types::TypePtr;

/// What is known while a statement is prepared.
struct Scope {
  cql_schema::SchemaPtr schema;
  std::string keyspace;  // of the statement's table, or of USE
  /// What each marker stands for, in the order of Statement::markers; terms fill it. Names come
  /// from the marker, or else from what receives it.
  std::vector<ColumnSpec>* markers = nullptr;
  const std::vector<std::string>* marker_names = nullptr;
  std::int64_t now_ms = 0;  // what the constant 'now' of a timestamp means
  bool unmask = true;       // false: columns MASKED WITH a function are selected through it
};

/// What is known while it runs.
struct Bindings {
  std::span<const Value> values;  // by marker
  std::int64_t now_us = 0;
  cql_types::TimeuuidSource* timeuuids = nullptr;
  std::function<std::uint64_t()> random = {};  // for uuid()
  /// What terms make lives here; views in Values point into it. A list: most statements make
  /// nothing, and an empty one allocates nothing.
  mutable std::list<std::string> made = {};
};

/// A value for a receiver of known type: a constant, a marker, a collection of terms, a call …
class Term {
 public:
  virtual ~Term() = default;
  /// Checked against the receiver's type: what it gives is valid there, null or unset.
  virtual Outcome<Value> bind(const Bindings& bindings) const = 0;
  /// The marker it is, or -1: who binds many rows may take the value without a call (and
  /// validates). Also -1 of markers whose types have sets or maps within, for `bind` brings their
  /// elements in order; Expression::marker tells the index of any.
  virtual int marker() const { return -1; }
  virtual bool is_null_literal() const { return false; }
};
using TermPtr = std::shared_ptr<const Term>;

/// Cassandra's rules of what may be assigned to `receiver`, and its sentences.
Outcome<TermPtr> prepare(const cql_syntax::Expression& expression, const ColumnSpec& receiver,
                         const Scope& scope);

/// Checks a bound value against its receiver, as Cassandra does of markers: bytes are a value of
/// the type. Null and unset are for who binds to judge.
Outcome<void> check(const ColumnSpec& receiver, const Value& value);

}  // namespace tailrace::cql_terms
