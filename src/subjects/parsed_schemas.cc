// A cache of parsed schemas, bounded by the bytes of their texts.
#include "subjects/parsed_schemas.h"

namespace tailrace::subjects {
namespace {

std::string key_of(schema::Format format, std::string_view text,
                   const std::vector<schema::Reference>& references, schema::Age age) {
  std::string key{static_cast<char>(format), static_cast<char>(age)};
  const auto add = [&key](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  add(text);
  for (const schema::Reference& reference : references) {
    add(reference.name);
    add(reference.text);
  }
  return key;
}

}  // namespace

Result<schema::SchemaPtr> ParsedSchemas::parse(schema::Format format, std::string_view text,
                                               const std::vector<schema::Reference>& references,
                                               schema::Age age) {
  std::string key = key_of(format, text, references, age);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->schema;
    }
  }
  ASSIGN(schema::SchemaPtr parsed, schema::parse_schema(format, text, references, age));
  keep(std::move(key), parsed);
  return parsed;
}

void ParsedSchemas::keep(std::string key, const schema::SchemaPtr& schema) {
  const std::lock_guard lock(mutex_);
  if (key.size() > max_text_bytes_ / 4 || by_key_.contains(key)) return;
  text_bytes_ += key.size();
  entries_.push_front({std::move(key), schema});
  by_key_[entries_.front().key] = entries_.begin();
  while (text_bytes_ > max_text_bytes_) {
    text_bytes_ -= entries_.back().key.size();
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace tailrace::subjects
