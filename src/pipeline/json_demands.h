// What a JSON Schema asks of its documents as demands (engine/functions/json_tokens.h): asked while
// a document is read into columns, where its validator would need the whole of it first.
#pragma once

#include <deque>
#include <optional>

#include "engine/functions/json_tokens.h"
#include "schema/json_schema/rules.h"

namespace tailrace::pipeline {

class JsonDemands {
 public:
  /// Nothing when a rule needs more than a value by itself (combinations, uniqueItems, formats …).
  /// What conforms to the demands conforms to the rules; what does not may still. The rules must
  /// live as long.
  static std::optional<JsonDemands> of(const schema::json_schema::Rules& rules);

  const engine::JsonDemand* root() const { return root_; }

 private:
  std::deque<engine::JsonDemand> all_;
  const engine::JsonDemand* root_ = nullptr;
};

}  // namespace tailrace::pipeline
