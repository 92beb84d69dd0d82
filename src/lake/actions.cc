// Delta's JSON, written by hand and read with simdjson.
#include "lake/actions.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "lake/json_text.h"

namespace tailrace::lake {
namespace {

namespace dom = simdjson::dom;

std::string flag(bool value) {
  return value ? "true" : "false";
}

std::string to_json(const std::vector<std::pair<std::string, std::optional<std::string>>>& values) {
  std::string out = "{";
  for (const auto& [name, value] : values) {
    if (out.size() > 1) out += ',';
    out += json_string(name) + ':' + (value ? json_string(*value) : "null");
  }
  return out + '}';
}

std::string to_json(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? "," : "") + json_string(value);
  return out + ']';
}

std::string line(const Protocol& protocol) {
  std::string features;
  if (protocol.reader >= 3) {
    const std::string names = to_json(protocol.features);
    features = fmt::format(R"(,"readerFeatures":{},"writerFeatures":{})", names, names);
  }
  return fmt::format("{{\"protocol\":{{\"minReaderVersion\":{},\"minWriterVersion\":{}{}}}}}\n",
                     protocol.reader, protocol.writer, features);
}

std::string line(const Metadata& metadata) {
  std::string configuration;
  for (const auto& [key, value] : metadata.configuration) {
    configuration +=
        (configuration.empty() ? "" : ",") + json_string(key) + ':' + json_string(value);
  }
  const std::string name = metadata.name.empty() ? "" : ",\"name\":" + json_string(metadata.name);
  return fmt::format(
      "{{\"metaData\":{{\"id\":{}{},\"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},"
      "\"schemaString\":{},"
      "\"partitionColumns\":{},\"configuration\":{{{}}},\"createdTime\":{}}}}}\n",
      json_string(metadata.id), name, json_string(metadata.schema_string),
      to_json(metadata.partition_columns), configuration, metadata.created_ms);
}

std::string line(const Txn& txn) {
  return fmt::format("{{\"txn\":{{\"appId\":{},\"version\":{},\"lastUpdated\":{}}}}}\n",
                     json_string(txn.app_id), txn.version, txn.updated_ms);
}

std::string line(const RemoveFile& file) {
  return fmt::format(
      "{{\"remove\":{{\"path\":{},\"deletionTimestamp\":{},\"dataChange\":{},"
      "\"extendedFileMetadata\":true,"
      "\"partitionValues\":{},\"size\":{}}}}}\n",
      json_string(file.path), file.deleted_ms, flag(file.data_change),
      to_json(file.partition_values), file.size_bytes);
}

std::string line(const AddFile& file) {
  const std::string stats = file.stats.empty() ? "" : ",\"stats\":" + json_string(file.stats);
  return fmt::format(
      "{{\"add\":{{\"path\":{},\"partitionValues\":{},\"size\":{},\"modificationTime\":{},"
      "\"dataChange\":{}{}}}}}\n",
      json_string(file.path), to_json(file.partition_values), file.size_bytes, file.modified_ms,
      flag(file.data_change), stats);
}

std::string text_of(const dom::element& object, const char* name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

std::int64_t number_of(const dom::element& object, const char* name) {
  std::int64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

bool flag_of(const dom::element& object, const char* name, bool otherwise) {
  bool value = otherwise;
  return object[name].get(value) == simdjson::SUCCESS ? value : otherwise;
}

std::vector<std::string> texts_of(const dom::element& object, const char* name) {
  std::vector<std::string> texts;
  dom::array array;
  if (object[name].get(array) != simdjson::SUCCESS) return texts;
  for (const dom::element item : array) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

std::vector<std::pair<std::string, std::optional<std::string>>> members_of(
    const dom::element& object, const char* name) {
  std::vector<std::pair<std::string, std::optional<std::string>>> members;
  dom::object values;
  if (object[name].get(values) != simdjson::SUCCESS) return members;
  for (const auto& [key, value] : values) {
    std::string_view text;
    const bool there = value.get(text) == simdjson::SUCCESS;
    members.emplace_back(key, there ? std::optional<std::string>(text) : std::nullopt);
  }
  return members;
}

Metadata metadata_of(const dom::element& from) {
  Metadata metadata{text_of(from, "id"),
                    text_of(from, "name"),
                    text_of(from, "schemaString"),
                    texts_of(from, "partitionColumns"),
                    {},
                    number_of(from, "createdTime")};
  for (auto& [key, value] : members_of(from, "configuration")) {
    metadata.configuration.emplace_back(key, value.value_or(""));
  }
  return metadata;
}

Protocol protocol_of(const dom::element& from) {
  Protocol protocol{static_cast<int>(number_of(from, "minReaderVersion")),
                    static_cast<int>(number_of(from, "minWriterVersion")),
                    texts_of(from, "writerFeatures")};
  return protocol;
}

void take_line(const dom::element& action, Actions& actions) {
  dom::element from;
  if (action["add"].get(from) == simdjson::SUCCESS) {
    actions.adds.push_back({text_of(from, "path"), members_of(from, "partitionValues"),
                            number_of(from, "size"), number_of(from, "modificationTime"),
                            flag_of(from, "dataChange", true), text_of(from, "stats")});
  } else if (action["remove"].get(from) == simdjson::SUCCESS) {
    actions.removes.push_back({text_of(from, "path"), number_of(from, "deletionTimestamp"),
                               flag_of(from, "dataChange", true),
                               members_of(from, "partitionValues"), number_of(from, "size")});
  } else if (action["txn"].get(from) == simdjson::SUCCESS) {
    actions.txns.push_back(
        {text_of(from, "appId"), number_of(from, "version"), number_of(from, "lastUpdated")});
  } else if (action["metaData"].get(from) == simdjson::SUCCESS) {
    actions.metadata = metadata_of(from);
  } else if (action["protocol"].get(from) == simdjson::SUCCESS) {
    actions.protocol = protocol_of(from);
  } else if (action["commitInfo"].get(from) == simdjson::SUCCESS) {
    actions.operation = text_of(from, "operation");
    actions.timestamp_ms = number_of(from, "timestamp");
  }
}

}  // namespace

std::string to_text(const Actions& actions) {
  std::string text = fmt::format(
      "{{\"commitInfo\":{{\"timestamp\":{},\"operation\":{},\"operationParameters\":{{}},"
      "\"engineInfo\":\"Tailrace\","
      "\"isBlindAppend\":{}}}}}\n",
      actions.timestamp_ms, json_string(actions.operation),
      flag(actions.removes.empty() && !actions.metadata));
  if (actions.protocol) text += line(*actions.protocol);
  if (actions.metadata) text += line(*actions.metadata);
  for (const Txn& txn : actions.txns) text += line(txn);
  for (const RemoveFile& file : actions.removes) text += line(file);
  for (const AddFile& file : actions.adds) text += line(file);
  return text;
}

Result<Actions> actions_from_text(std::string_view text) {
  Actions actions;
  dom::parser parser;
  int line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (one.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    dom::element action;
    if (const auto failed = parser.parse(one.data(), one.size()).get(action);
        failed != simdjson::SUCCESS) {
      return error(Code::kDataLoss,
                   fmt::format("line {}: {}", line_number, simdjson::error_message(failed)));
    }
    take_line(action, actions);
  }
  return actions;
}

}  // namespace tailrace::lake
