#include "app/record_decoder.h"

#include <algorithm>

#include "log/find_header.h"
#include "schema/record_rows.h"

namespace tailrace::app {
namespace {

constexpr std::size_t kMostKnown = 200;
constexpr std::chrono::seconds kAskAgain{2};

/// The one of the topic by its usual name, or another one of the topic, or any.
std::string subject_among(const std::vector<std::string>& subjects, const std::string& topic,
                          bool key) {
  const std::string usual = topic + (key ? "-key" : "-value");
  if (subjects.empty() || std::ranges::find(subjects, usual) != subjects.end()) return usual;
  const auto of_topic = std::ranges::find_if(
      subjects, [&](const std::string& one) { return one.starts_with(topic + "-"); });
  return of_topic == subjects.end() ? subjects.front() : *of_topic;
}

}  // namespace

std::optional<console::DecodedBytes> RecordDecoder::decode(const std::string& topic, bool key,
                                                           std::string_view bytes,
                                                           const log::HeaderViews& headers) {
  const auto header =
      log::find_header(headers, key ? schema::kKeySchemaHeader : schema::kValueSchemaHeader);
  auto named = header ? schema::header_schema(*header) : std::nullopt;
  std::string joined;
  if (named && !named->before.empty()) {
    joined = named->before;
    bytes = joined += bytes;
  }
  const std::lock_guard lock(mutex_);
  if (named && !named->guid.empty()) {
    const auto id = id_of_guid(named->guid, topic, key);
    if (!id) return console::DecodedBytes{.why = id.error().what};
    named->id = *id;
  }
  if (!named) {
    // Registries count ids from 1: what has a 0 there is a number, or other bytes.
    const auto id = schema::wire_schema_id(bytes);
    if (!id || *id <= 0) return std::nullopt;
    named.emplace().id = *id;
    bytes.remove_prefix(schema::kWireHeaderBytes);
  }
  Known& by = known(named->id, topic, key);
  console::DecodedBytes out = by.about;
  if (!by.reader) return out;
  const auto read = by.reader->append(as_bytes(bytes), out.json);
  if (!read) {
    out.json.clear();
    out.why = read.error().what;
  }
  return out;
}

Result<std::int32_t> RecordDecoder::id_of_guid(const std::string& guid, const std::string& topic,
                                               bool key) {
  if (guids_.size() >= kMostKnown) guids_.clear();
  const auto kept = guids_.find(guid);
  const auto now = Clock::now();
  if (kept != guids_.end() && (kept->second.first || now - kept->second.second < kAskAgain))
    return kept->second.first;
  if (down_ && now - down_since_ < kAskAgain) return std::unexpected(*down_);
  auto id = registry_->id_of_guid(guid, subject_among({}, topic, key));
  if (!id && id.error().code == Code::kUnavailable) down_ = id.error(), down_since_ = now;
  return guids_.insert_or_assign(guid, std::pair(std::move(id), now)).first->second.first;
}

RecordDecoder::Known& RecordDecoder::known(std::int32_t id, const std::string& topic, bool key) {
  if (known_.size() >= kMostKnown) known_.clear();
  Known& by = known_[{id, topic, key}];
  const bool fresh = by.asked == Clock::time_point();
  if (by.reader || (!fresh && Clock::now() - by.asked < kAskAgain)) return by;
  by.about = {.schema_id = id};
  if (down_ && Clock::now() - down_since_ < kAskAgain) {
    by.about.why = down_->what;
    return by;
  }
  down_.reset();
  const auto asked = ask(id, topic, key, by);
  by.asked = Clock::now();
  if (asked) return by;
  by.about.why = asked.error().what;
  if (asked.error().code == Code::kUnavailable) down_ = asked.error(), down_since_ = by.asked;
  return by;
}

Status RecordDecoder::ask(std::int32_t id, const std::string& topic, bool key, Known& out) {
  ASSIGN(const auto subjects, registry_->subjects_of(id));
  ASSIGN(const auto found, registry_->by_id(id, subject_among(subjects, topic, key)));
  out.about.type = schema::format_name(found.format);
  out.about.subject = found.version > 0 ? found.subject : std::string();
  out.about.version = found.version;
  ASSIGN(const auto parsed,
         schema::parse_schema(found.format, found.text, found.references, schema::Age::kKnown));
  ASSIGN(out.reader, schema::make_record_json(parsed));
  return {};
}

}  // namespace tailrace::app
