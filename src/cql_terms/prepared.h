// Prepared terms: what RawTerm makes of each kind.
#pragma once

#include <utility>

#include "cql_terms/function.h"
#include "cql_terms/term.h"

namespace tailrace::cql_terms {

class Prepared : public Term {
 public:
  /// Its value is the same whatever is bound.
  virtual bool is_terminal() const { return false; }
  /// As Cassandra has it: collections of terms say no.
  virtual bool contains_marker() const { return false; }
};
using PreparedPtr = std::shared_ptr<const Prepared>;

/// A value; nullopt is null.
PreparedPtr constant_term(Made value, bool null_literal = false);
PreparedPtr marker_term(int index, const ColumnSpec& receiver);

/// A list, set or map of its parts (keys and values in turn), a vector, a tuple or a user type.
/// Made at once where all parts are constants.
Outcome<PreparedPtr> composite_term(const ColumnSpec& receiver, std::vector<PreparedPtr> parts);

PreparedPtr call_term(FunctionPtr function, std::vector<PreparedPtr> arguments);

/// Bytes of parts, in order, equals once where the type wants it.
std::string pack(const Type& type, std::span<const Part> parts);

/// A value with the elements of its sets and maps in order, as Cassandra makes it of what is bound.
/// nullopt: it is already.
Made in_order(const Type& type, std::string_view bytes);
bool has_ordered_parts(const Type& type);

}  // namespace tailrace::cql_terms
