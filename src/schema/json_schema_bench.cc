// How fast documents are validated against a JSON Schema: an order of nested objects, parsed or
// not.
#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>

#include "schema/json_schema/validator.h"

namespace tailrace::schema::json_schema {
namespace {

constexpr const char* kSchema = R"({"type":"object","required":["id","customer","items","created"],
  "properties":{"id":{"type":"integer","minimum":1},"created":{"type":"string","maxLength":40},
  "customer":{"type":"object","required":["name","email"],"additionalProperties":false,
    "properties":{"name":{"type":"string","minLength":1},"email":{"type":"string"},
    "vip":{"type":["boolean","null"]}}},
  "status":{"enum":["new","paid","sent"]},
  "items":{"type":"array","minItems":1,"items":{"type":"object","required":["sku","count"],
    "properties":{"sku":{"type":"string","pattern":"^sku"},"count":{"type":"integer","minimum":1},
    "price":{"type":"number","minimum":0}}}}}})";

constexpr const char* kDocument = R"({"id":12345,"created":"2026-01-01T10:00:00Z",
  "customer":{"name":"Ada Lovelace","email":"ada@example.com","vip":true},"status":"paid",
  "items":[{"sku":"sku-1","count":2,"price":9.5},{"sku":"sku-22","count":1,"price":100}]})";

template <typename Work>
void time(const char* what, Work work) {
  constexpr int kRounds = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{}: {:.2f} M documents/s\n", what, kRounds / took.count() / 1e6);
}

int run() {
  const auto validator = Validator::compile(JsonSchema::parse(kSchema).value()).value();
  const simdjson::padded_string text{std::string_view(kDocument)};
  simdjson::dom::parser parser;
  const auto document = parser.parse(text).value();
  bool conforms = true;
  time("validated", [&] { conforms = !validator.check(document) && conforms; });
  time("parsed", [&] { conforms = !parser.parse(text).error() && conforms; });
  time("parsed and validated",
       [&] { conforms = !validator.check(parser.parse(text).value_unsafe()) && conforms; });
  return conforms ? 0 : 1;
}

}  // namespace
}  // namespace tailrace::schema::json_schema

int main() {
  return tailrace::schema::json_schema::run();
}
