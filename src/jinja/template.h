// Jinja templates: parsed once, rendered with values. The language of Jinja 3.1 as DAG files use
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace tailrace::jinja {

/// The names a template may use.
using Scope = std::function<Value(std::string_view name)>;

/// Expressions with every operator, filters, tests, calls, slices, inline if; statements if, for
/// (with loop, else, filter), set, macro, raw, with, filter, call; comments and whitespace control.
/// Not include, import, extends, autoescape: an error says so. Python's methods of str, list, dict,
/// datetime and timedelta that need no code execution work; attributes beginning with `_` are
/// refused (the sandbox's rule).
class Template {
 public:
  /// kInvalidArgument with the line, in Jinja's words.
  static Result<Template> parse(std::string_view source);

  struct Options {
    bool strict_undefined = true;        ///< as Airflow's DAG default: jinja2.StrictUndefined
    std::size_t max_output = 16 << 20;   ///< bytes; beyond it is an error
    std::size_t max_steps = 10'000'000;  ///< statements and calls; beyond it is an error
  };
  Result<std::string> render(const Scope& scope, const Options& options) const;
  /// Jinja's NativeEnvironment (`render_template_as_native_obj`): one expression keeps its type.
  Result<Value> render_native(const Scope& scope, const Options& options) const;
  /// True when it is text without a tag: rendering gives the source itself.
  bool is_plain() const;

 private:
  struct Node;
  std::shared_ptr<const Node> root_;
};

}  // namespace tailrace::jinja
