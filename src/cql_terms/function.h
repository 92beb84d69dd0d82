// Functions: what they take and give, and the choice of one by its arguments.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_terms/operand.h"
#include "cql_types/parts.h"

namespace tailrace::cql_terms {

using cql_types::Part;

/// A value that was made, or null.
using Made = std::optional<std::string>;

/// What an aggregate knows of the rows so far.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual Outcome<void> add(Part value) = 0;
  /// The result; starts anew.
  virtual Outcome<Made> take() = 0;
};

struct Function {
  /// How a column of a result is called.
  enum class Style : std::uint8_t { kCall, kOperation, kNegation, kCast, kCountRows };
  using Scalar = std::function<Outcome<Made>(std::span<const Part>, const Bindings&)>;

  std::string name;  // in the keyspace `system`
  std::vector<TypePtr> arguments;
  TypePtr result;
  Style style = Style::kCall;
  bool pure = true;        // the same result of the same arguments
  bool monotonic = false;  // in its first argument, the others being constants
  bool masking = false;
  Scalar scalar = {};
  std::function<std::unique_ptr<Accumulator>()> accumulator = {};  // of aggregates alone

  bool is_aggregate() const { return accumulator != nullptr; }
  /// "system.abs : (int) -> int"; `constants` says which arguments are.
  std::string signature(const std::vector<bool>& constants = {}) const;
  std::string column_name(const std::vector<std::string>& arguments) const;
};
using FunctionPtr = std::shared_ptr<const Function>;

/// Makes a function for its arguments: of those whose types are not fixed.
struct Factory {
  using Operands = std::span<const Operand* const>;
  std::string name;
  std::function<Outcome<FunctionPtr>(Operands arguments, const TypePtr& receiver,
                                     const ColumnSpec& of, const Scope& scope)>
      make;
};

/// The functions and factories of the keyspace `system`, made once.
class NativeFunctions {
 public:
  static const NativeFunctions& all();
  std::span<const FunctionPtr> functions(const std::string& name) const;
  const Factory* factory(const std::string& name) const;

  void add(Function function);
  /// The same under an older name, too.
  void add(Function function, const std::string& older);
  void add(Factory factory);

 private:
  std::map<std::string, std::vector<FunctionPtr>> functions_;
  std::map<std::string, Factory> factories_;
};

/// A call as it is written; `name` without a keyspace may be the user's or a native one.
struct Called {
  std::optional<std::string> keyspace;
  std::string name;
  /// "abs", "system.abs"
  std::string text() const { return keyspace ? *keyspace + "." + name : name; }
  /// As CQL text, in quotes where needed.
  std::string quoted() const;
};

/// The function that is called; null where there is none of that name. `of` is what receives the
/// result: its keyspace and table, and its type, which may be null.
Outcome<FunctionPtr> resolve(const Called& called, Factory::Operands arguments,
                             const ColumnSpec& of, const Scope& scope);

/// Of argument `i`: arg0(system.abs).
ColumnSpec argument_spec(const ColumnSpec& of, const Function& function, std::size_t i);

/// The names of operators' functions: `_add` of "+".
std::string operation_function(std::string_view symbol);
/// "+" of `_add`; empty of other functions.
std::string_view operation_symbol(std::string_view function);
inline constexpr std::string_view kNegation = "_negate";

/// CAST's function.
std::string cast_function(const Type& to);

/// FunctionFailure, with the sentence of a function that failed while it ran.
std::unexpected<cql_types::Failure> function_failure(const Function& function, std::string message);

}  // namespace tailrace::cql_terms
