// count, min, max, sum and avg. Whole sums wrap around within their type, as Cassandra's do.
#include <cmath>

#include "base/bytes.h"
#include "cql_terms/native.h"
#include "cql_terms/number.h"
#include "cql_types/compare.h"

namespace tailrace::cql_terms {

using cql_types::Kind;
using cql_types::native_type;

namespace {

std::unexpected<cql_types::Failure> server_failure(const std::string& why) {
  return cql_types::failure(cql_types::ErrorCode::kServer, why);
}

class Count : public Accumulator {
 public:
  Outcome<void> add(Part value) override {
    count_ += value ? 1 : 0;
    return {};
  }
  Outcome<Made> take() override { return whole_bytes(Kind::kBigint, std::exchange(count_, 0)); }

 private:
  std::int64_t count_ = 0;
};

class Extreme : public Accumulator {
 public:
  Extreme(TypePtr type, bool max) : type_(std::move(type)), max_(max) {}
  Outcome<void> add(Part value) override {
    if (!value || (type_->kind == Kind::kCounter && value->empty())) return {};
    if (best_) {
      const auto order = compared(*best_, *value);
      if (max_ ? order >= 0 : order <= 0) return {};
    }
    best_ = std::string(*value);
    return {};
  }
  Outcome<Made> take() override { return std::exchange(best_, std::nullopt); }

 private:
  std::weak_ordering compared(std::string_view a, std::string_view b) const {
    if (type_->kind == Kind::kCounter)
      return load_be<std::int64_t>(a.data()) <=> load_be<std::int64_t>(b.data());
    return cql_types::compare(*type_, a, b);
  }

  TypePtr type_;
  bool max_;
  Made best_;
};

// Of numbers, which nulls and empty values are not.
class OfNumbers : public Accumulator {
 public:
  explicit OfNumbers(Kind kind) : kind_(kind) {}
  Outcome<void> add(Part value) override {
    ASSIGN(const auto number, read_number(kind_, value));
    if (!number) return {};
    return add_number(*number);
  }

 protected:
  virtual Outcome<void> add_number(const Number& number) = 0;
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

class WholeSum : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    sum_ += static_cast<std::uint64_t>(number.whole);
    return {};
  }
  Outcome<Made> take() override {
    return whole_bytes(kind(), static_cast<std::int64_t>(std::exchange(sum_, 0)));
  }

 private:
  std::uint64_t sum_ = 0;
};

class VarintSum : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    sum_ += number.big.unscaled;
    return {};
  }
  Outcome<Made> take() override { return varint_of(std::exchange(sum_, 0)); }

 private:
  Whole sum_ = 0;
};

class DecimalSum : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    auto sum = cql_terms::add(sum_, number.big, true);
    if (!sum) return server_failure("sum failed: " + sum.error());
    sum_ = std::move(*sum);
    return {};
  }
  Outcome<Made> take() override {
    auto bytes = decimal_of(std::exchange(sum_, Big{}));
    if (!bytes) return server_failure("sum failed: " + bytes.error());
    return std::move(*bytes);
  }

 private:
  Big sum_;
};

// Kahan's sum, as Cassandra has it: the compensation is added in the end.
struct CompensatedSum {
  double sum = 0, compensation = 0, simple = 0;

  void add(double value) {
    simple += value;
    const double corrected = value - compensation;
    const double rounded = sum + corrected;
    compensation = (rounded - sum) - corrected;
    sum = rounded;
  }
  double total() const {
    const double value = sum + compensation;
    return std::isnan(value) && std::isinf(simple) ? simple : value;
  }
};

std::string floating_bytes(Kind kind, double value) {
  return kind == Kind::kFloat ? float_bytes(static_cast<float>(value)) : double_bytes(value);
}

class FloatingSum : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    sum_.add(number.wide);
    return {};
  }
  Outcome<Made> take() override { return floating_bytes(kind(), std::exchange(sum_, {}).total()); }

 private:
  CompensatedSum sum_;
};

// Cut off towards zero.
class WholeAverage : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    ++count_;
    sum_ += number.as_varint();
    return {};
  }
  Outcome<Made> take() override {
    const Whole average = count_ == 0 ? Whole(0) : Whole(sum_ / count_);
    sum_ = 0;
    count_ = 0;
    if (kind() == Kind::kVarint) return varint_of(average);
    return whole_bytes(kind(), static_cast<std::int64_t>(average));
  }

 private:
  Whole sum_ = 0;
  std::int64_t count_ = 0;
};

class DecimalAverage : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  // avg + (number - avg) / count at each step, which is what Cassandra rounds.
  Outcome<void> add_number(const Number& number) override {
    ++count_;
    const auto distance = cql_terms::add(number.big, {-average_.unscaled, average_.scale}, true);
    if (!distance) return server_failure("avg failed: " + distance.error());
    const auto step = divide(*distance, {count_, 0}, distance->scale, Rounding::kHalfEven);
    if (!step) return server_failure("avg failed: " + step.error());
    auto average = cql_terms::add(average_, *step, true);
    if (!average) return server_failure("avg failed: " + average.error());
    average_ = std::move(*average);
    return {};
  }
  Outcome<Made> take() override {
    count_ = 0;
    auto bytes = decimal_of(std::exchange(average_, Big{}));
    if (!bytes) return server_failure("avg failed: " + bytes.error());
    return std::move(*bytes);
  }

 private:
  Big average_;
  std::int64_t count_ = 0;
};

class FloatingAverage : public OfNumbers {
 public:
  using OfNumbers::OfNumbers;
  Outcome<void> add_number(const Number& number) override {
    ++count_;
    if (big_) return add_big(number.wide);
    const double before = sum_.sum;
    sum_.add(number.wide);
    if (!std::isinf(sum_.sum) || std::isinf(number.wide)) return {};
    big_ = big_of(before);
    return add_big(number.wide);
  }
  Outcome<Made> take() override {
    double average = 0;
    if (count_ > 0 && big_) {
      const auto quotient = divide(*big_, {count_, 0}, big_->scale, Rounding::kHalfEven);
      if (!quotient) return server_failure("avg failed: " + quotient.error());
      average = to_double(*quotient);
    } else if (count_ > 0) {
      average = sum_.total() / static_cast<double>(count_);
    }
    sum_ = {};
    big_.reset();
    count_ = 0;
    return floating_bytes(kind(), average);
  }

 private:
  Outcome<void> add_big(double value) {
    if (std::isnan(value) || std::isinf(value))
      return server_failure("java.lang.NumberFormatException: Infinite or NaN");
    auto sum = cql_terms::add(*big_, big_of(value), true);
    if (!sum) return server_failure("avg failed: " + sum.error());
    big_ = std::move(*sum);
    return {};
  }

  CompensatedSum sum_;
  std::optional<Big> big_;  // once the sum is beyond a double
  std::int64_t count_ = 0;
};

template <typename Of>
MakeAccumulator maker(Kind kind) {
  return [kind]() -> std::unique_ptr<Accumulator> { return std::make_unique<Of>(kind); };
}

Function aggregate(std::string name, std::vector<TypePtr> arguments, TypePtr result,
                   MakeAccumulator make) {
  Function function;
  function.name = std::move(name);
  function.arguments = std::move(arguments);
  function.result = std::move(result);
  function.accumulator = std::move(make);
  return function;
}

Factory extreme(const std::string& name, bool max) {
  return factory(name, {{Parameter::Kind::kAnyOrReceiver}},
                 [=](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                   return std::make_shared<const Function>(
                       aggregate(name, types, types[0], min_or_max(types[0], max)));
                 });
}

}  // namespace

MakeAccumulator min_or_max(const TypePtr& type, bool max) {
  return [=]() -> std::unique_ptr<Accumulator> { return std::make_unique<Extreme>(type, max); };
}

MakeAccumulator sum_of(Kind kind) {
  switch (kind) {
    case Kind::kVarint:
      return maker<VarintSum>(kind);
    case Kind::kDecimal:
      return maker<DecimalSum>(kind);
    case Kind::kFloat:
    case Kind::kDouble:
      return maker<FloatingSum>(kind);
    default:
      return maker<WholeSum>(kind);
  }
}

MakeAccumulator average_of(Kind kind) {
  switch (kind) {
    case Kind::kDecimal:
      return maker<DecimalAverage>(kind);
    case Kind::kFloat:
    case Kind::kDouble:
      return maker<FloatingAverage>(kind);
    default:
      return maker<WholeAverage>(kind);
  }
}

void add_aggregates(NativeFunctions& functions) {
  const MakeAccumulator count = []() -> std::unique_ptr<Accumulator> {
    return std::make_unique<Count>();
  };
  const auto bigint = native_type(Kind::kBigint);
  auto rows = aggregate("count_rows", {}, bigint, count);
  rows.style = Function::Style::kCountRows;
  functions.add(std::move(rows), "countRows");
  functions.add(aggregate("count", {native_type(Kind::kBlob)}, bigint, count));
  for (int i = 0; i < static_cast<int>(Kind::kList); ++i) {
    const auto kind = static_cast<Kind>(i);
    if (!is_number(kind)) continue;
    const auto type = native_type(kind);
    functions.add(aggregate("sum", {type}, type, sum_of(kind)));
    functions.add(aggregate("avg", {type}, type, average_of(kind)));
  }
  functions.add(extreme("min", false));
  functions.add(extreme("max", true));
}

}  // namespace tailrace::cql_terms
