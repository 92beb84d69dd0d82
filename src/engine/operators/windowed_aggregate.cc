// Aggregates of a watermarked stream whose groups come out once: Δout = {γ(g) : end(g) ≤
// watermark}, when the watermark passes the group's end; its state is dropped then, and rows that
// come later for it are rejects. State: cells and group columns by (end, group); groups of a null
// end never close.
#include <date/date.h>
#include <fmt/format.h>

#include "columns/column_view.h"
#include "engine/aggregates/aggregate_calls.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

std::string time_text(std::int64_t us) {
  const std::chrono::microseconds since_epoch(us);
  return date::format("%F %T", date::sys_time<std::chrono::microseconds>(since_epoch));
}

class WindowedAggregate final : public Operator {
 public:
  WindowedAggregate(const Plan& plan, AggregateCalls calls, TraceHome home)
      : schema_(plan.schema),
        group_columns_(plan.exprs.size()),
        time_group_(plan.emit_by_group),
        calls_(std::move(calls)),
        states_(std::move(home)) {
    key_.push_back({0});
    arrow::FieldVector fields;
    for (std::size_t i = 0; i < group_columns_; ++i) {
      key_.push_back({static_cast<int>(i) + 1});
      fields.push_back(schema_->field(static_cast<int>(i)));
    }
    group_schema_ = arrow::schema(std::move(fields));
  }

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(Evaluated in, evaluate_all(calls_.exprs(), inputs[0], context));
    ASSIGN(Array ends, end_times(in));
    TRY(reject_late(in, ends, context));
    if (in.input.empty()) return Delta{};
    std::vector<Array> columns = {ends};
    for (std::size_t i = 0; i < group_columns_; ++i)
      columns.push_back(normalise_reals(in.values[i]));
    const Batch keyed = unnamed_batch(columns, in.input.size());
    ASSIGN(const EncodedRows keys, encode_keys(*keyed, key_));
    columns.erase(columns.begin());
    groups_.assign(keys);
    TRY(states_.load(groups_.keys()));
    CellMatrix cells = load_cells();
    std::vector<RowError> errors;
    ASSIGN(auto before, calls_.results(groups_.keys(), groups_.hashes(), cells, errors));
    TRY(calls_.add(in, keys, groups_, cells));
    ASSIGN(const Batch first,
           take(unnamed_batch(std::move(columns), in.input.size()), groups_.first_rows()));
    ASSIGN(const EncodedRows group_rows, encode_rows(*first));
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      state_.assign(cells.at(group, 0), cells.stride);
      state_ += group_rows[static_cast<std::int64_t>(group)];
      states_.put(groups_.keys()[group], state_);
    }
    return Delta{};
  }

  Result<Delta> close(StepContext& context) override {
    std::vector<std::string> names;
    CellMatrix cells{{}, calls_.stride()};
    RowDecoder group_rows(group_schema_);
    ASSIGN(const std::string last, end_key(*context.watermark_us));
    constexpr std::string_view kAfterNulls = "\x01";
    TRY(states_.scan(
        kAfterNulls, kv::prefix_end(last), [&](std::string_view key, std::string_view value) {
          names.emplace_back(key);
          cells.bytes.insert(cells.bytes.end(), value.begin(), value.begin() + cells.stride);
          group_rows.append(value.substr(cells.stride));
          return true;
        }));
    if (names.empty()) return Delta{};
    const std::vector<std::string_view> keys(names.begin(), names.end());
    std::vector<std::uint64_t> hashes;
    for (const std::string_view key : keys) hashes.push_back(PointTrace::hash_of(key));
    std::vector<RowError> errors;
    ASSIGN(std::vector<Array> results, calls_.results(keys, hashes, cells, errors));
    TRY(calls_.forget(keys, hashes));
    for (const std::string_view key : keys) states_.erase(key);
    ASSIGN(const Batch groups, group_rows.finish());
    std::vector<Array> columns = groups->columns();
    columns.insert(columns.end(), results.begin(), results.end());
    Delta out{batch_of(schema_, std::move(columns), groups->num_rows()), {}};
    for (const RowError& failed : errors) {
      context.rejects->push_back(
          {Reject::Kind::kError, failed.what, out.rows->Slice(failed.row, 1)});
    }
    return out;
  }

  std::vector<Trace*> traces() override {
    std::vector<Trace*> traces = {&states_};
    calls_.append_traces(traces);
    return traces;
  }

 private:
  /// A window's end, or the time itself, by row.
  Result<Array> end_times(const Evaluated& in) const {
    const Array& group = in.values[time_group_];
    if (group->type_id() != arrow::Type::STRUCT) return group;
    return from_arrow(static_cast<const arrow::StructArray&>(*group).GetFlattenedField(1));
  }

  static Result<std::string> end_key(std::int64_t watermark_us) {
    const auto time = std::make_shared<arrow::Int64Array>(
        1, arrow::Buffer::FromVector(std::vector<std::int64_t>{watermark_us}));
    ASSIGN(const EncodedRows keys, encode_keys(*unnamed_batch({time}, 1), {{0}}));
    return std::string(keys[0]);
  }

  /// Late rows: their group's end is not after the watermark, so it came out already.
  static Status reject_late(Evaluated& in, Array& ends, StepContext& context) {
    if (!context.watermark_us) return {};
    ASSIGN(const ColumnView times, view_column(*ends->data()));
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < in.input.size(); ++row) {
      std::int64_t end = std::numeric_limits<std::int64_t>::max();
      if (!times.is_null(row)) std::memcpy(&end, times.fixed(row, sizeof end), sizeof end);
      if (end > *context.watermark_us) {
        kept.push_back(row);
        continue;
      }
      context.rejects->push_back(
          {Reject::Kind::kLate,
           fmt::format("late: the event time's group ended at {}, the watermark was already at {}",
                       time_text(end), time_text(*context.watermark_us)),
           in.input.rows->Slice(row, 1)});
    }
    if (static_cast<std::int64_t>(kept.size()) == in.input.size()) return {};
    ASSIGN(in.input, take(in.input, kept));
    const std::shared_ptr<arrow::Int64Array> places = std::make_shared<arrow::Int64Array>(
        static_cast<std::int64_t>(kept.size()), arrow::Buffer::Wrap(kept.data(), kept.size()));
    for (Array& values : in.values) {
      if (!values) continue;
      ASSIGN(values, take_nullable(values, *places));
    }
    ASSIGN(ends, take_nullable(ends, *places));
    return {};
  }

  CellMatrix load_cells() const {
    CellMatrix cells{std::vector<char>(groups_.size() * calls_.stride()), calls_.stride()};
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      const std::string* known = states_.get(groups_.keys()[group]);
      if (known) std::memcpy(cells.at(group, 0), known->data(), cells.stride);
    }
    return cells;
  }

  Schema schema_, group_schema_;
  std::size_t group_columns_;
  int time_group_;
  std::vector<KeyColumn> key_;
  AggregateCalls calls_;
  OrderedTrace states_;
  Grouping groups_;
  std::string state_;
};

}  // namespace

Result<OperatorPtr> make_windowed_aggregate(const Plan& plan, TraceHomes& homes) {
  const Type& type = plan.exprs[plan.emit_by_group]->type;
  const bool window = type->id() == arrow::Type::STRUCT && type->num_fields() == 2;
  const Type& time = window ? type->field(1)->type() : type;
  if (time->id() != arrow::Type::TIMESTAMP) {
    return error(Code::kInvalidArgument,
                 "a group that closes by watermark must be a window or a TIMESTAMP, not " +
                     spark_name(*type));
  }
  TraceHome home = homes.next();
  ASSIGN(AggregateCalls calls, AggregateCalls::make(plan, homes));
  return OperatorPtr(std::make_unique<WindowedAggregate>(plan, std::move(calls), std::move(home)));
}

}  // namespace tailrace::engine
