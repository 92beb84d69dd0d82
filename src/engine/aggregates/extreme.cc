// MIN, MAX, FIRST and LAST when rows only come: Δ needs the best value so far and nothing else.
// State by group: size of the value's key (4 bytes), the key by which it won (none for FIRST and
// LAST), the encoded value.
#include "columns/row_codec.h"
#include "engine/aggregates/aggregate_state.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

using Kind = AggregateCall::Kind;

class Extreme final : public KeyedAggregate {
 public:
  Extreme(const AggregateCall& call, TraceHome home)
      : kind_(call.kind),
        schema_(arrow::schema({arrow::field("value", call.type)})),
        best_(std::move(home)) {}

  Result<Array> results(std::span<const std::string_view> groups,
                        std::span<const std::uint64_t> hashes) override {
    static constexpr std::string_view kNullRow = "\x01";
    TRY(best_.open(groups, hashes, slots_));
    RowDecoder values(schema_);
    for (const PointTrace::Slot* slot : slots_) {
      values.append(slot->present ? stored_value(slot->value()) : kNullRow);
    }
    ASSIGN(const Batch batch, values.finish());
    return batch->column(0);
  }

  Status add(const CallChange& change) override {
    const bool ordered = kind_ == Kind::kMin || kind_ == Kind::kMax;
    const Batch column = unnamed_batch({change.values}, change.values->length());
    std::vector<KeyColumn> order;
    if (ordered) order.push_back({0, kind_ == Kind::kMax, true});
    ASSIGN(const EncodedRows keys, encode_keys(*column, order));
    const std::vector<std::int64_t> best = best_rows(change, keys);
    std::vector<std::int64_t> rows;
    for (const std::int64_t row : best) {
      if (row >= 0) rows.push_back(row);
    }
    if (rows.empty()) return {};
    ASSIGN(const Batch winners, take(column, rows));
    ASSIGN(const EncodedRows values, encode_rows(*winners));
    std::int64_t next = 0;
    for (std::size_t group = 0; group < best.size(); ++group) {
      if (best[group] < 0) continue;
      offer(*slots_[group], keys[best[group]], values[next++]);
    }
    return {};
  }

  Status forget(std::span<const std::string_view> groups,
                std::span<const std::uint64_t> hashes) override {
    TRY(best_.open(groups, hashes, slots_));
    for (PointTrace::Slot* slot : slots_) best_.erase(*slot);
    return {};
  }
  Trace& trace() override { return best_; }

 private:
  /// The step's best row by group, -1 when it has none.
  std::vector<std::int64_t> best_rows(const CallChange& change, const EncodedRows& keys) const {
    std::vector<std::int64_t> best(change.groups.size(), -1);
    const bool skips_nulls = kind_ == Kind::kMin || kind_ == Kind::kMax;
    for (std::int64_t row = 0; row < change.values->length(); ++row) {
      if (change.weights[row] <= 0 || (skips_nulls && change.values->IsNull(row))) continue;
      std::int64_t& known = best[change.groups.group_of()[row]];
      if (known < 0 || kind_ == Kind::kLast || keys[row] < keys[known]) known = row;
    }
    return best;
  }

  static std::uint32_t key_size(std::string_view stored) {
    std::uint32_t size;
    std::memcpy(&size, stored.data(), sizeof size);
    return size;
  }
  static std::string_view stored_value(std::string_view stored) {
    return stored.substr(sizeof(std::uint32_t) + key_size(stored));
  }
  void offer(PointTrace::Slot& slot, std::string_view key, std::string_view value) {
    if (slot.present && kind_ != Kind::kLast) {
      const std::string_view known =
          slot.value().substr(sizeof(std::uint32_t), key_size(slot.value()));
      if (!(key < known)) return;
    }
    const auto size = static_cast<std::uint32_t>(key.size());
    stored_.assign(reinterpret_cast<const char*>(&size), sizeof size);
    stored_ += key;
    stored_ += value;
    best_.put(slot, stored_);
  }

  Kind kind_;
  Schema schema_;
  PointTrace best_;
  std::vector<PointTrace::Slot*> slots_;
  std::string stored_;
};

}  // namespace

std::unique_ptr<KeyedAggregate> make_extreme(const AggregateCall& call, TraceHome home) {
  return std::make_unique<Extreme>(call, std::move(home));
}

}  // namespace tailrace::engine
