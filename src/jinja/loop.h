// What a template sees of its own loops and macros: `loop`, and functions made by {% macro %}.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "jinja/renderer.h"

namespace tailrace::jinja {

/// The variable `loop`.
class Loop final : public Object {
 public:
  Loop(List given, int level) : items(std::move(given)), depth(level) {}
  List items;
  std::size_t index = 0;
  int depth;
  std::function<Result<Value>(const Value&)> recursion;  ///< of a recursive loop

  std::string type_name() const override { return "LoopContext"; }
  std::string text() const override;
  Value attribute(std::string_view name) const override;
  Result<Value> call(const List& arguments, const Named& named) const override;
  bool callable() const override { return true; }
  std::optional<std::int64_t> length() const override {
    return static_cast<std::int64_t>(items.size());
  }

 private:
  mutable std::optional<List> last_;  ///< what changed() was asked before
};

class Macro final : public Object {
 public:
  Macro(Renderer& renderer, const Stmt& stmt, FramePtr frame)
      : renderer_(renderer), alive_(renderer.alive()), stmt_(stmt), frame_(std::move(frame)) {}
  std::string type_name() const override { return "Macro"; }
  std::string text() const override;
  Value attribute(std::string_view name) const override;
  Result<Value> call(const List& arguments, const Named& named) const override;
  bool callable() const override { return true; }

 private:
  std::string called() const;
  Result<FramePtr> bound(const List& arguments, const Named& named) const;

  Renderer& renderer_;
  std::weak_ptr<int> alive_;  ///< the rendering, whose frames and tree it uses
  const Stmt& stmt_;
  FramePtr frame_;
};

}  // namespace tailrace::jinja
