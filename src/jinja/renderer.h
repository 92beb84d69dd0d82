// Walks a template's tree with the names of a scope.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/python.h"
#include "jinja/syntax.h"
#include "jinja/template.h"

namespace tailrace::jinja {

/// Names that a block of a template has set, and those around it.
struct Frame {
  std::shared_ptr<Frame> parent;
  std::vector<std::pair<std::string, Value>> names;
  const Value* find(std::string_view name) const;  ///< in this one or one around it
  void set(std::string_view name, Value value);
};
using FramePtr = std::shared_ptr<Frame>;

/// Where a block writes: a text, or in a native rendering values side by side.
struct Output {
  bool native = false;
  std::string text;
  List pieces;
  bool constant = false;  ///< native: the last piece is text that more may join
  Status put(const Value& value, bool is_constant);
  Result<Value> finish();  ///< native: jinja2.nativetypes.native_concat
};

/// A template's tree; `name` as in Template::parse.
Result<Template::Node> parse_node(std::string_view source, std::string name);
/// An error that ends in its line, with the file's name behind it.
Error of_file(Error error, std::string_view name);

class Renderer {
 public:
  /// `within`: the one that includes it; its stack is used on.
  Renderer(const Template::Node& root, const Scope& scope, bool native,
           const Renderer* within = nullptr);
  ~Renderer();
  Result<Value> run();

  Status block(const Block& block, const FramePtr& frame, Output& out);
  Result<Value> eval(const Expr& expr, const FramePtr& frame);
  Status assign(const Expr& target, Value value, const FramePtr& frame);
  /// A loop over the items: the body for each, `else` when there is none.
  Status loop(const Stmt& stmt, const Value& iterable, const FramePtr& frame, int depth,
              Output& out);
  Output output() const { return Output{native_, {}, {}, false}; }
  /// Fails before the stack is used up.
  Status deeper() const;
  const std::weak_ptr<int>& alive() const { return alive_; }

 private:
  using Kind = Expr::Kind;
  Status statement(const Stmt& stmt, const FramePtr& frame, Output& out);
  Status conditional(const Stmt& stmt, const FramePtr& frame, Output& out);
  Status call_block(const Stmt& stmt, const FramePtr& frame, Output& out);
  Status filter_block(const Stmt& stmt, const FramePtr& frame, Output& out);
  Status set_block(const Stmt& stmt, const FramePtr& frame);
  Status with(const Stmt& stmt, const FramePtr& frame, Output& out);
  Status include(const Stmt& stmt, const FramePtr& frame, Output& out);
  Value macro(const Stmt& stmt, const FramePtr& frame);

  Result<Value> name(const std::string& name, const FramePtr& frame);
  Result<Value> collection(const Expr& expr, const FramePtr& frame);
  Result<Value> item(const Expr& expr, const FramePtr& frame);
  Result<Value> binary(const Expr& expr, const FramePtr& frame);
  Result<Value> comparison(const Expr& expr, const FramePtr& frame);
  Result<Value> concatenation(const Expr& expr, const FramePtr& frame);
  Result<Value> choice(const Expr& expr, const FramePtr& frame);
  Result<Value> logic(const Expr& expr, const FramePtr& frame);
  struct Given {
    List arguments;
    Object::Named named;
  };
  Result<Given> given(const Expr& expr, const FramePtr& frame);
  Result<Value> filtered(const Expr& expr, Value value, const FramePtr& frame);

  const Template::Node& root_;
  const Scope& scope_;
  bool native_;
  FramePtr top_;
  std::map<std::string, Value, std::less<>> context_;
  std::vector<FramePtr> held_;  ///< frames that macros hold: emptied in the end
  std::shared_ptr<int> life_ = std::make_shared<int>();
  std::weak_ptr<int> alive_ = life_;
  const char* stack_;
};

}  // namespace tailrace::jinja
