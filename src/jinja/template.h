// Jinja templates: parsed once, rendered with values. The language of Jinja 3.1 as DAG files use
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace tailrace::jinja {

/// The names a template may use; Undefined for those it has not.
using Scope = std::function<Value(std::string_view name)>;

/// Expressions with every operator, filters, tests, calls, slices, inline if; statements if, for
/// (with loop, else, filter), set, macro, raw, with, filter, call, block, do; comments and
/// whitespace control; include, where Options can load. Not import, extends, autoescape: an error
/// says so. Python's methods of str, list, dict, datetime and timedelta that need no code execution
/// work; attributes beginning with `__` are refused (the rule of Airflow's sandbox).
///
/// An error's text begins with Python's class of exception and ends in the line, with the file of a
/// template that has a name: `UndefinedError: 'x' is undefined (line 3 of load.sql)`. Codes:
/// kInvalidArgument what Python refuses too, kNotFound undefined names and missing keys,
/// kPermissionDenied what the sandbox keeps, kResourceExhausted a limit, kUnimplemented what Jinja
/// has and this has not.
class Template {
 public:
  /// kInvalidArgument with the line, in Jinja's words. `name`: of the file, where it is of one.
  static Result<Template> parse(std::string_view source, std::string name = "");

  struct Options {
    bool strict_undefined = true;       ///< as Airflow's DAG default: jinja2.StrictUndefined
    std::size_t max_output = 16 << 20;  ///< bytes of any text; beyond it is an error
    /// Statements, calls, items of lists, 16 bytes of texts each; beyond it is an error.
    std::int64_t max_steps = 10'000'000;
    /// [0, 1): `random` and the filters that choose; without it they are an error.
    std::function<double()> random = {};
    /// Microseconds since 1970: `macros.datetime.now()`; without it asking is an error.
    std::function<std::int64_t()> clock = {};
    /// The text of another template, for `include`; kNotFound `TemplateNotFound: …`.
    std::function<Result<std::string>(const std::string& name)> load = {};
  };
  Result<std::string> render(const Scope& scope, const Options& options) const;
  /// Jinja's NativeEnvironment (`render_template_as_native_obj`): one expression keeps its type.
  Result<Value> render_native(const Scope& scope, const Options& options) const;
  /// True when it is text without a tag: rendering gives the source itself.
  bool is_plain() const;

  struct Node;  ///< syntax.h

 private:
  explicit Template(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace tailrace::jinja
