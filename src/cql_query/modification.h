// INSERT, UPDATE, DELETE and BATCH: prepared, then bound to a mutation of the store; with
// conditions (lightweight transactions) read, decided and answered with [applied].
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/restrictions.h"
#include "cql_schema/schema.h"
#include "cql_store/store.h"
#include "cql_syntax/statement.h"
#include "cql_terms/term.h"

namespace tailrace::cql_query {

class View;
using ViewPtr = std::shared_ptr<const View>;

/// When a statement runs, and with what.
struct Moment {
  std::int64_t timestamp_us = 0;  // of the request, or else the server's next
  std::int64_t now_seconds = 0;
  cql_protocol::Consistency consistency = cql_protocol::Consistency::kOne;
  std::optional<cql_protocol::Consistency> serial_consistency = {};
};

class Modification {
 public:
  /// The table is in `scope.schema`; refused (as Cassandra does) if it is a view, or virtual. What
  /// Cassandra checks of a whole BATCH before that (check_batch) is left to that: `in_batch`.
  static Outcome<std::shared_ptr<const Modification>> prepare(
      const std::variant<cql_syntax::Insert, cql_syntax::Update, cql_syntax::Delete>& statement,
      const cql_schema::TablePtr& table, const cql_terms::Scope& scope, bool in_batch);
  virtual ~Modification() = default;

  virtual const cql_schema::TablePtr& table() const = 0;
  virtual StatementKind kind() const = 0;
  virtual bool has_conditions() const = 0;
  virtual bool sets_timestamp() const = 0;
  /// Lists changed by index are read before they are written: such a statement runs in decide().
  virtual bool reads() const = 0;
  /// The views of its table; a statement that has some runs in decide() too.
  virtual const std::vector<ViewPtr>& views() const = 0;
  /// Adds to `mutation`. `snapshot` is for those that read; else it may be nullptr.
  virtual Outcome<void> apply(const Bindings& bindings, const Moment& moment,
                              const cql_store::Snapshot* snapshot,
                              cql_store::Mutation& mutation) const = 0;
};
using ModificationPtr = std::shared_ptr<const Modification>;

/// One statement of a batch, or the one there is, with what is bound to it.
struct BoundModification {
  ModificationPtr statement;
  const Bindings* bindings = nullptr;
};

/// What a batch is beside its statements.
struct BatchOptions {
  cql_protocol::Batch::Kind kind = cql_protocol::Batch::Kind::kLogged;
  std::optional<std::int64_t> timestamp_us = {};  // USING TIMESTAMP of the batch
};
/// The rules of a batch, and those of its statements that prepare() left.
Outcome<void> check_batch(cql_protocol::Batch::Kind kind, bool sets_timestamp,
                          std::span<const ModificationPtr> statements);

/// BEGIN … APPLY BATCH, whose statements share their markers, and one Bindings.
class PreparedBatch {
 public:
  /// `find` gives a statement's table, or refuses.
  using FindTable = std::function<Outcome<cql_schema::TablePtr>(const cql_syntax::QualifiedName&)>;
  static Outcome<std::shared_ptr<const PreparedBatch>> prepare(const cql_syntax::Batch& batch,
                                                               const cql_terms::Scope& scope,
                                                               const FindTable& find);
  virtual ~PreparedBatch() = default;

  virtual const std::vector<ModificationPtr>& statements() const = 0;
  /// What run() takes. kInvalid for a null timestamp.
  virtual Outcome<BatchOptions> bind(const Bindings& bindings, const Moment& moment) const = 0;
};

/// How a request of modifications runs: checks what Cassandra checks of batches (counters,
/// conditions on one partition, timestamps), then commits or decides, and answers Void, or rows
/// with [applied]. `batch` is nullopt for a single statement. `bindings` must stay until `done`.
void run(cql_store::Store& store, std::vector<BoundModification> statements,
         std::optional<BatchOptions> batch, const Moment& moment,
         std::move_only_function<void(Outcome<cql_protocol::Answer>)> done);

/// Whether a row that was read is there for the table: cells of columns that were dropped are not.
bool is_there(const cql_schema::Table& table, const cql_store::Row& row);

/// A column's value from the cells of a row, in the protocol's bytes (collections and user types
/// put together in their order; a counter's sum); nullopt: null. `buffer` keeps what is put
/// together.
cql_types::Part column_value(const cql_schema::Column& column, const cql_store::Row& row,
                             std::string& buffer);

}  // namespace tailrace::cql_query
