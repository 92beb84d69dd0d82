// The first row of each partition when rows only come, never go: Δ(first A)(p) = new − old where a
// row of ΔA before the old one arrived. State: order key and row by partition; where a table keeps
// the row, order key and the row's hash, kept there too. This is deduplication: one slot a key, no
// scan.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/evaluation.h"
#include "engine/grouping.h"
#include "engine/operators/operators.h"
#include "engine/operators/ordering.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class FirstOf final : public Operator {
 public:
  FirstOf(const Plan& plan, TraceHomes& homes, LeftToTable* left)
      : schema_(plan.schema), ordering_(plan), first_(trace(homes, left)), left_(left) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(const Ordered in, ordering_.encode(inputs[0], context));
    if (in.input.empty()) return Delta{};
    groups_.assign(in.partitions);
    TRY(first_.open(groups_.keys(), groups_.hashes(), slots_));
    RowDecoder old_rows(in.input.rows->schema());
    std::int64_t old_count = 0;
    std::vector<std::int64_t> new_rows;
    const std::vector<std::int64_t> best = best_rows(in);
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      PointTrace::Slot& slot = *slots_[group];
      if (slot.present) {
        if (!before(in, best[group], slot.value())) continue;
        if (left_) {
          left_->replaced.emplace_back(groups_.keys()[group]);
        } else {
          old_rows.append(stored_tie(slot.value()));
          ++old_count;
        }
      }
      store(in, best[group], slot);
      if (left_) left_->notes.push_back({slot.key(), slot.value()});
      new_rows.push_back(best[group]);
    }
    return output(in.input.rows, new_rows, old_rows, old_count);
  }
  std::vector<Trace*> traces() override { return {&first_}; }

 private:
  static PointTrace trace(TraceHomes& homes, const LeftToTable* left) {
    TraceHome home = homes.next();
    return left ? PointTrace(home.fresh, left->kept->notes) : PointTrace(std::move(home));
  }

  std::vector<std::int64_t> best_rows(const Ordered& in) const {
    std::vector<std::int64_t> best = groups_.first_rows();
    for (std::int64_t row = 0; row < in.input.size(); ++row) {
      std::int64_t& known = best[groups_.group_of()[row]];
      if (known == row) continue;
      const int order = in.orders[row].compare(in.orders[known]);
      if (order < 0 || (order == 0 && tie(in, row) < tie(in, known))) known = row;
    }
    return best;
  }

  /// What decides between rows of one order: their bytes, or the hash of them.
  std::string tie(const Ordered& in, std::int64_t row) const {
    const std::string_view bytes = in.rows[row];
    if (!left_) return std::string(bytes);
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes.data(), bytes.size()));
    return {reinterpret_cast<const char*>(hash.digest), sizeof hash.digest};
  }
  // A slot's value: size of the order key (4 bytes, of this machine), order key, what tie() gives.
  static std::uint32_t order_size(std::string_view value) {
    std::uint32_t size;
    std::memcpy(&size, value.data(), sizeof size);
    return size;
  }
  static std::string_view stored_tie(std::string_view value) {
    return value.substr(sizeof(std::uint32_t) + order_size(value));
  }
  bool before(const Ordered& in, std::int64_t row, std::string_view value) const {
    const std::string_view stored = value.substr(sizeof(std::uint32_t), order_size(value));
    const int order = in.orders[row].compare(stored);
    return order != 0 ? order < 0 : tie(in, row) < stored_tie(value);
  }
  void store(const Ordered& in, std::int64_t row, PointTrace::Slot& slot) {
    const auto size = static_cast<std::uint32_t>(in.orders[row].size());
    value_.assign(reinterpret_cast<const char*>(&size), sizeof size);
    value_ += in.orders[row];
    if (left_) {
      value_ += tie(in, row);
    } else {
      value_ += in.rows[row];
    }
    first_.put(slot, value_);
  }

  Result<Delta> output(const Batch& input, std::span<const std::int64_t> new_rows,
                       RowDecoder& old_rows, std::int64_t old_count) const {
    if (new_rows.empty()) return Delta{};
    Delta added;
    if (static_cast<std::int64_t>(new_rows.size()) == input->num_rows()) {
      added.rows = input;  // each row of its own partition, in order of appearance
    } else {
      ASSIGN(added.rows, take(input, new_rows));
    }
    if (old_count == 0) return with_first_rank(std::move(added), schema_);
    Delta gone{nullptr, std::vector<Weight>(old_count, -1)};
    ASSIGN(gone.rows, old_rows.finish());
    const Delta both[] = {std::move(gone), std::move(added)};
    ASSIGN(Delta out, concat(both, input->schema()));
    return with_first_rank(std::move(out), schema_);
  }

  Schema schema_;
  Ordering ordering_;
  PointTrace first_;
  LeftToTable* left_;
  Grouping groups_;
  std::vector<PointTrace::Slot*> slots_;
  std::string value_;
};

}  // namespace

OperatorPtr make_first_of(const Plan& plan, TraceHomes& homes, LeftToTable* left) {
  return std::make_unique<FirstOf>(plan, homes, left);
}

}  // namespace tailrace::engine
