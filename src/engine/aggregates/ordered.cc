// Aggregates that need every value: MIN and MAX of an input that retracts, COLLECT_LIST (in value
// order, since arrival has no order in a Z-set), COLLECT_SET, and FIRST and LAST, which here are
// the least and the greatest value, nulls being least. State: how often (8 bytes) each (group,
// value) is there, and the encoded value.
#include "columns/row_codec.h"
#include "engine/aggregates/aggregate_state.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

using Kind = AggregateCall::Kind;

class Ordered final : public KeyedAggregate {
 public:
  Ordered(const AggregateCall& call, TraceHome home)
      : kind_(call.kind),
        type_(call.type),
        schema_(arrow::schema({arrow::field("value", call.arg->type)})),
        values_(std::move(home)) {
    if (call.kind == Kind::kCollectList && call.distinct) kind_ = Kind::kCollectSet;
  }

  Result<Array> results(std::span<const std::string_view> groups,
                        std::span<const std::uint64_t>) override {
    return lists() ? all_values(groups) : first_values(groups);
  }

  Status add(const CallChange& change) override {
    const Batch column = unnamed_batch({change.values}, change.values->length());
    const bool descending = kind_ == Kind::kMax || kind_ == Kind::kLast;
    ASSIGN(const EncodedRows value_keys, encode_keys(*column, {{0, descending, !descending}}));
    ASSIGN(const EncodedRows values, encode_rows(*column));
    const EncodedRows keys = append_bytes(change.keys, value_keys);
    Grouping distinct;
    distinct.assign(keys);
    TRY(values_.load(distinct.keys()));
    std::vector<Weight> sums(distinct.size(), 0);
    for (std::int64_t row = 0; row < column->num_rows(); ++row) {
      if (keeps_nulls() || change.values->IsValid(row)) {
        sums[distinct.group_of()[row]] += change.weights[row];
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (sums[i] != 0) add(distinct.keys()[i], values[distinct.first_rows()[i]], sums[i]);
    }
    return {};
  }

  Status forget(std::span<const std::string_view> groups, std::span<const std::uint64_t>) override {
    std::vector<std::string> keys;
    for (const std::string_view group : groups) {
      TRY(values_.scan_prefix(group, [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return true;
      }));
    }
    for (const std::string& key : keys) values_.erase(key);
    return {};
  }
  Trace& trace() override { return values_; }

 private:
  bool lists() const { return kind_ == Kind::kCollectList || kind_ == Kind::kCollectSet; }
  bool keeps_nulls() const { return kind_ == Kind::kFirst || kind_ == Kind::kLast; }

  static Weight count_of(std::string_view stored) {
    Weight count;
    std::memcpy(&count, stored.data(), sizeof count);
    return count;
  }

  void add(std::string_view key, std::string_view value, Weight sum) {
    if (const std::string* known = values_.get(key)) sum += count_of(*known);
    if (sum == 0) return values_.erase(key);
    std::string stored(reinterpret_cast<const char*>(&sum), sizeof sum);
    stored += value;
    values_.put(key, stored);
  }

  Result<Array> first_values(std::span<const std::string_view> groups) {
    static constexpr std::string_view kNullRow = "\x01";
    RowDecoder values(schema_);
    for (const std::string_view group : groups) {
      bool found = false;
      TRY(values_.scan_prefix(group, [&](std::string_view, std::string_view stored) {
        values.append(stored.substr(sizeof(Weight)));
        found = true;
        return false;
      }));
      if (!found) values.append(kNullRow);
    }
    ASSIGN(const Batch batch, values.finish());
    return batch->column(0);
  }

  Result<Array> all_values(std::span<const std::string_view> groups) {
    RowDecoder values(schema_);
    std::vector<std::int32_t> offsets = {0};
    for (const std::string_view group : groups) {
      std::int32_t size = 0;
      TRY(values_.scan_prefix(group, [&](std::string_view, std::string_view stored) {
        const Weight times = kind_ == Kind::kCollectSet ? 1 : count_of(stored);
        for (Weight i = 0; i < times; ++i) values.append(stored.substr(sizeof(Weight)));
        size += static_cast<std::int32_t>(times);
        return true;
      }));
      offsets.push_back(offsets.back() + size);
    }
    ASSIGN(const Batch batch, values.finish());
    return Array(std::make_shared<arrow::ListArray>(type_, static_cast<std::int64_t>(groups.size()),
                                                    arrow::Buffer::FromVector(std::move(offsets)),
                                                    batch->column(0)));
  }

  Kind kind_;
  Type type_;
  Schema schema_;
  OrderedTrace values_;
};

}  // namespace

std::unique_ptr<KeyedAggregate> make_ordered(const AggregateCall& call, TraceHome home) {
  return std::make_unique<Ordered>(call, std::move(home));
}

}  // namespace tailrace::engine
