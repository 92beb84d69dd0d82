// dateutil's relativedelta: parts that a time is moved by, and parts that it is set to.
#pragma once

#include <optional>
#include <string>

#include "jinja/python.h"
#include "jinja/times.h"

namespace tailrace::jinja {

class RelativeDelta final : public Object {
 public:
  std::int64_t years = 0, months = 0, days = 0, micros = 0;
  std::optional<std::int64_t> year, month, day, hour, minute, second, microsecond;
  std::string type_name() const override { return "relativedelta"; }
  std::string text() const override;
  Value attribute(std::string_view name) const override;
  /// `time + delta`, or `time - delta` with the sign -1.
  Result<DateTime> move(const DateTime& time, int sign) const;
};
Result<Value> make_relative_delta(const List& arguments, const Object::Named& named);

}  // namespace tailrace::jinja
