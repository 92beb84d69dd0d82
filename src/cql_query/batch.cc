// The rules of batches (Cassandra 5.0: BatchStatement).
#include <algorithm>

#include "cql_query/prepared_modification.h"

namespace tailrace::cql_query {

using cql_types::invalid;
using Kind = cql_protocol::Batch::Kind;

namespace {

// Which kinds of tables, and in what company.
Outcome<void> check_tables(Kind kind, bool sets_timestamp, bool conditional,
                           std::span<const ModificationPtr> statements) {
  const auto some = [&](auto is) {
    return std::ranges::any_of(statements, [is](const auto& one) { return is(*one->table()); });
  };
  const bool counters = some([](const auto& table) { return table.counter; });
  const bool others = some([](const auto& table) { return !table.counter; });
  const bool virtual_ones = some([](const auto& table) { return table.virtual_table; });
  const bool real_ones = some([](const auto& table) { return !table.virtual_table; });
  if (sets_timestamp && counters) {
    return invalid("Cannot provide custom timestamp for a BATCH containing counters");
  }
  if (kind == Kind::kCounter && others) {
    return invalid("Cannot include non-counter statement in a counter batch");
  }
  if (counters && others) {
    return invalid("Counter and non-counter mutations cannot exist in the same batch");
  }
  if (kind == Kind::kLogged && counters) {
    return invalid("Cannot include a counter statement in a logged batch");
  }
  if (kind == Kind::kLogged && virtual_ones) {
    return invalid("Cannot include a virtual table statement in a logged batch");
  }
  if (virtual_ones && real_ones) {
    return invalid("Mutations for virtual and regular tables cannot exist in the same batch");
  }
  if (conditional && virtual_ones) {
    return invalid("Conditional BATCH statements cannot include mutations for virtual tables");
  }
  if (!conditional) return {};
  const auto& first = *statements[0]->table();
  const bool several = some([&first](const auto& table) { return table.number != first.number; });
  if (several) return invalid("Batch with conditions cannot span multiple tables");
  return {};
}

class MadeBatch final : public PreparedBatch {
 public:
  MadeBatch(Kind kind, std::vector<ModificationPtr> statements, WriteOptions options)
      : kind_(kind), statements_(std::move(statements)), options_(std::move(options)) {}

  const std::vector<ModificationPtr>& statements() const override { return statements_; }

  Outcome<BatchOptions> bind(const Bindings& bindings, const Moment& moment) const override {
    BatchOptions bound{.kind = kind_};
    if (options_.sets_timestamp()) {
      ASSIGN(bound.timestamp_us, options_.timestamp(bindings, moment.timestamp_us));
    }
    return bound;
  }

 private:
  Kind kind_;
  std::vector<ModificationPtr> statements_;
  WriteOptions options_;
};

}  // namespace

Outcome<void> check_batch(Kind kind, bool sets_timestamp,
                          std::span<const ModificationPtr> statements) {
  const bool conditional =
      std::ranges::any_of(statements, [](const auto& one) { return one->has_conditions(); });
  if (sets_timestamp && conditional) {
    return invalid("Cannot provide custom timestamp for conditional BATCH");
  }
  if (sets_timestamp && kind == Kind::kCounter) {
    return invalid("Cannot provide custom timestamp for counter BATCH");
  }
  const bool twice = sets_timestamp && std::ranges::any_of(statements, [](const auto& one) {
                       return one->sets_timestamp();
                     });
  if (twice) {
    return invalid("Timestamp must be set either on BATCH or individual statements");
  }
  TRY(check_tables(kind, sets_timestamp, conditional, statements));
  for (const auto& statement : statements) TRY(prepared(*statement).check());
  return {};
}

Outcome<std::shared_ptr<const PreparedBatch>> PreparedBatch::prepare(const cql_syntax::Batch& batch,
                                                                     const cql_terms::Scope& scope,
                                                                     const FindTable& find) {
  std::vector<ModificationPtr> statements;
  for (const auto& part : batch.statements) {
    const auto& name = std::visit(
        [](const auto& one) -> const cql_syntax::QualifiedName& {
          if constexpr (requires { one.into; })
            return one.into;
          else if constexpr (requires { one.table; })
            return one.table;
          else
            return one.from;
        },
        part);
    ASSIGN(const auto table, find(name));
    cql_terms::Scope of_part = scope;
    of_part.keyspace = table->keyspace;
    ASSIGN(auto statement, Modification::prepare(part, table, of_part, true));
    statements.push_back(std::move(statement));
  }
  ASSIGN(auto options, WriteOptions::prepare(batch.options, "[batch]", "[batch]", scope));
  if (options.sets_ttl()) return invalid("Global TTL on the BATCH statement is not supported.");
  const auto kind = static_cast<Kind>(batch.kind);
  TRY(check_batch(kind, options.sets_timestamp(), statements));
  return std::make_shared<MadeBatch>(kind, std::move(statements), std::move(options));
}

}  // namespace tailrace::cql_query
