#include "schema/json_schema/differences.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "schema/json_schema/comparison.h"

namespace tailrace::schema::json_schema {
namespace {

constexpr std::size_t kMaxDifferences = 10'000;
// How long all places together may be.
constexpr std::size_t kMaxPlaces = 16 << 20;

struct Sentence {
  std::string_view ending;  ///< of the type
  std::string_view text;    ///< with "{place}"
};

// By how the type's name ends; the first that fits.
constexpr std::array<Sentence, 23> kSentences = {{
    {"SCHEMA_ADDED",
     "at path '{place}' the {reader} schema asks what the {writer} schema does not"},
    {"TYPE_CHANGED",
     "at path '{place}' the {reader} schema is of another type than the {writer} schema"},
    {"COMBINED_TYPE_SUBSCHEMAS_CHANGED",
     "at path '{place}' some of the {writer} schema's alternatives fit none of the {reader} "
     "schema's"},
    {"PRODUCT_TYPE_EXTENDED",
     "at path '{place}' the {reader} schema asks more at once than the {writer} schema"},
    {"SUM_TYPE_NARROWED",
     "at path '{place}' the {reader} schema has fewer alternatives than the {writer} schema"},
    {"NOT_TYPE_EXTENDED",
     "at path '{place}' the {reader} schema excludes more than the {writer} schema"},
    {"TYPE_NARROWED",
     "at path '{place}' the {reader} schema takes integers only, unlike the "
     "{writer} schema"},
    {"ENUM_ARRAY_NARROWED",
     "at path '{place}' the {reader} schema lacks values that the {writer} schema has"},
    {"ENUM_ARRAY_CHANGED",
     "at path '{place}' the {reader} schema has other values than the {writer} schema"},
    {"REMOVED_FROM_CLOSED_CONTENT_MODEL",
     "at path '{place}' the {reader} schema lacks, and is closed to, what the {writer} schema has"},
    {"REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
     "at path '{place}' the {reader} schema lacks, and does not take otherwise, what the {writer} "
     "schema has"},
    {"ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
     "at path '{place}' the {reader} schema has what the {writer} schema may have written "
     "otherwise"},
    {"ADDED_TO_OPEN_CONTENT_MODEL",
     "at path '{place}' the {reader} schema has what the {writer} schema, which is open, may have "
     "written as anything"},
    {"ADDED_TO_UNOPEN_CONTENT_MODEL",
     "at path '{place}' the {reader} schema requires, without a default, what the {writer} schema "
     "lacks"},
    {"REQUIRED_ATTRIBUTE_ADDED",
     "at path '{place}' the {reader} schema requires, without a "
     "default, what the {writer} schema does not"},
    {"_ADDED", "at path '{place}' the {reader} schema limits what the {writer} schema does not"},
    {"_INCREASED", "at path '{place}' the {reader} schema asks for more than the {writer} schema"},
    {"_DECREASED", "at path '{place}' the {reader} schema allows less than the {writer} schema"},
    {"_EXPANDED", "at path '{place}' the {reader} schema asks for more than the {writer} schema"},
    {"_EXTENDED", "at path '{place}' the {reader} schema asks for more than the {writer} schema"},
    {"_REMOVED", "at path '{place}' the {reader} schema is closed, unlike the {writer} schema"},
    {"_NARROWED", "at path '{place}' the {reader} schema takes less than the {writer} schema"},
    {"_CHANGED", "at path '{place}' the {reader} schema says other than the {writer} schema"},
}};

std::string sentence(std::string_view type, std::string_view place) {
  const auto found =
      std::ranges::find_if(kSentences, [&](const auto& one) { return type.ends_with(one.ending); });
  if (found == kSentences.end()) return {};
  std::string made(found->text);
  made.replace(made.find("{place}"), 7, place);
  return made;
}

class Unfolded {
 public:
  explicit Unfolded(std::vector<Incompatibility>& into) : into_(into) {}

  void add(const Found& found) {
    for (const auto& step : found.steps) {
      if (into_.size() >= kMaxDifferences || bytes_ > kMaxPlaces) return;
      const std::size_t above = place_.size();
      if (!step.place.empty()) place_ += (place_.empty() ? "" : "/") + step.place;
      if (step.type) {
        const std::string location = "#/" + place_;
        into_.push_back({step.type, location, sentence(step.type, location), ""});
        bytes_ += 2 * location.size();
      } else {
        add(*step.inner);
      }
      place_.resize(above);
    }
  }

 private:
  std::vector<Incompatibility>& into_;
  std::string place_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::vector<Incompatibility> differences(const Model& writer, const Model& reader) {
  std::vector<Incompatibility> made;
  Comparison comparison;
  if (const Found* found = comparison.run(writer.root(), reader.root()))
    Unfolded(made).add(*found);
  else
    made.push_back({"TOO_LARGE", "#/",
                    "the {reader} and the {writer} schema are too large to be compared", ""});
  return made;
}

}  // namespace tailrace::schema::json_schema
