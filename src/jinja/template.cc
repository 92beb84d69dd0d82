#include "jinja/template.h"

#include <atomic>

#include "jinja/parser.h"
#include "jinja/renderer.h"

namespace tailrace::jinja {
namespace {

Result<Value> run(const Template::Node& root, const Scope& scope, const Template::Options& options,
                  bool native) {
  static std::atomic<std::uint64_t> number = 0;
  Budget budget{++number,       options.max_steps, options.max_output, 0, options.strict_undefined,
                options.random, options.clock};
  const Spending spending(budget);
  Renderer renderer(root, scope, native);
  return renderer.run();
}

}  // namespace

Result<Template> Template::parse(std::string_view source) {
  ASSIGN(auto tokens, tokenize(source));
  const bool kept = source.find('\r') == std::string_view::npos && !source.ends_with('\n');
  ASSIGN(auto root, Parser(std::move(tokens)).run());
  root.plain = root.plain && kept;
  return Template(std::make_shared<const Node>(std::move(root)));
}

Result<std::string> Template::render(const Scope& scope, const Options& options) const {
  ASSIGN(const Value made, run(*root_, scope, options, false));
  return *made.string();
}

Result<Value> Template::render_native(const Scope& scope, const Options& options) const {
  return run(*root_, scope, options, true);
}

bool Template::is_plain() const {
  return root_->plain;
}

}  // namespace tailrace::jinja
