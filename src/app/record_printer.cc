#include "app/record_printer.h"

#include <fmt/format.h>

#include <iostream>

#include "app/open_schemas.h"
#include "app/terminal.h"
#include "base/hex.h"

namespace tailrace::app {
namespace {

constexpr std::size_t kMostSaid = 100;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json schema_of(const console::DecodedBytes& decoded) {
  Json schema = {{"id", decoded.schema_id}};
  if (!decoded.type.empty()) schema["type"] = decoded.type;
  if (!decoded.subject.empty()) schema["subject"] = decoded.subject;
  if (decoded.version > 0) schema["version"] = decoded.version;
  return schema;
}

}  // namespace

RecordPrinter::RecordPrinter(const ConsumeOptions& options) : options_(options) {
  if (options.raw) return;
  decoder_ = std::make_unique<RecordDecoder>(subjects::remote_subjects_client(
      to_look_at(registry_for(options.registry, options.at.project, options.at.data))));
}

void RecordPrinter::print(std::int32_t partition, const log::RecordView& record) {
  if (options_.json) {
    // Put together as text: a value keeps every digit that it came with.
    std::string line = text_of({{"topic", options_.topic},
                                {"partition", partition},
                                {"offset", record.offset.value},
                                {"timestamp", record.timestamp.value}});
    line.pop_back();
    add(line, true, record);
    add(line, false, record);
    std::cout << line << "}\n";
    return;
  }
  const auto value = decoded(false, record);
  if (value && !value->why.empty())
    say_once(fmt::format("a value of {}-{}@{} is shown as it is, not by schema {}: {}",
                         options_.topic, partition, record.offset.value, value->schema_id,
                         value->why));
  std::cout << (value && value->why.empty() ? std::string_view(value->json)
                                            : record.value.value_or(""))
            << "\n";
}

std::optional<console::DecodedBytes> RecordPrinter::decoded(bool key,
                                                            const log::RecordView& record) {
  const auto& bytes = key ? record.key : record.value;
  if (!decoder_ || !bytes) return std::nullopt;
  return decoder_->decode(options_.topic, key, *bytes, record.headers);
}

void RecordPrinter::add(std::string& line, bool key, const log::RecordView& record) {
  const auto& bytes = key ? record.key : record.value;
  const std::string name = key ? "key" : "value";
  const auto value = decoded(key, record);
  if (!value) {
    line += fmt::format(R"(,"{}":{})", name, text_of(bytes ? Json(*bytes) : Json()));
    return;
  }
  if (value->why.empty())
    line += fmt::format(R"(,"{}":{})", name, value->json);
  else
    line += fmt::format(R"(,"{0}_hex":"{1}","{0}_error":{2})", name, encode_hex(*bytes),
                        text_of(Json(value->why)));
  line += fmt::format(R"(,"{}_schema":{})", name, text_of(schema_of(*value)));
}

void RecordPrinter::say_once(const std::string& why) {
  // The reason, without the record's place.
  const auto reason = why.substr(why.find("not by schema"));
  if (said_.size() < kMostSaid && said_.insert(reason).second)
    std::cerr << "tailrace: " << why << "\n";
}

}  // namespace tailrace::app
