#include "schema/protobuf/known_files.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/source_context.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "schema/protobuf/reader.h"

namespace tailrace::schema::protobuf {
namespace {

struct Text {
  std::string_view path;
  std::string_view body;  ///< behind syntax and package
};

constexpr std::array<Text, 16> kTypes = {{
    {"google/type/calendar_period.proto",
     "enum CalendarPeriod { CALENDAR_PERIOD_UNSPECIFIED = 0; DAY = 1; WEEK = 2; FORTNIGHT = 3;"
     " MONTH = 4; QUARTER = 5; HALF = 6; YEAR = 7; }"},
    {"google/type/color.proto",
     "import \"google/protobuf/wrappers.proto\"; message Color { float red = 1; float green = 2;"
     " float blue = 3; google.protobuf.FloatValue alpha = 4; }"},
    {"google/type/date.proto", "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"},
    {"google/type/datetime.proto",
     "import \"google/protobuf/duration.proto\"; message DateTime { int32 year = 1;"
     " int32 month = 2; int32 day = 3; int32 hours = 4; int32 minutes = 5; int32 seconds = 6;"
     " int32 nanos = 7; oneof time_offset { google.protobuf.Duration utc_offset = 8;"
     " TimeZone time_zone = 9; } } message TimeZone { string id = 1; string version = 2; }"},
    {"google/type/dayofweek.proto",
     "enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3;"
     " THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7; }"},
    {"google/type/decimal.proto", "message Decimal { string value = 1; }"},
    {"google/type/expr.proto",
     "message Expr { string expression = 1; string title = 2; string description = 3;"
     " string location = 4; }"},
    {"google/type/fraction.proto",
     "message Fraction { int64 numerator = 1; int64 denominator = 2; }"},
    {"google/type/interval.proto",
     "import \"google/protobuf/timestamp.proto\"; message Interval {"
     " google.protobuf.Timestamp start_time = 1; google.protobuf.Timestamp end_time = 2; }"},
    {"google/type/latlng.proto", "message LatLng { double latitude = 1; double longitude = 2; }"},
    {"google/type/money.proto",
     "message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }"},
    {"google/type/month.proto",
     "enum Month { MONTH_UNSPECIFIED = 0; JANUARY = 1; FEBRUARY = 2; MARCH = 3; APRIL = 4; MAY = 5;"
     " JUNE = 6; JULY = 7; AUGUST = 8; SEPTEMBER = 9; OCTOBER = 10; NOVEMBER = 11;"
     " DECEMBER = 12; }"},
    {"google/type/phone_number.proto",
     "message PhoneNumber { message ShortCode { string region_code = 1; string number = 2; }"
     " oneof kind { string e164_number = 1; ShortCode short_code = 2; } string extension = 3; }"},
    {"google/type/postal_address.proto",
     "message PostalAddress { int32 revision = 1; string region_code = 2; string language_code = 3;"
     " string postal_code = 4; string sorting_code = 5; string administrative_area = 6;"
     " string locality = 7; string sublocality = 8; repeated string address_lines = 9;"
     " repeated string recipients = 10; string organization = 11; }"},
    {"google/type/quaternion.proto",
     "message Quaternion { double x = 1; double y = 2; double z = 3; double w = 4; }"},
    {"google/type/timeofday.proto",
     "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3;"
     " int32 nanos = 4; }"},
}};

// What the clients of the registry know by these names and numbers.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kConfluent = {{
    {"confluent/meta.proto",
     "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\";"
     " message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3;"
     " repeated Rule rules = 4; }"
     " message Rule { string name = 1; string doc = 2; string expr = 3; string sql = 4; }"
     " extend google.protobuf.FileOptions { Meta file_meta = 1088; }"
     " extend google.protobuf.MessageOptions { Meta message_meta = 1088; }"
     " extend google.protobuf.FieldOptions { Meta field_meta = 1088; }"
     " extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }"
     " extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }"},
    {"confluent/type/decimal.proto",
     "syntax = \"proto3\"; package confluent.type; message Decimal { bytes value = 1;"
     " uint32 precision = 2; int32 scale = 3; }"},
    {"confluent/type/variant.proto",
     "syntax = \"proto3\"; package confluent.type; message Variant { bytes metadata = 1;"
     " bytes value = 2; }"},
}};

KnownFile make(std::string_view path, std::string text) {
  auto file = read_file(text);
  CHECK(file.has_value());
  return {std::string(path), std::move(text), std::move(*file)};
}

std::vector<KnownFile> all() {
  namespace pb = google::protobuf;
  std::vector<KnownFile> made;
  for (const auto* file :
       {pb::Any::descriptor()->file(), pb::SourceContext::descriptor()->file(),
        pb::Type::descriptor()->file(), pb::Api::descriptor()->file(),
        pb::FileDescriptorProto::descriptor()->file(), pb::Duration::descriptor()->file(),
        pb::Empty::descriptor()->file(), pb::FieldMask::descriptor()->file(),
        pb::Struct::descriptor()->file(), pb::Timestamp::descriptor()->file(),
        pb::Int32Value::descriptor()->file()})
    made.push_back(make(file->name(), file->DebugString()));
  for (const auto& one : kTypes)
    made.push_back(
        make(one.path, "syntax = \"proto3\"; package google.type; " + std::string(one.body)));
  for (const auto& [path, text] : kConfluent) made.push_back(make(path, std::string(text)));
  return made;
}

}  // namespace

const std::vector<KnownFile>& known_files() {
  static const std::vector<KnownFile> files = all();
  return files;
}

const Names& known_names() {
  static const Names& names = *[] {
    auto* made = new Names;  // lives as long as the program
    int import = 0;
    for (const auto& one : known_files()) made->add(one.file, import++);
    return made;
  }();
  return names;
}

const KnownFile* known_file(std::string_view path) {
  const auto& files = known_files();
  const auto found = std::ranges::find(files, path, &KnownFile::path);
  return found == files.end() ? nullptr : &*found;
}

}  // namespace tailrace::schema::protobuf
