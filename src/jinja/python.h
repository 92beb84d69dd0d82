// What Python's operators and built-in functions do with values, and the limits they keep to while
// a template renders. Failures are Errors whose text begins with Python's class of exception:
// `TypeError: unsupported operand type(s) for +: 'int' and 'str'`.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "jinja/value.h"

namespace tailrace::jinja {

std::unexpected<Error> type_error(std::string what);
std::unexpected<Error> value_error(std::string what);
std::unexpected<Error> undefined_error(std::string what);
std::unexpected<Error> raised(std::string_view python_class, std::string what,
                              Code code = Code::kInvalidArgument);
/// The class before the colon: `TypeError`.
std::string_view exception_class(const Error& error);

/// What one rendering may spend; functions find it through the thread that renders.
struct Budget {
  std::uint64_t rendering = 0;  ///< number of this rendering, never 0
  std::int64_t steps_left = 0;
  std::size_t max_output = 0;
  int depth = 0;
  bool strict_undefined = true;
  std::function<double()> random;                                    ///< [0, 1)
  std::function<std::int64_t()> clock;                               ///< microseconds since 1970
  std::function<Result<std::string>(const std::string& name)> load;  ///< of templates
};
/// Null when this thread renders nothing.
Budget* budget();
/// Makes `budget` the thread's until the end of its life.
class Spending {
 public:
  explicit Spending(Budget& budget);
  ~Spending();
  Spending(const Spending&) = delete;
  Spending& operator=(const Spending&) = delete;

 private:
  Budget* before_;
};
/// Takes steps; kResourceExhausted when none are left.
Status spend(std::int64_t steps);
/// For a text or list of this size that is about to be made: too large is kResourceExhausted.
Status spend_bytes(std::size_t bytes);
Status spend_items(std::size_t count);
/// `bytes` for each of `count`, checked without overflow.
Status spend_product(std::int64_t count, std::size_t bytes);

/// Passes a value that may be used; one that is undefined fails as Jinja's undefined does.
Status defined(const Value& value);
/// str(), bool(), iteration and len() as operations that may fail.
Result<std::string> to_text(const Value& value);
Result<bool> to_truth(const Value& value);
Result<List> iterate(const Value& value);
Result<std::int64_t> length(const Value& value);
Result<bool> contains(const Value& container, const Value& element);
/// iterate() would give elements.
bool iterable(const Value& value);

enum class Operator { kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow };
Result<Value> operate(Operator op, const Value& left, const Value& right);
Result<Value> negate(const Value& value);
Result<Value> unary_plus(const Value& value);
enum class Comparison { kEq, kNe, kLt, kLe, kGt, kGe };
Result<bool> compare(Comparison op, const Value& left, const Value& right);
/// Stable sort by Python's `<`.
Result<List> sorted(const List& list, const std::function<Result<Value>(const Value&)>& key,
                    bool reverse);

/// `value[key]`; slices are Slice objects. Fails with KeyError, IndexError, TypeError.
Result<Value> subscript(const Value& value, const Value& key);
struct Slice {
  std::optional<std::int64_t> start, stop, step;
};
Result<Value> slice(const Value& value, const Slice& slice);
/// Method or attribute of a value of Python's own types; none when there is no such attribute.
std::optional<Value> own_attribute(const Value& value, std::string_view name);
/// Jinja's `value.name` and `value[key]`: attribute first or item first, undefined when neither.
Result<Value> get_attribute(const Value& value, std::string_view name);
Result<Value> get_item(const Value& value, const Value& key);
Result<Value> call(const Value& function, const List& arguments, const Object::Named& named);

/// int(), float(), round() as Python's built-ins.
Result<Value> to_int(const Value& value, std::int64_t base = 10);
Result<Value> to_float(const Value& value);
std::string float_repr(double value);
std::string text_repr(std::string_view text);
/// round-half-even of a float at so many decimal digits.
double round_half_even(double value, int digits);

/// `'%s' % value`, and `text.format(...)`.
Result<std::string> percent_format(std::string_view format, const Value& value);
Result<std::string> brace_format(std::string_view format, const List& arguments,
                                 const Object::Named& named);
/// format(value, specification).
Result<std::string> format_value(const Value& value, std::string_view specification);

/// One parameter of a function: required without a fallback.
struct Parameter {
  Parameter(const char* given) : name(given) {}
  Parameter(const char* given, Value value) : name(given), fallback(std::move(value)) {}
  std::string_view name;
  std::optional<Value> fallback;
};
/// The arguments in the order of the parameters, by Python's rules of binding.
Result<std::vector<Value>> bind(std::string_view function, const List& arguments,
                                const Object::Named& named,
                                std::initializer_list<Parameter> parameters);

using Body = std::function<Result<Value>(const List& arguments, const Object::Named& named)>;
/// A function, method or class that a template calls.
class Function final : public Object {
 public:
  Function(std::string name, Body body) : name_(std::move(name)), body_(std::move(body)) {}
  std::string type_name() const override { return "builtin_function_or_method"; }
  std::string text() const override { return "<built-in function " + name_ + ">"; }
  Value attribute(std::string_view name) const override;
  Result<Value> call(const List& arguments, const Named& named) const override {
    return body_(arguments, named);
  }
  bool callable() const override { return true; }

 private:
  std::string name_;
  Body body_;
};
Value function(std::string name, Body body);

/// Python's range.
class Range final : public Object {
 public:
  Range(std::int64_t start, std::int64_t stop, std::int64_t step)
      : start(start), stop(stop), step(step) {}
  std::int64_t start, stop, step;
  std::int64_t count() const;
  std::string type_name() const override { return "range"; }
  std::string text() const override;
  Value attribute(std::string_view name) const override;
  Result<Value> item(const Value& key) const override;
  std::optional<List> elements() const override;
  std::optional<std::int64_t> length() const override { return count(); }
  bool equals(const Object& other) const override;
};

/// What filters as `map` and `select` give: a loop may run over it once, len() and [0] it has not.
class Generator final : public Object {
 public:
  explicit Generator(List items) : items_(std::move(items)) {}
  std::string type_name() const override { return "generator"; }
  std::string text() const override { return "<generator object>"; }
  Value attribute(std::string_view name) const override;
  std::optional<List> elements() const override;
  std::optional<Value> next() const;
  bool truth() const override { return true; }

 private:
  mutable List items_;
  mutable std::size_t at_ = 0;
};
Value generator(List items);

}  // namespace tailrace::jinja
