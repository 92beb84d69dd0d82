// Encoding, state and look-up of one side of a join.
#include "engine/operators/join_side.h"

#include "engine/evaluation.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

/// Splits rows into those with all keys and those without.
Status split_nulls(Evaluated& in, JoinDelta& out) {
  bool nulls = false;
  for (const Array& key : in.values) nulls |= key->null_count() != 0;
  if (!nulls) {
    out.input = std::move(in.input);
    return {};
  }
  std::vector<std::int64_t> whole, broken;
  for (std::int64_t row = 0; row < in.input.size(); ++row) {
    bool null = false;
    for (const Array& key : in.values) null |= key->IsNull(row);
    (null ? broken : whole).push_back(row);
  }
  ASSIGN(out.input, take(in.input, whole));
  ASSIGN(out.unmatched, take(in.input, broken));
  ASSIGN(const Batch keys, take(unnamed_batch(std::move(in.values), in.input.size()), whole));
  in.values = keys->columns();
  return {};
}

}  // namespace

Result<JoinDelta> JoinSide::encode(const Delta& input, StepContext& context) const {
  JoinDelta out;
  if (input.empty()) {
    ASSIGN(out.input.rows, from_arrow(arrow::RecordBatch::MakeEmpty(schema_)));
    return out;
  }
  ASSIGN(Evaluated in, evaluate_all(keys_, input, context));
  TRY(split_nulls(in, out));
  std::vector<KeyColumn> order;
  for (std::size_t i = 0; i < keys_.size(); ++i) order.push_back({static_cast<int>(i)});
  ASSIGN(out.keys, encode_keys(*unnamed_batch(std::move(in.values), out.input.size()), order));
  ASSIGN(const EncodedRows rows, encode_rows(*out.input.rows));
  out.rows = append_bytes(out.keys, rows);
  out.by_key.assign(out.keys);
  out.by_row.assign(out.rows);
  out.sums.assign(out.by_row.size(), 0);
  for (std::int64_t row = 0; row < out.input.size(); ++row) {
    out.sums[out.by_row.group_of()[row]] += out.input.weight(row);
  }
  return out;
}

Status JoinSide::apply(const JoinDelta& delta) {
  TRY(rows_.load(delta.by_row.keys()));
  for (std::size_t group = 0; group < delta.by_row.size(); ++group) {
    if (delta.sums[group] == 0) continue;
    const std::string_view key = delta.by_row.keys()[group];
    JoinHeld held{0, 0, delta.keys[delta.by_row.first_rows()[group]].size()};
    if (const std::string* known = rows_.get(key)) held = JoinHeld::read(*known);
    held.weight += delta.sums[group];
    if (held.weight == 0) {
      rows_.erase(key);
    } else {
      rows_.put(key, held.bytes());
    }
  }
  return {};
}

Result<JoinMatches> JoinSide::matches(const JoinDelta& other) const {
  JoinMatches out;
  RowDecoder rows(schema_);
  for (const std::string_view prefix : other.by_key.keys()) {
    out.begins.push_back(static_cast<std::int64_t>(out.weights.size()));
    TRY(rows_.scan_prefix(prefix, [&](std::string_view key, std::string_view value) {
      const JoinHeld held = JoinHeld::read(value);
      rows.append(key.substr(held.row_at));
      out.keys.emplace_back(key);
      out.weights.push_back(held.weight);
      out.matched.push_back(held.matched);
      out.row_at.push_back(held.row_at);
      return true;
    }));
  }
  out.begins.push_back(static_cast<std::int64_t>(out.weights.size()));
  ASSIGN(out.rows, rows.finish());
  return out;
}

}  // namespace tailrace::engine
