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
                options.random, options.clock,     options.load};
  const Spending spending(budget);
  Renderer renderer(root, scope, native);
  return renderer.run();
}

}  // namespace

Result<Template::Node> parse_node(std::string_view source, std::string name) {
  const auto parsed = [&]() -> Result<Template::Node> {
    ASSIGN(auto tokens, tokenize(source));
    return Parser(std::move(tokens)).run();
  };
  auto root = parsed();
  if (!root) return std::unexpected(of_file(std::move(root.error()), name));
  const bool kept = source.find('\r') == std::string_view::npos && !source.ends_with('\n');
  root->plain = root->plain && kept;
  root->name = std::move(name);
  return root;
}

Error of_file(Error error, std::string_view name) {
  if (!name.empty() && error.what.ends_with(')'))
    error.what.insert(error.what.size() - 1, " of " + std::string(name));
  return error;
}

Result<Template> Template::parse(std::string_view source, std::string name) {
  ASSIGN(auto root, parse_node(source, std::move(name)));
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
