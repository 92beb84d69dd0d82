// How requests of modifications run: batches checked and measured, then a mutation committed, or
// decided on the store's thread where something is read first.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cql_query/conditional_request.h"
#include "cql_query/prepared_modification.h"
#include "cql_query/view.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::Answer;
using cql_protocol::Consistency;
using cql_types::invalid;
using BatchKind = cql_protocol::Batch::Kind;

// Cassandra's defaults: batch_size_warn_threshold, batch_size_fail_threshold,
// unlogged_batch_across_partitions_warn_threshold, and half a segment of its commit log.
constexpr std::size_t kBatchWarn = 5 << 10, kBatchFail = 50 << 10, kUnloggedKeys = 10;
constexpr std::size_t kMaxMutation = 16 << 20;

bool is_serial(Consistency consistency) {
  return consistency == Consistency::kSerial || consistency == Consistency::kLocalSerial;
}

std::string_view name_of(Consistency serial) {
  return serial == Consistency::kSerial ? "SERIAL" : "LOCAL_SERIAL";
}

Outcome<void> check_consistency(const PreparedModification& statement, Consistency consistency) {
  if (!statement.table()->counter) {
    if (!is_serial(consistency)) return {};
    return invalid("You must use conditional updates for serializable writes");
  }
  if (consistency == Consistency::kAny) {
    return invalid("Consistency level ANY is not yet supported for counter table " +
                   statement.table()->name);
  }
  if (is_serial(consistency)) {
    return invalid("Counter operations are inherently non-serializable");
  }
  return {};
}

Outcome<void> check_conditional_consistency(const Moment& moment) {
  if (moment.serial_consistency && !is_serial(*moment.serial_consistency)) {
    return invalid(
        "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL");
  }
  if (!is_serial(moment.consistency)) return {};
  return invalid(fmt::format(
      "{} is not supported as conditional update commit consistency. Use ANY if you mean \"make "
      "sure it is accepted but I don't care how many replicas commit it for non-SERIAL reads\"",
      name_of(moment.consistency)));
}

// A request of modifications on its way to the store.
class Request {
 public:
  using Done = std::move_only_function<void(Outcome<Answer>)>;

  Request(std::vector<BoundModification> statements, std::optional<BatchOptions> batch,
          const Moment& moment, Done done)
      : statements_(std::move(statements)), batch_(batch), moment_(moment), done_(std::move(done)) {
    if (batch_ && batch_->timestamp_us) moment_.timestamp_us = *batch_->timestamp_us;
  }

  static void run(std::shared_ptr<Request> self, cql_store::Store& store) {
    if (auto checked = self->check(); !checked) return self->refuse(std::move(checked.error()));
    if (any(self->statements_, &Modification::has_conditions)) {
      run_conditional(std::move(self), store);
    } else if (any(self->statements_, &Modification::reads) || self->has_views()) {
      run_with_reads(std::move(self), store);
    } else {
      run_plain(std::move(self), store);
    }
  }

 private:
  static bool any(const std::vector<BoundModification>& statements,
                  bool (Modification::*is)() const) {
    return std::ranges::any_of(statements,
                               [is](const auto& one) { return ((*one.statement).*is)(); });
  }

  bool has_views() const {
    return std::ranges::any_of(statements_,
                               [](const auto& one) { return !one.statement->views().empty(); });
  }
  /// Of all tables, each once.
  std::vector<ViewPtr> views() const {
    std::vector<ViewPtr> all;
    for (const auto& one : statements_)
      for (const auto& view : one.statement->views())
        if (std::ranges::none_of(all, [&](const ViewPtr& other) {
              return other->table()->number == view->table()->number;
            }))
          all.push_back(view);
    return all;
  }

  void refuse(cql_types::Failure failure) { done_(std::unexpected(std::move(failure))); }
  void finish() { done_(Answer{.result = cql_protocol::Void{}, .warnings = std::move(warnings_)}); }

  Outcome<void> check() const {
    if (!batch_) {
      const auto& statement = prepared(*statements_[0].statement);
      if (statement.has_conditions()) return {};  // checked when the request is made
      TRY(check_consistency(statement, moment_.consistency));
      if (statement.reads() && moment_.consistency == Consistency::kAny) {
        return invalid(
            "Write operation require a read but consistency ANY is not supported on reads");
      }
      return {};
    }
    std::vector<ModificationPtr> parts;
    for (const auto& one : statements_) parts.push_back(one.statement);
    return check_batch(batch_->kind, batch_->timestamp_us.has_value(), parts);
  }

  // Adds all statements' changes to `mutation`.
  Outcome<void> write(const cql_store::Snapshot* snapshot, cql_store::Mutation& mutation) {
    BatchSize size;
    for (const auto& [statement, bindings] : statements_) {
      const auto& made = prepared(*statement);
      ASSIGN(const auto bound, made.bind(*bindings));
      TRY(made.write(bound, moment_, snapshot, mutation, batch_ ? &size : nullptr));
    }
    if (batch_) TRY(judge(size));
    if (mutation.size_bytes() > kMaxMutation) {
      return invalid(fmt::format("Rejected an oversized mutation ({}/{}) for keyspace: {}",
                                 mutation.size_bytes(), kMaxMutation,
                                 statements_[0].statement->table()->keyspace));
    }
    return {};
  }

  Outcome<void> judge(const BatchSize& size) {
    if (batch_->kind == BatchKind::kLogged) warn_of_grace();
    if (size.mutations() <= 1) return {};
    if (const std::size_t bytes = size.bytes(); bytes > kBatchWarn) {
      if (bytes > kBatchFail) return invalid("Batch too large");
      warnings_.push_back(
          fmt::format("Batch for {} is of size {}, exceeding specified threshold of {} by {}.",
                      size.tables(), bytes, kBatchWarn, bytes - kBatchWarn));
    }
    if (batch_->kind != BatchKind::kLogged && size.keys() > kUnloggedKeys) {
      const std::string tables = size.tables();
      warnings_.push_back(fmt::format(
          "Unlogged batch covering {} partitions detected against table{} {}. You should use a "
          "logged batch for atomicity, or asynchronous writes for performance.",
          size.keys(), tables.contains(',') ? "s" : "", tables));
    }
    return {};
  }

  void warn_of_grace() {
    std::vector<std::string> names;
    for (const auto& one : statements_) {
      const auto& table = *one.statement->table();
      if (table.options.gc_grace_seconds == 0) names.push_back(table_text(table));
    }
    if (names.empty()) return;
    const std::string tables = hash_set_text(std::move(names));
    warnings_.push_back(fmt::format(
        "Executing a LOGGED BATCH on table{} {}, configured with a gc_grace_seconds of 0. The "
        "gc_grace_seconds is used to TTL batchlog entries, so setting gc_grace_seconds too low on "
        "tables involved in an atomic batch might cause batchlog entries to expire before being "
        "replayed.",
        tables.contains(',') ? "s" : "", tables));
  }

  static void run_plain(std::shared_ptr<Request> self, cql_store::Store& store) {
    cql_store::Mutation mutation;
    if (auto written = self->write(nullptr, mutation); !written) {
      return self->refuse(std::move(written.error()));
    }
    if (mutation.empty()) return self->finish();
    store.commit(std::move(mutation), [self](Status status) {
      if (!status) return self->refuse(std::move(status.error()));
      self->finish();
    });
  }

  // `decide` adds to the mutation, or fails; then nothing is written.
  static void decide(
      std::shared_ptr<Request> self, cql_store::Store& store,
      std::move_only_function<Outcome<void>(const cql_store::Snapshot&, cql_store::Mutation&)>
          decide,
      std::move_only_function<void()> finish) {
    store.decide(
        [self, decide = std::move(decide)](
            const cql_store::Snapshot& snapshot) mutable -> Result<cql_store::Mutation> {
          cql_store::Mutation mutation;
          auto decided = decide(snapshot, mutation);
          if (decided && self->has_views())
            decided = update_views(self->views(), snapshot, mutation);
          if (decided) return mutation;
          self->failed_ = std::move(decided.error());
          return error(Code::kAborted, self->failed_->message);
        },
        [self, finish = std::move(finish)](Status status) mutable {
          if (self->failed_) return self->refuse(std::move(*self->failed_));
          if (!status) return self->refuse(std::move(status.error()));
          finish();
        });
  }

  static void run_with_reads(std::shared_ptr<Request> self, cql_store::Store& store) {
    decide(
        self, store,
        [self](const cql_store::Snapshot& snapshot, cql_store::Mutation& mutation) {
          return self->write(&snapshot, mutation);
        },
        [self] { self->finish(); });
  }

  static void run_conditional(std::shared_ptr<Request> self, cql_store::Store& store) {
    auto made =
        ConditionalRequest::make(self->statements_, self->batch_.has_value(), self->moment_);
    if (!made) return self->refuse(std::move(made.error()));
    if (auto checked = check_conditional_consistency(self->moment_); !checked) {
      return self->refuse(std::move(checked.error()));
    }
    const std::shared_ptr<ConditionalRequest> request = std::move(*made);
    decide(
        self, store,
        [request](const cql_store::Snapshot& snapshot, cql_store::Mutation& mutation) {
          return request->decide(snapshot, mutation);
        },
        [self, request] { self->done_(std::move(*request).answer()); });
  }

  const std::vector<BoundModification> statements_;
  const std::optional<BatchOptions> batch_;
  Moment moment_;
  Done done_;
  std::vector<std::string> warnings_;
  std::optional<cql_types::Failure> failed_;
};

}  // namespace

void run(cql_store::Store& store, std::vector<BoundModification> statements,
         std::optional<BatchOptions> batch, const Moment& moment, Request::Done done) {
  if (statements.empty()) return done(Answer{.result = cql_protocol::Void{}, .warnings = {}});
  Request::run(std::make_shared<Request>(std::move(statements), batch, moment, std::move(done)),
               store);
}

}  // namespace tailrace::cql_query
