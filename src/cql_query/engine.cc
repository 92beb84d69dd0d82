// Requests to the rooms that answer them, and the schema's one present state.
#include "cql_query/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <random>
#include <thread>

#include "base/bytes.h"
#include "cql_query/access.h"
#include "cql_query/describe_page.h"
#include "cql_query/index_upkeep.h"
#include "cql_query/long_reads.h"
#include "cql_query/prepared.h"
#include "cql_query/prepared_cache.h"
#include "cql_query/schema_state.h"
#include "cql_query/timestamps.h"
#include "cql_query/workers.h"
#include "cql_query/writes_in_flight.h"
#include "cql_roles/logins.h"
#include "cql_roles/passwords.h"
#include "cql_roles/role_state.h"
#include "cql_schema/change.h"
#include "cql_schema/describe.h"
#include "cql_types/text.h"
#include "cql_types/validate.h"
#include "kv/disk_reads.h"
#include "kv/quick_reads.h"
#include "net/answers_together.h"
#include "rt/random.h"
#include "rt/wall_time.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::Answer;
using cql_protocol::Consistency;
using cql_protocol::Parameters;
using cql_protocol::SchemaChange;
using cql_protocol::Value;
using cql_schema::SchemaPtr;
using cql_schema::TablePtr;
using cql_types::ErrorCode;
using cql_types::Failure;
using cql_types::failure;
using cql_types::invalid;
using Done = Engine::Done;

constexpr std::string_view kHostId = "host_id";
/// More rows than these are read by another thread than the door's, which has others to answer.
constexpr std::int32_t kQuickRows = 200;
/// A long read shall not keep short ones waiting, even where there are few cores.
constexpr int kReaders = 8;
/// A short read that lacks more pieces of files than this, one after another, is a long one.
constexpr std::size_t kMostPieces = 6;
/// For short reads as their pieces come from the disk: none waits, so as many as there are cores.
int disk_readers() {
  constexpr unsigned kMost = 8;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kMost));
}

/// What a statement runs with: the values of its markers, owned where it outlives the call.
struct Execution {
  PreparedPtr prepared;
  std::list<std::string> owned;
  std::vector<Value> values;
  Bindings bindings;
  std::optional<std::int32_t> page_size;
  std::optional<std::string> paging_state;
  bool skips_metadata = false;
  /// Of an EXECUTE whose client knows other columns than those of the rows.
  bool knows_other_columns = false;
  Moment moment;
  kv::Pieces pieces;  ///< of files, that came from the disk for it

  void own_values() {
    for (auto& value : values)
      if (value.kind == Value::Kind::kBytes) value.bytes = owned.emplace_back(value.bytes);
  }
};
using ExecutionPtr = std::shared_ptr<Execution>;

/// The values of the markers, in the markers' order.
Outcome<std::vector<Value>> in_order(const Prepared& prepared, const std::vector<Value>& values,
                                     const std::vector<std::string_view>& names,
                                     std::string_view mismatch) {
  std::vector<Value> ordered;
  if (names.empty()) {
    ordered = values;
  } else {
    for (const auto& marker : prepared.markers) {
      const auto at = std::ranges::find(names, marker.name);
      if (at != names.end())
        ordered.push_back(values[static_cast<std::size_t>(at - names.begin())]);
    }
  }
  if (ordered.size() != prepared.markers.size()) {
    if (!mismatch.empty()) return invalid(std::string(mismatch));
    return invalid(fmt::format("there were {} markers(?) in CQL but {} bound variables",
                               prepared.markers.size(), ordered.size()));
  }
  return ordered;
}

std::string traced_value(const cql_types::TypePtr& type, const Value& value) {
  constexpr std::size_t kMost = 1000;
  if (value.is_unset()) return "<unset>";
  if (value.is_null()) return "null";
  if (!cql_types::validate(*type, value.bytes)) return "<invalid>";
  auto literal = cql_types::to_literal(*type, value.bytes);
  if (!literal) return "<invalid>";
  if (literal->size() <= kMost) return *literal;
  std::size_t end = kMost;  // between two characters
  while ((static_cast<unsigned char>((*literal)[end]) & 0xC0U) == 0x80U) --end;
  return literal->substr(0, end) + "...'";
}

Failure unprepared(std::string_view id) {
  std::string hex;
  for (const char c : id) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  Failure made(ErrorCode::kUnprepared,
               fmt::format("Prepared query with ID {} not found (either the query was not prepared "
                           "on this host (maybe the host has been restarted?) or you have prepared "
                           "too many queries and it has been evicted from the internal cache)",
                           hex));
  made.statement_id = id;
  return made;
}

/// A part of the machine's that guessing passwords may have.
int login_threads() {
  constexpr unsigned kMost = 4;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency() / 4, 1U, kMost));
}

/// What it is bound with is needed after the call.
bool runs_later(const Modification& modification) {
  return modification.has_conditions() || modification.reads() || !modification.views().empty();
}

class Tailrace final : public Engine {
 public:
  Tailrace(Options options, std::unique_ptr<cql_store::Store> store)
      : options_(std::move(options)),
        store_(std::move(store)),
        timeuuids_(std::random_device{}() ^ (std::uint64_t{std::random_device{}()} << 32U)),
        schema_(*store_, timeuuids_),
        roles_(
            *store_, [this] { return schema_.schema(); },
            [] { return server_timestamps().next(rt::wall_microseconds()); }),
        cache_(options_.prepared_statements) {
    schema_.after_change([this](const cql_schema::Change& change) {
      in_flight_.wait();
      indexes_.changed(change);
    });
  }

  Status load();

  void log_in(std::string role, std::string password, LoggedIn done) override {
    logins_.log_in(std::move(role), std::move(password), std::move(done));
  }
  bool has_default_password() const override { return roles_.has_default_password(); }

  void query(Client& client, const cql_protocol::Query& request, Done done) override;
  void prepare(Client& client, const cql_protocol::Prepare& request, Done done) override;
  void execute(Client& client, const cql_protocol::Execute& request, Done done) override;
  void batch(Client& client, const cql_protocol::Batch& request, Done done) override;
  std::map<std::string, std::string> described(const cql_protocol::Execute& request) override;

  std::shared_ptr<void> listen(Listener listener) override {
    return schema_.listen(std::move(listener));
  }
  Status set_foreign(std::vector<std::shared_ptr<const ForeignTable>> tables) override {
    return schema_.set_foreign(tables);
  }
  void set_materialized_views(bool enabled) override { schema_.set_materialized_views(enabled); }
  SchemaPtr schema() const override { return schema_.schema(); }
  cql_schema::Node node() const override {
    const std::lock_guard lock(node_mutex_);
    return options_.node;
  }
  void set_address(std::string address, std::uint16_t port) override {
    const std::lock_guard lock(node_mutex_);
    options_.node.address = std::move(address);
    options_.node.port = port;
  }

 private:
  /// The request's, which must be there, or the one in use.
  Outcome<std::string> keyspace_of(const Client& client,
                                   const std::optional<std::string_view>& asked) const {
    if (!asked) return client.keyspace;
    if (schema()->keyspace(*asked) == nullptr)
      return invalid(fmt::format("Keyspace '{}' does not exist", *asked));
    return std::string(*asked);
  }
  Moment moment_of(const Parameters& parameters) const;
  void bind(Bindings& bindings, const std::vector<Value>& values) const;

  void run(Client& client, ExecutionPtr execution, const Parameters& parameters, Done done);
  void run_select(const Client& client, const ExecutionPtr& execution, const Parameters& parameters,
                  Done done);
  void run_modifications(const ExecutionPtr& execution, Done done);
  void run_other(Client& client, const ExecutionPtr& execution, Done done);
  void run_role_statement(const Client& client, const ExecutionPtr& execution, Done done);
  void change_schema(const std::string& role, const Prepared& prepared, Done done);
  Done after_write(const cql_schema::Table& table, Done done) const;
  void truncate(const cql_syntax::Truncate& truncate, const Prepared& prepared, Done done);

  void read_long(const Client& client, const ExecutionPtr& execution, Done done);
  Outcome<Answer> read(const Execution& execution);
  Outcome<Answer> read_page(const Execution& execution, const Page& page);
  /// Nullopt: it has too many rows to be read at once.
  std::optional<Outcome<Answer>> read_few(const Execution& execution);
  std::optional<Outcome<Answer>> try_quickly(Execution& execution);
  void bring(const Client& client, const ExecutionPtr& execution, Done done);
  std::vector<cql_schema::Values> virtual_rows(const cql_schema::Table& table);
  bool is_index_built(std::string_view keyspace, std::string_view index) const;
  std::vector<cql_schema::Values> size_estimates(const cql_schema::Table& table);
  Outcome<Answer> use(Client& client, const std::string& keyspace);

  Options options_;
  mutable std::mutex node_mutex_;
  std::unique_ptr<cql_store::Store> store_;
  mutable cql_types::TimeuuidSource timeuuids_;
  SchemaState schema_;
  cql_roles::RoleState roles_;
  PreparedCache cache_;
  WritesInFlight in_flight_;
  IndexUpkeep indexes_{*store_, [this] { return schema_.schema(); }};
  // Last, so that they end first.
  cql_roles::Logins logins_{[this] { return roles_.roles(); }, {.threads = login_threads()}};
  LongReads long_reads_{kReaders};
  kv::DiskReads disk_reads_{disk_readers(), [](const std::function<void()>& work) {
                              const net::AnswersTogether together;
                              work();
                            }};
  Workers system_reads_{1};
  Workers schema_changes_{1};  // and of the roles
  Workers hashes_{1};          // of passwords, on their way there
};

Status Tailrace::load() {
  TRY(schema_.load());
  TRY(roles_.load());
  if (options_.passwords) {
    TRY(roles_.make_first(options_.first_password));
  }
  TRY(indexes_.load());
  if (!options_.node.host_id.empty()) return {};
  ASSIGN(const auto ids, store_->kept(kHostId));
  if (!ids.empty()) {
    options_.node.host_id = ids.front().second;
    return {};
  }
  std::random_device random;
  for (int i = 0; i < 16; ++i) options_.node.host_id += static_cast<char>(random());
  options_.node.host_id[6] = static_cast<char>((options_.node.host_id[6] & 0x0F) | 0x40);
  options_.node.host_id[8] = static_cast<char>((options_.node.host_id[8] & 0x3F) | 0x80);
  cql_store::Mutation mutation;
  mutation.keep(kHostId, options_.node.host_id);
  store_->commit(std::move(mutation), [](Status) {});
  return {};
}

Moment Tailrace::moment_of(const Parameters& parameters) const {
  const std::int64_t now_us = rt::wall_microseconds();
  Moment moment;
  moment.timestamp_us =
      parameters.timestamp ? *parameters.timestamp : server_timestamps().next(now_us);
  moment.now_seconds = parameters.now_seconds ? *parameters.now_seconds : now_us / 1'000'000;
  moment.consistency = parameters.consistency;
  moment.serial_consistency = parameters.serial_consistency;
  return moment;
}

void Tailrace::bind(Bindings& bindings, const std::vector<Value>& values) const {
  bindings.values = values;
  bindings.now_us = rt::wall_microseconds();
  bindings.timeuuids = &timeuuids_;
  bindings.random = [] {
    thread_local rt::Random random(std::uint64_t{std::random_device{}()} << 32U |
                                   std::random_device{}());
    return random.next();
  };
}

// Requests.

void Tailrace::query(Client& client, const cql_protocol::Query& request, Done done) {
  const WritesInFlight::Flight flight(in_flight_);
  const auto keyspace = keyspace_of(client, request.parameters.keyspace);
  if (!keyspace) return done(std::unexpected(keyspace.error()));
  auto prepared =
      cql_query::prepare(request.text, *keyspace, schema(), rt::wall_microseconds() / 1000);
  if (!prepared) return done(std::unexpected(std::move(prepared.error())));
  auto execution = std::make_shared<Execution>();
  execution->prepared = std::move(*prepared);
  auto values = in_order(*execution->prepared, request.parameters.values, request.parameters.names,
                         "Invalid amount of bind variables");
  if (!values) return done(std::unexpected(std::move(values.error())));
  execution->values = std::move(*values);
  run(client, std::move(execution), request.parameters, std::move(done));
}

void Tailrace::prepare(Client& client, const cql_protocol::Prepare& request, Done done) {
  const auto keyspace = keyspace_of(client, request.keyspace);
  if (!keyspace) return done(std::unexpected(keyspace.error()));
  auto made = cql_query::prepare(request.text, *keyspace, schema(), rt::wall_microseconds() / 1000);
  if (!made) return done(std::unexpected(std::move(made.error())));
  const PreparedPtr prepared = cache_.add(std::move(*made));
  cql_protocol::Prepared answer;
  answer.id = prepared->id;
  answer.markers = prepared->markers;
  answer.partition_key = prepared->partition_key;
  answer.columns = prepared->select ? prepared->select->columns()
                                    : std::make_shared<std::vector<cql_protocol::ColumnSpec>>();
  answer.result_metadata_id = prepared->result_id;
  done(Answer{std::move(answer), {}});
}

void Tailrace::execute(Client& client, const cql_protocol::Execute& request, Done done) {
  const WritesInFlight::Flight flight(in_flight_);
  auto execution = std::make_shared<Execution>();
  execution->prepared = cache_.find(request.id, *schema());
  if (!execution->prepared) return done(std::unexpected(unprepared(request.id)));
  auto values =
      in_order(*execution->prepared, request.parameters.values, request.parameters.names, "");
  if (!values) return done(std::unexpected(std::move(values.error())));
  execution->values = std::move(*values);
  execution->knows_other_columns =
      request.result_metadata_id && *request.result_metadata_id != execution->prepared->result_id;
  run(client, std::move(execution), request.parameters, std::move(done));
}

std::map<std::string, std::string> Tailrace::described(const cql_protocol::Execute& request) {
  const PreparedPtr prepared = cache_.find(request.id, *schema());
  if (!prepared) return {};
  std::map<std::string, std::string> all = {{"query", prepared->text}};
  const auto values = in_order(*prepared, request.parameters.values, request.parameters.names, "");
  for (std::size_t i = 0; values && i < values->size(); ++i) {
    const auto& marker = prepared->markers[i];
    all[fmt::format("bound_var_{}_{}", i, marker.name)] = traced_value(marker.type, (*values)[i]);
  }
  return all;
}

void Tailrace::batch(Client& client, const cql_protocol::Batch& request, Done done) {
  const WritesInFlight::Flight flight(in_flight_);
  struct Parts {
    std::list<Execution> executions;
  };
  auto parts = std::make_shared<Parts>();
  std::vector<BoundModification> statements;
  const auto schema = this->schema();
  const auto keyspace = keyspace_of(client, request.parameters.keyspace);
  if (!keyspace) return done(std::unexpected(keyspace.error()));
  const Moment moment = moment_of(request.parameters);
  bool outlives = false;
  for (const auto& part : request.parts) {
    auto& execution = parts->executions.emplace_back();
    if (part.prepared) {
      execution.prepared = cache_.find(part.text_or_id, *schema);
      if (!execution.prepared) return done(std::unexpected(unprepared(part.text_or_id)));
    } else {
      auto made =
          cql_query::prepare(part.text_or_id, *keyspace, schema, rt::wall_microseconds() / 1000);
      if (!made) return done(std::unexpected(std::move(made.error())));
      execution.prepared = std::move(*made);
    }
    if (part.values.size() != execution.prepared->markers.size())
      return done(invalid(fmt::format("There were {} markers(?) in CQL but {} bound variables",
                                      execution.prepared->markers.size(), part.values.size())));
    if (!execution.prepared->modification)
      return done(invalid(
          "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed."));
    execution.values = part.values;
    const auto& modification = execution.prepared->modification;
    outlives |= runs_later(*modification);
  }
  for (auto& execution : parts->executions) {
    if (outlives) execution.own_values();
    bind(execution.bindings, execution.values);
    statements.push_back({execution.prepared->modification, &execution.bindings});
  }
  if (options_.passwords) {
    const auto roles = roles_.roles();
    for (const auto& statement : statements)
      if (auto may = check_access(*roles, client.role, *statement.statement); !may)
        return done(std::unexpected(std::move(may.error())));
  }
  for (const auto& statement : statements)
    done = after_write(*statement.statement->table(), std::move(done));
  BatchOptions options;
  options.kind = request.kind;
  cql_query::run(
      *store_, std::move(statements), options, moment,
      [parts, done = std::move(done)](Outcome<Answer> answer) mutable { done(std::move(answer)); });
}

/// Roles are read again after writes to their tables; done twice where two wrote.
Done Tailrace::after_write(const cql_schema::Table& table, Done done) const {
  if (table.keyspace != cql_roles::kAuthKeyspace) return done;
  return [this, done = std::move(done)](Outcome<Answer> answer) mutable {
    if (const auto read = roles_.reread(); answer && !read)
      return done(std::unexpected(Failure(read.error())));
    done(std::move(answer));
  };
}

void Tailrace::run(Client& client, ExecutionPtr execution, const Parameters& parameters,
                   Done done) {
  if (options_.passwords)
    if (auto may = check_access(*roles_.roles(), client.role, *execution->prepared); !may)
      return done(std::unexpected(std::move(may.error())));
  execution->moment = moment_of(parameters);
  execution->page_size = parameters.page_size;
  if (parameters.paging_state) execution->paging_state = std::string(*parameters.paging_state);
  if (execution->prepared->select)
    return run_select(client, execution, parameters, std::move(done));
  if (execution->prepared->modification || execution->prepared->batch)
    return run_modifications(execution, std::move(done));
  run_other(client, execution, std::move(done));
}

void Tailrace::run_select(const Client& client, const ExecutionPtr& execution,
                          const Parameters& parameters, Done done) {
  if (parameters.consistency == Consistency::kAny)
    return done(invalid("ANY ConsistencyLevel is only supported for writes"));
  if (parameters.page_size && *parameters.page_size == 0)
    return done(failure(ErrorCode::kProtocol, "The page size cannot be 0"));
  execution->skips_metadata = parameters.skip_metadata;
  bind(execution->bindings, execution->values);
  const bool quick = execution->prepared->select->is_quick();
  if (quick)
    if (auto answer = try_quickly(*execution)) return done(std::move(*answer));
  execution->own_values();
  bind(execution->bindings, execution->values);
  if (quick) return bring(client, execution, std::move(done));
  read_long(client, execution, std::move(done));
}

/// None: something of it is not in memory, or it is not a short read.
std::optional<Outcome<Answer>> Tailrace::try_quickly(Execution& execution) {
  const kv::QuickReads quick(execution.pieces);
  auto answer = read_few(execution);
  if (quick.refused()) answer.reset();
  return answer;
}

/// Brings what the last try lacked, and tries again; a long read waits where others do.
void Tailrace::bring(const Client& client, const ExecutionPtr& execution, Done done) {
  kv::Pieces& pieces = execution->pieces;
  if (!pieces.wanted || pieces.arrived.size() == kMostPieces)
    return read_long(client, execution, std::move(done));
  disk_reads_.bring(pieces, [this, &client, execution, done = std::move(done),
                             before = pieces.arrived.size()]() mutable {
    if (execution->pieces.arrived.size() > before)
      if (auto answer = try_quickly(*execution)) return done(std::move(*answer));
    bring(client, execution, std::move(done));
  });
}

void Tailrace::read_long(const Client& client, const ExecutionPtr& execution, Done done) {
  auto reading = [this, execution, done = std::move(done)]() mutable { done(read(*execution)); };
  // Who connects asks for these first: they wait for nobody's rows.
  if (execution->prepared->select->table()->virtual_table)
    return system_reads_.run(std::move(reading));
  long_reads_.run(client, std::move(reading));
}

Outcome<Answer> Tailrace::read(const Execution& execution) {
  Page page;
  page.size = execution.page_size;
  if (execution.paging_state) page.state = *execution.paging_state;
  return read_page(execution, page);
}

std::optional<Outcome<Answer>> Tailrace::read_few(const Execution& execution) {
  const bool paged = execution.page_size && *execution.page_size > 0;
  if (paged && *execution.page_size <= kQuickRows) return read(execution);
  // Sorted rows come whole or not at all.
  if (execution.prepared->select->sorts()) return std::nullopt;
  Page page;
  page.size = kQuickRows;
  if (paged && execution.paging_state) page.state = *execution.paging_state;
  auto answer = read_page(execution, page);
  if (answer)
    if (const auto* found = std::get_if<cql_protocol::Rows>(&answer->result))
      if (found->paging_state) return std::nullopt;
  return answer;
}

Outcome<Answer> Tailrace::read_page(const Execution& execution, const Page& page) {
  const Select& select = *execution.prepared->select;
  Source source;
  std::vector<cql_schema::Values> rows;
  std::shared_ptr<const ForeignTable> foreign;
  if (select.table()->foreign) {
    foreign = schema_.foreign(*select.table());
    if (!foreign) return invalid(fmt::format("table {} does not exist", select.table()->name));
    source.foreign = foreign.get();
  } else if (select.table()->virtual_table) {
    rows = virtual_rows(*select.table());
    source.rows = &rows;
  } else {
    source.store = store_.get();
    source.indexes = &indexes_;
  }
  auto answer = select.run(source, execution.bindings, execution.moment.now_seconds, page);
  if (!answer) return answer;
  if (auto* found = std::get_if<cql_protocol::Rows>(&answer->result)) {
    found->skip_metadata = execution.skips_metadata;
    if (execution.knows_other_columns) found->new_metadata_id = execution.prepared->result_id;
  }
  return answer;
}

std::vector<cql_schema::Values> Tailrace::virtual_rows(const cql_schema::Table& table) {
  if (table.keyspace == "system" && table.name == "size_estimates") return size_estimates(table);
  auto rows = cql_schema::system_rows(table, *schema(), node());
  if (table.keyspace == "system" && table.name == "IndexInfo")
    std::erase_if(rows, [this](const cql_schema::Values& row) {
      return !is_index_built(row[0].value_or(""), row[1].value_or(""));
    });
  if (table.keyspace == "system" && table.name == "built_views")
    std::erase_if(rows, [this](const cql_schema::Values& row) {
      const auto view = schema()->table(row[0].value_or(""), row[1].value_or(""));
      return !view || !indexes_.is_built(view->number);
    });
  return rows;
}

bool Tailrace::is_index_built(std::string_view keyspace, std::string_view index) const {
  const auto schema = this->schema();
  const auto* in = schema->keyspace(keyspace);
  if (in == nullptr) return false;
  for (const auto& [name, table] : in->tables)
    for (const auto& one : table->indexes)
      if (one.name == index) return indexes_.is_built(one.number);
  return false;
}

/// One range for each table: the whole ring.
std::vector<cql_schema::Values> Tailrace::size_estimates(const cql_schema::Table& table) {
  constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  std::vector<cql_schema::Values> rows;
  const auto set = [&](cql_schema::Values& row, std::string_view column, std::string value) {
    const int place = table.find(column);
    if (place >= 0) row[static_cast<std::size_t>(place)] = std::move(value);
  };
  const auto number = [](std::int64_t value) {
    std::string bytes;
    append_be(bytes, value);
    return bytes;
  };
  for (const auto& [name, keyspace] : schema()->keyspaces) {
    for (const auto& [table_name, other] : keyspace->tables) {
      if (other->virtual_table || other->foreign) continue;
      const auto estimate = store_->estimate(other->number.value, kSmallest, kLargest);
      if (!estimate) continue;
      cql_schema::Values row(table.columns.size());
      set(row, "keyspace_name", name);
      set(row, "table_name", table_name);
      set(row, "range_start", std::to_string(kSmallest));
      set(row, "range_end", std::to_string(kSmallest));
      set(row, "partitions_count", number(estimate->partitions));
      set(row, "mean_partition_size", number(estimate->mean_bytes));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

void Tailrace::run_modifications(const ExecutionPtr& execution, Done done) {
  const Prepared& prepared = *execution->prepared;
  const std::span<const ModificationPtr> all = prepared.batch
                                                   ? std::span(prepared.batch->statements())
                                                   : std::span(&prepared.modification, 1);
  if (std::ranges::any_of(all, [](const auto& one) { return runs_later(*one); }))
    execution->own_values();
  bind(execution->bindings, execution->values);
  std::vector<BoundModification> statements;
  for (const auto& modification : all) {
    statements.push_back({modification, &execution->bindings});
    done = after_write(*modification->table(), std::move(done));
  }
  std::optional<BatchOptions> options;
  if (prepared.batch) {
    auto bound = prepared.batch->bind(execution->bindings, execution->moment);
    if (!bound) return done(std::unexpected(std::move(bound.error())));
    options = *bound;
  }
  cql_query::run(*store_, std::move(statements), options, execution->moment,
                 [execution, done = std::move(done)](Outcome<Answer> answer) mutable {
                   done(std::move(answer));
                 });
}

// Statements without rows.

Outcome<Answer> Tailrace::use(Client& client, const std::string& keyspace) {
  if (schema()->keyspace(keyspace) == nullptr)
    return invalid(fmt::format("Keyspace '{}' does not exist", keyspace));
  client.keyspace = keyspace;
  return Answer{cql_protocol::SetKeyspace{keyspace}, {}};
}

void Tailrace::run_other(Client& client, const ExecutionPtr& execution, Done done) {
  const auto& statement = execution->prepared->statement;
  if (cql_schema::is_schema_statement(statement)) {
    // It waits for the disk.
    schema_changes_.run([this, role = client.role, execution, done = std::move(done)]() mutable {
      change_schema(role, *execution->prepared, std::move(done));
    });
    return;
  }
  if (cql_roles::is_role_statement(statement))
    return run_role_statement(client, execution, std::move(done));
  if (const auto* to = std::get_if<cql_syntax::Use>(&statement.body))
    return done(use(client, to->keyspace));
  if (const auto* table = std::get_if<cql_syntax::Truncate>(&statement.body))
    return truncate(*table, *execution->prepared, std::move(done));
  if (const auto* what = std::get_if<cql_syntax::Describe>(&statement.body)) {
    const auto schema = this->schema();
    auto description = cql_schema::describe(*what, *schema, node(), execution->prepared->keyspace);
    if (!description) return done(std::unexpected(std::move(description.error())));
    return done(describe_page(*description, schema->version,
                              {execution->page_size.value_or(0), execution->paging_state}));
  }
  done(failure(ErrorCode::kServer, "a statement of no kind"));
}

void Tailrace::change_schema(const std::string& role, const Prepared& prepared, Done done) {
  SchemaState::Maker maker;
  if (options_.passwords)
    maker.may = [&](const cql_schema::Touched& touched) {
      return check_access(*roles_.roles(), role, touched);
    };
  bool follows = false;
  maker.keep = [&](const cql_schema::Change& change, cql_store::Mutation& mutation) {
    follows = roles_.follow(change, role, mutation);
  };
  auto answer = schema_.change(prepared.statement, prepared.keyspace, maker);
  if (follows)
    if (auto read = roles_.reread(); !read)
      return done(std::unexpected(Failure(std::move(read.error()))));
  done(std::move(answer));
}

void Tailrace::run_role_statement(const Client& client, const ExecutionPtr& execution, Done done) {
  const auto& prepared = *execution->prepared;
  auto asker = std::make_shared<cql_roles::RoleState::Asker>();
  asker->user = client.role;
  asker->keyspace = prepared.keyspace;
  asker->passwords = options_.passwords;
  asker->data_center = node().data_center;
  auto run = [this, asker, execution, done = std::move(done)]() mutable {
    done(roles_.run(execution->prepared->statement, std::move(*asker)));
  };
  if (cql_roles::is_list(prepared.statement)) return system_reads_.run(std::move(run));
  const std::string* password = cql_roles::password_of(prepared.statement);
  if (password == nullptr || !options_.passwords) return schema_changes_.run(std::move(run));
  hashes_.run([this, asker, password, run = std::move(run)]() mutable {
    asker->salted_hash = cql_roles::hash_password(*password);
    schema_changes_.run(std::move(run));
  });
}

void Tailrace::truncate(const cql_syntax::Truncate& truncate, const Prepared& prepared, Done done) {
  const auto table = find_table(*schema(), truncate.table, prepared.keyspace);
  if (!table) return done(std::unexpected(table.error()));
  if ((*table)->view)
    return done(
        invalid("Cannot TRUNCATE materialized view directly; must truncate base table instead"));
  if ((*table)->virtual_table || (*table)->foreign)
    return done(invalid("Truncation is not supported by table " + (*table)->keyspace + "." +
                        (*table)->name));
  cql_store::Mutation mutation;
  mutation.drop_all((*table)->number.value);
  done = after_write(**table, std::move(done));
  for (const auto& index : (*table)->indexes) mutation.drop_all(index.number.value);
  for (const auto& [name, view] : schema()->keyspace((*table)->keyspace)->tables)
    if (view->view && view->view->base_table == (*table)->name)
      mutation.drop_all(view->number.value);
  store_->commit(std::move(mutation), [done = std::move(done)](Status status) mutable {
    if (!status) return done(std::unexpected(Failure(std::move(status.error()))));
    done(Answer{});
  });
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const std::string& folder, Options options) {
  ASSIGN(auto store, cql_store::Store::open(folder, options.store));
  if (options.node.generation == 0)
    options.node.generation = static_cast<std::int32_t>(rt::wall_microseconds() / 1'000'000);
  auto engine = std::make_unique<Tailrace>(std::move(options), std::move(store));
  TRY(engine->load());
  return engine;
}

}  // namespace tailrace::cql_query
