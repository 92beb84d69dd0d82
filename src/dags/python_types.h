// What dag-factory makes of `__type__`, `__and__`, `__or__` and `__join__`, and the Python types
// that the reader knows.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/timetable.h"
#include "dags/tree.h"

namespace tailrace::dags {

/// dag-factory's cast_with_type and after it its logical expressions, over the whole tree:
/// mappings with `__type__` become objects, `__and__`/`__or__` of assets AssetAll and AssetAny,
/// `__join__` a text.
void cast(Node& node, Findings& findings);

/// The class of an object under the name that airflow.sdk gives it (`Asset`,
/// `CronTriggerTimetable`), `timedelta`, `datetime`, `relativedelta`; empty when it is none of
/// those the reader knows.
std::string_view known_type(const Node& node);

/// An object that Value has a type for: a timedelta, a datetime with a zone, a date.
std::optional<jinja::Value> plain_object(const Node& node);

/// datetime.timedelta; none, with a finding, when it is no timedelta or its arguments are wrong.
std::optional<calendar::Micros> timedelta_of(const Node& node, Findings& findings);
/// A timedelta or a relativedelta.
std::optional<calendar::Delta> delta_of(const Node& node, Findings& findings);
/// A datetime; one without a zone is in `zone`.
std::optional<calendar::Moment> moment_of(const Node& node, const calendar::Zone& zone);

bool is_date(const calendar::Local& local);
jinja::Value date_value(const calendar::Local& local);   ///< datetime.date
jinja::Value naive_value(const calendar::Local& local);  ///< datetime.datetime without a zone
/// The numbers of those two.
std::optional<calendar::Local> local_of(const jinja::Value& value);

/// A call's arguments by name: positional ones take `names` in order, those after `/` in `names`
/// by keyword only. Unknown, double and missing (`!` before the name) ones are fatal findings.
class Bound {
 public:
  Bound(const Node& object, std::initializer_list<std::string_view> names, Findings& findings);
  bool ok() const { return ok_; }
  /// Null when it was not given.
  const Node* find(std::string_view name) const;

 private:
  std::map<std::string, const Node*, std::less<>> given_;
  bool ok_ = true;
};

}  // namespace tailrace::dags
