// The changes of a Mutation, one after the other, for who applies them.
//
// Rows are built while they are described and become one record each; a change is then a key and
// what happens to it.
#pragma once

#include <string_view>

#include "cql_store/store.h"

namespace tailrace::cql_store {

/// What a change does; kept in a mutation's bytes only.
enum class Op : char {
  kRow,        // folds a record into a row's
  kCounters,   // as kRow; the record has counters
  kDeletions,  // folds a record into the partition's deletions
  kDropTable,  // the key: the table's number
  kKeep,       // puts a kept value
  kForget,     // removes one
  kSetRow,     // puts a record in a row's place
  kForgetRow,  // removes a row's record
};

class MutationReader {
 public:
  /// Ends the row in hand.
  explicit MutationReader(Mutation& mutation);
  bool next();

  Op op() const { return op_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view rest_;
  Op op_{};
  std::string_view key_, value_;
};

}  // namespace tailrace::cql_store
