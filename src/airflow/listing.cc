#include "airflow/listing.h"

namespace tailrace::airflow {
namespace {

constexpr std::size_t kMostKeys = 10;

int compare(const Json& one, const Json& other) {
  if (one.is_null() || other.is_null()) return static_cast<int>(other.is_null()) - one.is_null();
  if (one.is_string() && other.is_string()) {
    // Times have a fraction or none: as texts 00:00:00.5Z would come before 00:00:00Z.
    const auto a = number_of(one), b = number_of(other);
    if (a && b) return *a < *b ? -1 : *a > *b ? 1 : 0;
    return one.get_ref<const std::string&>().compare(other.get_ref<const std::string&>());
  }
  return one < other ? -1 : other < one ? 1 : 0;
}

}  // namespace

Answer<void> sort(std::vector<Json>& rows, const std::vector<std::string>& order_by,
                  const Sorting& sorting) {
  if (order_by.size() > kMostKeys)
    return refuse(400, "Ordering with more than 10 parameters is not allowed. Provided: " +
                           Json(order_by).dump());
  struct Key {
    std::string member;
    bool down;
  };
  std::vector<Key> keys;
  for (const std::string& word : order_by) {
    const std::string name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    if (std::ranges::find(sorting.allowed, name) == sorting.allowed.end())
      return refuse(400, "Ordering with '" + name +
                             "' is disallowed or the attribute does not exist on the model");
    const auto member = sorting.members.find(name);
    keys.push_back(
        {member == sorting.members.end() ? name : member->second, word.starts_with('-')});
  }
  // Of equal rows Airflow's primary key decides, in the direction of the first key.
  if (sorting.by_primary_key && !keys.empty() && keys.front().down) std::ranges::reverse(rows);
  std::ranges::stable_sort(rows, [&](const Json& one, const Json& other) {
    for (const Key& key : keys) {
      if (!one.contains(key.member)) continue;
      const int order = compare(one[key.member], other[key.member]);
      if (order != 0) return key.down ? order > 0 : order < 0;
    }
    return false;
  });
  return {};
}

Json page(const std::string& name, std::vector<Json> rows, std::int64_t offset,
          std::int64_t limit) {
  const auto total = static_cast<std::int64_t>(rows.size());
  Json list = Json::array();
  for (auto i = offset; i < total && i - offset < limit; ++i)
    list.push_back(std::move(rows[static_cast<std::size_t>(i)]));
  return {{name, std::move(list)}, {"total_entries", total}};
}

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() < 20 || text[4] != '-' || !text.ends_with('Z')) return std::nullopt;
  const auto moment = calendar::parse_moment(text);
  return moment ? std::optional(static_cast<double>(moment->instant)) : std::nullopt;
}

bool Range::holds(const Json& value) const {
  if (!any()) return true;
  const auto number = number_of(value);
  if (!number) return false;
  return (!gte || *number >= *gte) && (!gt || *number > *gt) && (!lte || *number <= *lte) &&
         (!lt || *number < *lt);
}

namespace {

template <typename Ask>
Range range_of(const std::string& name, Ask ask) {
  const auto bound = [&](const char* end) -> std::optional<double> {
    const auto value = ask(name + end);
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  };
  return {.gte = bound("_gte"), .gt = bound("_gt"), .lte = bound("_lte"), .lt = bound("_lt")};
}

}  // namespace

Range time_range(Parameters& parameters, const std::string& name) {
  return range_of(name, [&](const std::string& one) { return parameters.time(one); });
}
Range number_range(Parameters& parameters, const std::string& name) {
  return range_of(name, [&](const std::string& one) { return parameters.real(one); });
}
Range time_range(Body& body, const std::string& name) {
  return range_of(name, [&](const std::string& one) { return body.time(one, true); });
}
Range number_range(Body& body, const std::string& name) {
  return range_of(name, [&](const std::string& one) { return body.real(one); });
}

bool is_one_of(const Json& value, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  const std::string text = value.is_null()     ? "none"
                           : value.is_string() ? value.get<std::string>()
                                               : value.dump();
  return std::ranges::find(wanted, text) != wanted.end();
}

}  // namespace tailrace::airflow
