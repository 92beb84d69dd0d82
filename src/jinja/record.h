// An object that is no more than its attributes.
#pragma once

#include <string>
#include <utility>

#include "jinja/python.h"

namespace tailrace::jinja {

class Record final : public Object {
 public:
  Record(std::string type, std::string text, Dict attributes)
      : type_(std::move(type)), text_(std::move(text)), attributes_(std::move(attributes)) {}
  std::string type_name() const override { return type_; }
  std::string text() const override { return text_; }
  Value attribute(std::string_view name) const override {
    if (const Value* found = attributes_.find(name)) return *found;
    return Undefined{std::string(name),
                     "'" + type_ + " object' has no attribute " + text_repr(name)};
  }
  Result<Value> item(const Value&) const override {
    return type_error("'" + type_ + "' object is not subscriptable");
  }

 private:
  std::string type_, text_;
  Dict attributes_;
};

}  // namespace tailrace::jinja
