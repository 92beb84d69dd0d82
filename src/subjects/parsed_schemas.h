// Schemas that were parsed before: a registration compares with earlier versions of its subject,
// and clients register the same text again and again.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "schema/schema.h"

namespace tailrace::subjects {

/// Keeps those asked for last. Threads: any.
class ParsedSchemas {
 public:
  explicit ParsedSchemas(std::size_t max_text_bytes = 8 << 20) : max_text_bytes_(max_text_bytes) {}

  /// As schema::parse_schema.
  Result<schema::SchemaPtr> parse(schema::Format format, std::string_view text,
                                  const std::vector<schema::Reference>& references,
                                  schema::Age age);

 private:
  struct Entry {
    std::string key;
    schema::SchemaPtr schema;
  };
  void keep(std::string key, const schema::SchemaPtr& schema);

  const std::size_t max_text_bytes_;
  std::mutex mutex_;
  std::size_t text_bytes_ = 0;
  std::list<Entry> entries_;  ///< the last used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace tailrace::subjects
