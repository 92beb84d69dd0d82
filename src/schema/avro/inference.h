// An Avro schema for JSON documents that have none: guessed from some of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/json.h"

namespace tailrace::schema::avro {

/// What documents held, summed up. Whole numbers become long, others double, text string, objects
/// records named by their path, arrays arrays; of several kinds in one place a union. Every field
/// may be null or absent, since another document may lack it. A member whose name is none in Avro
/// is left out; an object without members is a map of text.
class Inference {
 public:
  Inference();
  ~Inference();

  /// kInvalidArgument when it is no JSON object.
  Status add(std::string_view document);
  std::int64_t documents() const { return documents_; }
  /// The text of a record schema of that name, two spaces a level.
  std::string schema(const std::string& name) const;

  struct Shape;

 private:
  std::unique_ptr<Shape> shape_;
  std::int64_t documents_ = 0;
};

/// "random-users.v2" → "RandomUsersV2": a record's name.
std::string record_name(std::string_view text);

}  // namespace tailrace::schema::avro
