#include "pipeline/contracts/judge.h"

#include <arrow/compute/api.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/log.h"
#include "columns/row_codec.h"
#include "pipeline/contracts/duplicates.h"
#include "pipeline/names.h"
#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

using Json = nlohmann::json;
using State = Verdict::State;

constexpr std::chrono::milliseconds kLookEvery{250};
constexpr std::size_t kDuplicateBytes = 64 << 20;
/// A measure takes at most 1 : kRest of the time.
constexpr std::int64_t kRest = 10;
constexpr std::uint64_t kMostKept = 16 << 20;
/// A folder's time says nothing of changes within so long.
constexpr std::int64_t kSettledMs = 2000;

/// Shares of rows are told and compared to six digits.
double share_of(double count, double rows) {
  return rows == 0 ? 0 : std::round(count / rows * 100 * 1e6) / 1e6;
}

/// What is said of another rule counts no more.
std::string definition(const Measure& measure) {
  return fmt::format("{} {} {} {}", measure.what(), measure.sql, measure.percent,
                     measure.limit.text);
}

std::optional<State> state_named(std::string_view word) {
  for (const State state : {State::kNone, State::kHolds, State::kBroken, State::kFailed})
    if (name(state) == word) return state;
  return std::nullopt;
}

/// The column of a table that a name in the contract means; null where there is none.
Field column_named(const arrow::FieldVector& fields, std::string_view wanted) {
  for (const Field& field : fields)
    if (same_name(field->name(), wanted)) return field;
  return nullptr;
}

/// The values at a path below a column.
Result<Array> values_at(Array values, const std::vector<std::string>& path) {
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (values->type_id() != arrow::Type::STRUCT)
      return error(Code::kInvalidArgument, fmt::format("`{}` is no STRUCT", path[i - 1]));
    const auto& object = static_cast<const arrow::StructArray&>(*values);
    const Field field = column_named(object.type()->fields(), path[i]);
    if (!field) return error(Code::kInvalidArgument, fmt::format("no column `{}`", path[i]));
    ASSIGN(
        values,
        from_arrow(object.GetFlattenedField(object.struct_type()->GetFieldIndex(field->name()))));
  }
  return values;
}

Status add_values(const Batch& rows, const std::vector<std::vector<std::string>>& paths,
                  DuplicateCount& count) {
  std::vector<Array> columns;
  std::vector<Field> fields;
  std::vector<KeyColumn> keys;
  for (const auto& path : paths) {
    const Field field = column_named(rows->schema()->fields(), path[0]);
    ASSIGN(auto values, values_at(rows->GetColumnByName(field->name()), path));
    fields.push_back(arrow::field(path.back(), values->type()));
    keys.push_back({.index = static_cast<int>(keys.size())});
    columns.push_back(std::move(values));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), rows->num_rows(), columns);
  ASSIGN(const EncodedRows encoded, encode_keys(*batch, keys));
  for (std::int64_t i = 0; i < rows->num_rows(); ++i)
    if (std::ranges::none_of(columns, [&](const Array& column) { return column->IsNull(i); }))
      count.add(encoded[i]);
  return {};
}

/// The number in a row's column; nullopt for null.
Result<std::optional<double>> number_at(const Batch& rows, int column) {
  if (rows->num_rows() == 0 || rows->column(column)->IsNull(0)) return std::nullopt;
  ASSIGN(const auto cast,
         from_arrow(arrow::compute::Cast(rows->column(column)->Slice(0, 1), arrow::float64())));
  return static_cast<const arrow::DoubleArray&>(*cast.make_array()).Value(0);
}

/// Of one that was kept; what another program wrote there is passed over.
std::optional<Verdict> verdict_from(const Json& one) {
  try {
    const auto state = state_named(one.at("state").get<std::string>());
    if (!state) return std::nullopt;
    Verdict verdict{.state = *state, .error = one.at("error")};
    if (!one.at("value").is_null()) verdict.value = one.at("value").get<double>();
    verdict.version = one.at("version");
    verdict.seen = one.at("seen");
    verdict.at_ms = one.at("at_ms");
    verdict.took_ms = one.at("took_ms");
    verdict.since_ms = one.at("since_ms");
    return verdict;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string_view name(State state) {
  switch (state) {
    case State::kNone:
      return "none";
    case State::kHolds:
      return "holds";
    case State::kBroken:
      return "broken";
    case State::kFailed:
      return "failed";
  }
  return "";
}

std::string value_text(const Measure& measure, const Verdict& verdict) {
  if (!verdict.value) return "no number";
  return fmt::format("{}{}", *verdict.value, measure.percent ? " %" : "");
}

std::string verdict_text(const Measure& measure, const Verdict& verdict) {
  return fmt::format("{} of {} is {}, {}", measure.name, measure.table,
                     verdict.state == State::kFailed ? "unknown (" + verdict.error + ")"
                                                     : value_text(measure, verdict),
                     measure.limit.text);
}

Judge::Judge(std::vector<Measure> measures, std::vector<std::string> tables, std::string data,
             rt::Clock& clock)
    : measures_(std::move(measures)),
      tables_(std::move(tables)),
      data_(std::move(data)),
      clock_(clock),
      made_ms_(clock.now().value),
      verdicts_(measures_.size()) {
  for (const Measure& measure : measures_) {
    auto& reads = reads_.emplace_back();
    for (const std::string& table : tables_)
      if (same_name(table, measure.table)) reads.push_back(table);
    if (measure.kind != Measure::Kind::kQuery) continue;
    const auto query = sql::parse_query(measure.sql);
    if (!query) continue;  // measure_findings() has refused it
    for (const sql::Reference& reference : sql::references(*query))
      for (const std::string& table : tables_)
        if (same_name(table, reference.name.parts.back()) &&
            std::ranges::find(reads, table) == reads.end())
          reads.push_back(table);
  }
  load();
}

Judge::~Judge() {
  stop();
}

void Judge::start() {
  if (measures_.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    stop_ = stop;
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kLookEvery, [&] { return stop.stop_requested(); })) look();
  });
}

void Judge::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Status Judge::go_on() const {
  if (stop_.stop_requested()) return error(Code::kCancelled, "the project stops");
  return {};
}

std::vector<JudgedRule> Judge::rules() const {
  const std::lock_guard lock(mutex_);
  std::vector<JudgedRule> all;
  for (std::size_t i = 0; i < measures_.size(); ++i)
    all.push_back({.measure = &measures_[i], .verdict = verdicts_[i]});
  return all;
}

std::int64_t Judge::version_of(const std::string& table) {
  const std::string folder = folder_of(table) + "/_delta_log";
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0) return -1;
  const std::int64_t now = clock_.now().value;
  const std::int64_t changed = found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec;
  Looked& looked = looked_[table];
  if (looked.changed_ns == changed && looked.at_ms > changed / 1'000'000 + kSettledMs)
    return looked.version;
  const auto snapshot = lake::read_snapshot(folder);
  looked = {.changed_ns = changed,
            .at_ms = now,
            .version = snapshot ? static_cast<std::int64_t>((*snapshot)->version) : -1};
  return looked.version;
}

const std::vector<std::string>& Judge::reads_of(const Measure& measure) const {
  return reads_[static_cast<std::size_t>(&measure - measures_.data())];
}

std::vector<std::int64_t> Judge::versions_read(const Measure& measure) {
  std::vector<std::int64_t> versions;
  for (const std::string& table : reads_of(measure)) {
    versions.push_back(version_of(table));
    if (versions.back() < 0) return {};
  }
  return versions;
}

bool Judge::is_time(const Measure& measure, const Verdict& last, bool all) const {
  if (last.state == State::kNone) return true;
  const std::int64_t now = clock_.now().value;
  if (measure.schedule) {
    const auto due = measure.schedule->previous(now * 1000 + 1, calendar::Zone::utc());
    return due && *due / 1000 > last.at_ms;
  }
  const std::int64_t rested = last.at_ms + kRest * last.took_ms;
  return all || now >= std::max(rested, last.at_ms + measure.every->count());
}

bool Judge::has_changed(const Measure& measure, const Verdict& last, std::int64_t seen,
                        bool all) const {
  if (measure.schedule) return true;
  // Commit 0 makes the table: what is not there yet may be on its way.
  if (last.state == State::kNone)
    return all || seen > 0 || clock_.now().value - made_ms_ >= measure.every->count();
  return seen != last.seen || last.state == State::kFailed;
}

void Judge::look(bool all) {
  bool any = false;
  for (std::size_t i = 0; i < measures_.size() && go_on(); ++i) {
    const Measure& measure = measures_[i];
    if (!is_time(measure, verdicts_[i], all)) continue;
    const auto versions = versions_read(measure);
    if (versions.empty()) continue;
    const std::int64_t seen = std::accumulate(versions.begin(), versions.end(), std::int64_t{0});
    if (!has_changed(measure, verdicts_[i], seen, all)) continue;
    Verdict verdict = take(measure);
    if (!go_on()) break;
    verdict.seen = seen;
    verdict.version = versions.front();
    set(i, std::move(verdict));
    any = true;
  }
  if (any) keep();
}

Verdict Judge::take(const Measure& measure) const {
  const auto begin = clock_.monotonic();
  auto value = value_of(measure);
  Verdict verdict;
  if (value) {
    verdict.value = *value;
    verdict.state = *value && measure.limit.holds(**value) ? State::kHolds : State::kBroken;
  } else {
    verdict.error = value.error().what;
    verdict.state = State::kFailed;
  }
  verdict.at_ms = clock_.now().value;
  verdict.took_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - begin).count();
  return verdict;
}

void Judge::set(std::size_t index, Verdict verdict) {
  const Measure& measure = measures_[index];
  const State before = verdicts_[index].state;
  verdict.since_ms = verdict.state == before ? verdicts_[index].since_ms : verdict.at_ms;
  const std::string said = fmt::format("contract {} {}: {}", measure.contract, measure.version,
                                       verdict_text(measure, verdict));
  if (verdict.state != before && verdict.state == State::kHolds && before != State::kNone)
    LOG(info, "{}", said);
  if (verdict.state != before && verdict.state != State::kHolds) LOG(warn, "{}", said);
  const std::lock_guard lock(mutex_);
  verdicts_[index] = std::move(verdict);
}

Result<std::optional<double>> Judge::value_of(const Measure& measure) const {
  switch (measure.kind) {
    case Measure::Kind::kRows:
      return rows_of(reads_of(measure).front());
    case Measure::Kind::kDuplicates:
      return duplicates(measure);
    case Measure::Kind::kBadRows:
      return bad_rows(measure);
    case Measure::Kind::kQuery:
      return answer(measure);
  }
  return std::nullopt;
}

Result<double> Judge::rows_of(const std::string& table) const {
  ASSIGN(const auto lake, lake::DeltaTable::open(folder_of(table)));
  ASSIGN(const auto snapshot, lake->snapshot());
  std::int64_t rows = 0;
  bool all_say = true;
  for (const auto& [path, file] : snapshot->files) {
    const auto said = lake::stats_rows(file.stats);
    all_say = all_say && said;
    rows += said.value_or(0);
  }
  if (all_say) return static_cast<double>(rows);
  rows = 0;
  const auto add = [&](const Batch& batch) -> Result<bool> {
    TRY(go_on());
    rows += batch->num_rows();
    return true;
  };
  TRY(lake->scan({lake->schema()->field(0)->name()}, add));
  return static_cast<double>(rows);
}

Result<double> Judge::duplicates(const Measure& measure) const {
  const std::string& table = reads_of(measure).front();
  ASSIGN(const auto lake, lake::DeltaTable::open(folder_of(table)));
  std::vector<std::string> columns;
  for (const auto& path : measure.columns) {
    const Field field = column_named(lake->schema()->fields(), path[0]);
    if (!field) return error(Code::kNotFound, fmt::format("{} has no column `{}`", table, path[0]));
    if (std::ranges::find(columns, field->name()) == columns.end())
      columns.push_back(field->name());
  }
  DuplicateCount count(kDuplicateBytes);
  double rows = 0;
  const auto add = [&](const Batch& batch) -> Result<bool> {
    TRY(go_on());
    rows += static_cast<double>(batch->num_rows());
    TRY(add_values(batch, measure.columns, count));
    return true;
  };
  do {
    rows = 0;
    TRY(lake->scan(columns, add));
  } while (count.again());
  const auto found = static_cast<double>(count.found());
  return measure.percent ? share_of(found, rows) : found;
}

QueryRelation Judge::relation(const std::string& table, lake::DeltaTable& lake,
                              const std::vector<std::string>& columns) const {
  Schema schema = lake.schema();
  if (!columns.empty()) {
    arrow::FieldVector fields;
    for (const std::string& column : columns) fields.push_back(schema->GetFieldByName(column));
    schema = arrow::schema(std::move(fields));
  }
  return {table, schema, [&lake, columns, this](const auto& visit) -> Status {
            return lake.scan(columns, [&](const Batch& batch) -> Result<bool> {
              TRY(go_on());
              TRY(visit(batch));
              return true;
            });
          }};
}

Result<double> Judge::bad_rows(const Measure& measure) const {
  const std::string& table = reads_of(measure).front();
  ASSIGN(const auto lake, lake::DeltaTable::open(folder_of(table)));
  const Field field = column_named(lake->schema()->fields(), measure.columns[0][0]);
  if (!field)
    return error(Code::kNotFound,
                 fmt::format("{} has no column `{}`", table, measure.columns[0][0]));
  ASSIGN(const auto result,
         run_query(bad_rows_query(measure), {relation(table, *lake, {field->name()})},
                   clock_.now().value * 1000, 1));
  ASSIGN(const auto rows, number_at(result.rows[0], 0));
  ASSIGN(const auto bad, number_at(result.rows[0], 1));
  return measure.percent ? share_of(*bad, *rows) : *bad;
}

Result<std::optional<double>> Judge::answer(const Measure& measure) const {
  std::vector<std::unique_ptr<lake::DeltaTable>> open;
  std::vector<QueryRelation> relations;
  for (const std::string& table : reads_of(measure)) {
    ASSIGN(auto lake, lake::DeltaTable::open(folder_of(table)));
    open.push_back(std::move(lake));
    relations.push_back(relation(table, *open.back(), {}));
  }
  ASSIGN(const auto result, run_query(measure.sql, relations, clock_.now().value * 1000, 1));
  if (result.rows.empty()) return std::nullopt;
  return number_at(result.rows[0], 0);
}

void Judge::load() {
  const auto text = rt::read_whole(rt::posix_files(), data_ + "/contract_rules.json", kMostKept);
  if (!text) return;
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_array()) return;
  for (const Json& one : kept) {
    if (!one.is_object()) continue;
    for (std::size_t i = 0; i < measures_.size(); ++i)
      if (one.value("table", Json()) == measures_[i].table &&
          one.value("rule", Json()) == measures_[i].name &&
          one.value("definition", Json()) == definition(measures_[i]))
        verdicts_[i] = verdict_from(one).value_or(Verdict());
  }
}

void Judge::keep() {
  Json all = Json::array();
  for (const auto& [measure, verdict] : rules()) {
    if (verdict.state == State::kNone) continue;
    all.push_back({{"table", measure->table},
                   {"rule", measure->name},
                   {"definition", definition(*measure)},
                   {"state", name(verdict.state)},
                   {"value", verdict.value ? Json(*verdict.value) : Json()},
                   {"error", verdict.error},
                   {"version", verdict.version},
                   {"seen", verdict.seen},
                   {"at_ms", verdict.at_ms},
                   {"took_ms", verdict.took_ms},
                   {"since_ms", verdict.since_ms}});
  }
  // Names of columns are what a contract says: bytes that are no text must not end the program.
  const std::string text = all.dump(1, ' ', false, Json::error_handler_t::replace);
  const Status kept =
      rt::write_atomically(rt::posix_files(), data_ + "/contract_rules.json", text + "\n");
  const std::string why = kept ? "" : kept.error().what;
  if (!why.empty() && why != told_) LOG(warn, "what was found of contracts is not kept: {}", why);
  told_ = why;
}

Result<std::unique_ptr<Judge>> make_judge(const Project& project, const Graph& graph,
                                          const std::string& data) {
  ASSIGN(auto measures, taken_measures(project, graph));
  std::vector<std::string> tables;
  for (const Table& table : graph.tables) tables.push_back(table.name);
  return std::make_unique<Judge>(std::move(measures), std::move(tables), data);
}

}  // namespace tailrace::pipeline
