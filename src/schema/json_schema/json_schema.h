// A JSON Schema (drafts 4, 6, 7, 2019-09 and 2020-12), parsed and checked as Confluent's registry
// does.
//
// Order of calls: JsonSchema::parse, then anything, from any thread. `$schema` says the draft;
// without it, or with one that is not known, it is draft 7. What is refused: texts that are no JSON
// or no schema, keywords with values of another type than theirs, regular expressions that are
// none, `$ref` to what is not known, and what is too long or too deep. Keywords inside definitions
// that nothing refers to are checked from 2019-09 on.
#pragma once

#include "schema/json_schema/model.h"
#include "schema/schema.h"

namespace tailrace::schema::json_schema {

class JsonSchema final : public ParsedSchema {
 public:
  static Result<std::shared_ptr<const JsonSchema>> parse(
      std::string_view text, std::span<const Reference> references = {});

  const Documents& documents() const { return *documents_; }

  Format format() const override { return Format::kJsonSchema; }
  std::string canonical() const override;
  std::string normalized() const override;
  std::string record_name() const override;
  bool equivalent(const ParsedSchema& other) const override;
  std::vector<Incompatibility> incompatibilities(const ParsedSchema& writer) const override;

 private:
  JsonSchema() = default;

  std::unique_ptr<Documents> documents_;
  std::unique_ptr<Model> model_;
};

}  // namespace tailrace::schema::json_schema
