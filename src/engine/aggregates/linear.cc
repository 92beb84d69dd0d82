// Aggregates that are sums over rows. Whole numbers and decimals add up exactly in 128 bits; reals
// in twice a double's bits (an error term beside the sum, Knuth's two-sum), with NaN and infinities
// counted apart so that they can leave.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "engine/aggregates/aggregate_state.h"

namespace tailrace::engine {
namespace {

using Kind = AggregateCall::Kind;
__extension__ typedef __int128 Int128;

template <typename Cell>
Cell load(const char* from) {
  Cell cell;
  std::memcpy(&cell, from, sizeof cell);
  return cell;
}

template <typename Cell>
void store(char* to, const Cell& cell) {
  std::memcpy(to, &cell, sizeof cell);
}

bool valid_at(const Array& values, std::int64_t row) {
  return !values || values->IsValid(row);
}

class Count final : public LinearAggregate {
 public:
  std::size_t cell_size() const override { return sizeof(std::int64_t); }
  Status add(const CallChange& change, CellMatrix& cells, std::size_t offset) const override {
    const bool nulls = change.values && change.values->null_count() != 0;
    const auto& groups = change.groups.group_of();
    for (std::size_t row = 0; row < groups.size(); ++row) {
      if (nulls && change.values->IsNull(static_cast<std::int64_t>(row))) continue;
      char* cell = cells.at(groups[row], offset);
      store(cell, load<std::int64_t>(cell) + change.weights[row]);
    }
    return {};
  }
  Result<Array> results(const CellMatrix& cells, std::size_t offset,
                        std::vector<RowError>&) const override {
    std::vector<std::int64_t> counts(cells.groups());
    for (std::size_t g = 0; g < counts.size(); ++g) {
      counts[g] = load<std::int64_t>(cells.at(g, offset));
    }
    const auto rows = static_cast<std::int64_t>(counts.size());
    return Array(
        std::make_shared<arrow::Int64Array>(rows, arrow::Buffer::FromVector(std::move(counts))));
  }
};

struct WholeCell {
  Int128 sum = 0;
  std::int64_t count = 0;
  std::int64_t unused = 0;
};

/// Adds raw values of type T, weighted, to WholeCells.
template <typename T>
void add_whole(const CallChange& change, CellMatrix& cells, std::size_t offset) {
  const T* values = change.values->data()->GetValues<T>(1);
  const bool nulls = change.values->null_count() != 0;
  const auto& groups = change.groups.group_of();
  for (std::size_t row = 0; row < groups.size(); ++row) {
    if (nulls && change.values->IsNull(static_cast<std::int64_t>(row))) continue;
    char* at = cells.at(groups[row], offset);
    auto cell = load<WholeCell>(at);
    cell.sum += static_cast<Int128>(values[row]) * change.weights[row];
    cell.count += change.weights[row];
    store(at, cell);
  }
}

/// SUM and AVG of whole numbers and decimals.
class WholeSum final : public LinearAggregate {
 public:
  explicit WholeSum(const AggregateCall& call)
      : type_(call.type),
        input_(call.arg->type),
        average_(call.kind == Kind::kAvg),
        place_(call.place) {}
  std::size_t cell_size() const override { return sizeof(WholeCell); }

  Status add(const CallChange& change, CellMatrix& cells, std::size_t offset) const override {
    switch (input_->id()) {
      case arrow::Type::INT8:
        add_whole<std::int8_t>(change, cells, offset);
        break;
      case arrow::Type::INT16:
        add_whole<std::int16_t>(change, cells, offset);
        break;
      case arrow::Type::INT32:
        add_whole<std::int32_t>(change, cells, offset);
        break;
      case arrow::Type::INT64:
        add_whole<std::int64_t>(change, cells, offset);
        break;
      default:
        add_whole<Int128>(change, cells, offset);
        break;  // DECIMAL, little endian as this machine
    }
    return {};
  }

  Result<Array> results(const CellMatrix& cells, std::size_t offset,
                        std::vector<RowError>& errors) const override {
    ASSIGN(auto builder, from_arrow(arrow::MakeBuilder(type_)));
    for (std::size_t g = 0; g < cells.groups(); ++g) {
      const auto cell = load<WholeCell>(cells.at(g, offset));
      if (cell.count == 0) {
        TRY(from_arrow(builder->AppendNull()));
      } else if (!append(cell, *builder)) {
        errors.push_back({static_cast<std::int64_t>(g),
                          fmt::format("[ARITHMETIC_OVERFLOW] the {} leaves {} ({})",
                                      average_ ? "average" : "sum", spark_name(*type_), place_)});
        TRY(from_arrow(builder->AppendNull()));
      }
    }
    return from_arrow(builder->Finish());
  }

 private:
  bool append(const WholeCell& cell, arrow::ArrayBuilder& builder) const {
    switch (type_->id()) {
      case arrow::Type::DOUBLE: {
        const double sum = static_cast<double>(cell.sum);
        return static_cast<arrow::DoubleBuilder&>(builder)
            .Append(average_ ? sum / static_cast<double>(cell.count) : sum)
            .ok();
      }
      case arrow::Type::INT64:
        if (cell.sum != static_cast<std::int64_t>(cell.sum)) return false;
        return static_cast<arrow::Int64Builder&>(builder)
            .Append(static_cast<std::int64_t>(cell.sum))
            .ok();
      default:
        return append_decimal(cell, static_cast<arrow::Decimal128Builder&>(builder));
    }
  }

  bool append_decimal(const WholeCell& cell, arrow::Decimal128Builder& builder) const {
    const auto& type = static_cast<const arrow::Decimal128Type&>(*type_);
    arrow::Decimal128 value(static_cast<std::int64_t>(cell.sum >> 64),
                            static_cast<std::uint64_t>(cell.sum));
    if (average_) {
      const auto& from = static_cast<const arrow::Decimal128Type&>(*input_);
      auto scaled = arrow::Decimal256(value).IncreaseScaleBy(type.scale() - from.scale());
      arrow::BasicDecimal256 quotient, rest;
      const arrow::BasicDecimal256 count(cell.count);
      if (scaled.Divide(count, &quotient, &rest) != arrow::DecimalStatus::kSuccess) return false;
      // HALF_UP: away from zero when twice the rest reaches the count.
      rest.Abs();
      arrow::BasicDecimal256 twice = rest;
      twice += rest;
      if (twice >= count) quotient += arrow::BasicDecimal256(cell.sum < 0 ? -1 : 1);
      const auto fit = arrow::Decimal256(quotient);
      if (!fit.FitsInPrecision(38)) return false;
      value = arrow::Decimal128(static_cast<std::int64_t>(fit.native_endian_array()[1]),
                                fit.native_endian_array()[0]);
    }
    return value.FitsInPrecision(type.precision()) && builder.Append(value).ok();
  }

  Type type_, input_;
  bool average_;
  std::string place_;
};

/// A sum of doubles with its error term, and the values that are no numbers.
struct RealSum {
  double high = 0, low = 0;

  void add(double x) {
    const double sum = high + x;
    const double part = sum - high;
    low += (high - (sum - part)) + (x - part);
    high = sum;
  }
  double value() const { return high + low; }
};

struct RealCell {
  RealSum sum, squares;
  std::int64_t count = 0, nans = 0, positives = 0, negatives = 0;  // infinities, the last two

  void add(double x, Weight weight, bool squared) {
    count += weight;
    if (std::isnan(x)) {
      nans += weight;
    } else if (std::isinf(x)) {
      (x > 0 ? positives : negatives) += weight;
    } else {
      const auto times = static_cast<double>(weight);
      sum.add(x * times);
      if (!squared) return;
      const double square = x * x;
      squares.add(square * times);
      squares.add(std::fma(x, x, -square) * times);
    }
  }
  double total() const {
    if (nans != 0 || (positives != 0 && negatives != 0)) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    if (positives != 0) return std::numeric_limits<double>::infinity();
    if (negatives != 0) return -std::numeric_limits<double>::infinity();
    return sum.value();
  }
};

template <typename T>
void add_real(const CallChange& change, CellMatrix& cells, std::size_t offset, bool squared) {
  const T* values = change.values->data()->GetValues<T>(1);
  const auto& groups = change.groups.group_of();
  for (std::size_t row = 0; row < groups.size(); ++row) {
    if (change.weights[row] == 0 || !valid_at(change.values, static_cast<std::int64_t>(row)))
      continue;
    char* at = cells.at(groups[row], offset);
    auto cell = load<RealCell>(at);
    cell.add(static_cast<double>(values[row]), change.weights[row], squared);
    store(at, cell);
  }
}

/// SUM and AVG of reals; STDDEV and VARIANCE (of a sample, null below two rows as in Spark) of any
/// number.
class RealMoments final : public LinearAggregate {
 public:
  explicit RealMoments(const AggregateCall& call) : kind_(call.kind), input_(call.arg->type) {}
  std::size_t cell_size() const override { return sizeof(RealCell); }

  Status add(const CallChange& change, CellMatrix& cells, std::size_t offset) const override {
    const bool squared = kind_ == Kind::kStddev || kind_ == Kind::kVariance;
    switch (input_->id()) {
      case arrow::Type::INT8:
        add_real<std::int8_t>(change, cells, offset, squared);
        break;
      case arrow::Type::INT16:
        add_real<std::int16_t>(change, cells, offset, squared);
        break;
      case arrow::Type::INT32:
        add_real<std::int32_t>(change, cells, offset, squared);
        break;
      case arrow::Type::INT64:
        add_real<std::int64_t>(change, cells, offset, squared);
        break;
      case arrow::Type::FLOAT:
        add_real<float>(change, cells, offset, squared);
        break;
      default:
        add_real<double>(change, cells, offset, squared);
        break;
    }
    return {};
  }

  Result<Array> results(const CellMatrix& cells, std::size_t offset,
                        std::vector<RowError>&) const override {
    arrow::DoubleBuilder builder;
    for (std::size_t g = 0; g < cells.groups(); ++g) {
      const auto cell = load<RealCell>(cells.at(g, offset));
      const bool sampled = kind_ == Kind::kStddev || kind_ == Kind::kVariance;
      if (cell.count < (sampled ? 2 : 1)) {
        TRY(from_arrow(builder.AppendNull()));
      } else {
        TRY(from_arrow(builder.Append(result(cell))));
      }
    }
    return from_arrow(builder.Finish());
  }

 private:
  double result(const RealCell& cell) const {
    const auto count = static_cast<double>(cell.count);
    if (kind_ == Kind::kSum) return cell.total();
    if (kind_ == Kind::kAvg) return cell.total() / count;
    if (!std::isfinite(cell.total())) return std::numeric_limits<double>::quiet_NaN();
    const long double sum = static_cast<long double>(cell.sum.high) + cell.sum.low;
    const long double squares = static_cast<long double>(cell.squares.high) + cell.squares.low;
    const long double spread = std::max(0.0L, squares - sum * sum / cell.count);
    const double variance = static_cast<double>(spread / (cell.count - 1));
    return kind_ == Kind::kStddev ? std::sqrt(variance) : variance;
  }

  Kind kind_;
  Type input_;
};

bool whole(arrow::Type::type id) {
  return id == arrow::Type::INT8 || id == arrow::Type::INT16 || id == arrow::Type::INT32 ||
         id == arrow::Type::INT64;
}

}  // namespace

bool is_linear(Kind kind) {
  switch (kind) {
    case Kind::kCountStar:
    case Kind::kCount:
    case Kind::kSum:
    case Kind::kAvg:
    case Kind::kStddev:
    case Kind::kVariance:
    case Kind::kApproxCountDistinct:
      return true;
    default:
      return false;
  }
}

Result<std::unique_ptr<LinearAggregate>> make_linear(const AggregateCall& call) {
  std::unique_ptr<LinearAggregate> out;
  if (call.kind == Kind::kCountStar || call.kind == Kind::kCount ||
      call.kind == Kind::kApproxCountDistinct) {
    out = std::make_unique<Count>();
    return out;
  }
  const auto id = call.arg->type->id();
  const bool real = id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE;
  const bool sums = call.kind == Kind::kSum || call.kind == Kind::kAvg;
  if (sums && (whole(id) || id == arrow::Type::DECIMAL128)) {
    out = std::make_unique<WholeSum>(call);
  } else if (real || whole(id)) {
    out = std::make_unique<RealMoments>(call);
  } else {
    return error(Code::kUnimplemented, fmt::format("not supported yet: this aggregate of {} at {}",
                                                   spark_name(*call.arg->type), call.place));
  }
  return out;
}

}  // namespace tailrace::engine
