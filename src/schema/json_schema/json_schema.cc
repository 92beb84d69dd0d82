#include "schema/json_schema/json_schema.h"

#include "schema/json_schema/differences.h"

namespace tailrace::schema::json_schema {

Result<std::shared_ptr<const JsonSchema>> JsonSchema::parse(std::string_view text,
                                                            std::span<const Reference> references) {
  std::shared_ptr<JsonSchema> made(new JsonSchema);
  ASSIGN(made->documents_, Documents::parse(text, references));
  ASSIGN(made->model_, Model::load(*made->documents_));
  return made;
}

std::string JsonSchema::canonical() const {
  std::string text;
  append_json(text, documents_->root().root);
  return text;
}

std::string JsonSchema::normalized() const {
  std::string text;
  append_json(text, documents_->root().root, true);
  return text;
}

std::string JsonSchema::record_name() const {
  const std::string* title = documents_->root().root.find_text("title");
  return title ? *title : std::string();
}

bool JsonSchema::equivalent(const ParsedSchema& other) const {
  return other.format() == Format::kJsonSchema && canonical() == other.canonical();
}

std::vector<Incompatibility> JsonSchema::incompatibilities(const ParsedSchema& writer) const {
  return differences(*static_cast<const JsonSchema&>(writer).model_, *model_);
}

}  // namespace tailrace::schema::json_schema
