// What Cassandra 5.0.9's own types answered, line by line (testdata/vectors.txt; README.md says how
// it was made). TAILRACE_CQL_VECTORS names another file of the same form.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>

#include "cql_types/cast.h"
#include "cql_types/class_name.h"
#include "cql_types/compare.h"
#include "cql_types/json.h"
#include "cql_types/sort_key.h"
#include "cql_types/testing/types.h"
#include "cql_types/text.h"
#include "cql_types/token.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '\\') {
      const char c = line[++i];
      fields.back() += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : '\\';
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::string bytes_of(std::string_view hex) {
  return from_text(*native_type(Kind::kBlob), hex, 0).value();
}

std::string hex_of(const std::optional<std::string>& bytes) {
  if (!bytes) return "null";
  return to_literal(*native_type(Kind::kBlob), *bytes).value().substr(2);
}

std::string answer(const Result<std::string>& result) {
  return result ? *result : "!" + result.error().what;
}

std::string hex_answer(const Result<std::optional<std::string>>& result) {
  return result ? hex_of(*result) : "!" + result.error().what;
}

std::string sign(std::weak_ordering order) {
  return order < 0 ? "-1" : order > 0 ? "1" : "0";
}

std::string type_answer(const std::string& text) {
  const auto type = testing::parse(text);
  if (!type) return "!" + type.error().what;
  const auto name = to_class_name(**type);
  const auto again = parse_class_name(name).value().type;
  const auto of_again = to_class_name(*again);
  EXPECT_EQ(to_class_name(*parse_class_name(of_again).value().type), of_again) << name;
  return to_cql(**type) + " = " + name;
}

// Where the order of keys is another than that of values, or a key gives another value back.
std::string key_fault(const Type& type, const std::string& a, const std::string& b) {
  for (const bool reversed : {false, true}) {
    std::string x, y;
    if (!append_sort_key(x, type, a, reversed) || !append_sort_key(y, type, b, reversed))
      return "no key";
    const auto order = compare(type, a, b);
    const auto of_keys = std::weak_ordering(x.compare(y) <=> 0);
    if (of_keys != (reversed ? 0 <=> order : order)) return "another order";
    std::string_view rest = x;
    const auto back = take_sort_key(rest, type, reversed);
    if (!back || !*back || !rest.empty()) return "not read back";
    if (compare(type, **back, a) != 0) return "another value back";
    if (keeps_bytes(type) && **back != a) return "other bytes back";
  }
  return "";
}

std::string our_answer(const std::vector<std::string>& fields) {
  const auto& question = fields[0];
  if (question == "type") return type_answer(fields[1]);
  if (question == "token") return std::to_string(murmur3_token(bytes_of(fields[2])));
  if (question == "timeuuid") {
    const auto ms = std::stoll(fields[2]);
    return hex_of(min_timeuuid(ms) + max_timeuuid(ms));
  }
  const auto type = testing::parse(fields[1]).value();
  if (question == "from_text") {
    auto bytes = from_text(*type, fields[2], 0);
    return bytes ? hex_of(*bytes) : answer(bytes);
  }
  if (question == "from_json") return hex_answer(from_json(*type, fields[2], 0));
  const auto bytes = bytes_of(fields[2]);
  if (question == "validate") {
    const auto valid = validate(*type, bytes);
    return valid ? "ok" : "!" + valid.error().what;
  }
  if (question == "compare") {
    EXPECT_EQ(key_fault(*type, bytes, bytes_of(fields[3])), "")
        << fields[1] << " " << fields[2] << " " << fields[3];
    return sign(compare(*type, bytes, bytes_of(fields[3])));
  }
  if (question == "to_json") return answer(to_json(*type, bytes));
  if (question == "literal") return answer(to_literal(*type, bytes));
  if (question == "cast")
    return hex_answer(cast(type->kind, bytes, testing::parse(fields[3]).value()->kind));
  return "unknown question";
}

// What is wrong with a JSON text is told in words of our own.
bool both_no_json(const std::string& ours, const std::string& theirs) {
  constexpr std::string_view kNoJson = "!Error decoding JSON string: ";
  return ours.starts_with(kNoJson) && theirs.starts_with(kNoJson);
}

TEST(cassandra, its_own_types_answer_the_same) {
  const char* named = std::getenv("TAILRACE_CQL_VECTORS");
  const std::string path = named ? named : "src/cql_types/testdata/vectors.txt";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::map<std::string, int> asked, wrong;
  std::string line;
  while (std::getline(file, line)) {
    const auto fields = fields_of(line);
    ASSERT_GE(fields.size(), 3u) << line;
    ++asked[fields[0]];
    const auto ours = our_answer(fields);
    if (ours == fields.back() || both_no_json(ours, fields.back())) continue;
    if (++wrong[fields[0] + " " + fields[1]] <= 8) ADD_FAILURE() << line << "\nours:\t" << ours;
  }
  for (const auto* question : {"validate", "compare", "to_json", "literal", "from_json",
                               "from_text", "cast", "type", "token", "timeuuid"})
    EXPECT_GT(asked[question], 0) << question;
  for (const auto& [question, count] : wrong)
    ADD_FAILURE() << question << ": " << count << " differ";
}

}  // namespace
}  // namespace tailrace::cql_types
