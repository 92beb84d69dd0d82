#include "connect/spool.h"

#include "base/bytes.h"
#include "log/batch.h"

namespace tailrace::connect {
namespace {

constexpr std::string_view kMagic = "TRSPOOL1";
constexpr std::int8_t kHasKey = 1;
constexpr std::int8_t kTombstone = 2;

void put_text(std::string& out, std::string_view text) {
  append_be<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Reads what the encoder wrote; after the first short read everything is empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T number() {
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      rest_ = {};
      return T{};
    }
    const T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  std::string_view text() {
    const auto length = number<std::uint32_t>();
    if (rest_.size() < length) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view found = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return found;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// What was in traces stays in them.
void read_traces(Reader& reader, std::vector<std::uint32_t>& of_records, Chunk& chunk) {
  for (auto left = reader.number<std::uint32_t>(); left > 0 && reader.ok(); --left) {
    const std::string_view parent = reader.text();
    const std::string_view state = reader.text();
    chunk.add_trace(telemetry::parse_context(parent, state).value_or(telemetry::SpanContext()));
  }
  for (std::uint32_t& trace : of_records) {
    trace = reader.number<std::uint32_t>();
    if (trace > chunk.traces().size()) trace = 0;
  }
}

void read_chunk(Reader& reader, Chunk& chunk) {
  chunk.position = reader.text();
  chunk.place = reader.text();
  chunk.separator = static_cast<char>(reader.number<std::int8_t>());
  for (auto left = reader.number<std::uint32_t>(); left > 0 && reader.ok(); --left) {
    const auto has = reader.number<std::int8_t>();
    const std::string_view key = reader.text();
    const std::string_view value = reader.text();
    const auto number = reader.number<std::int64_t>();
    if ((has & kTombstone) != 0)
      chunk.add_tombstone(key, number);
    else
      chunk.add((has & kHasKey) != 0 ? std::optional(key) : std::nullopt, value, number);
  }
  for (auto left = reader.number<std::uint32_t>(); left > 0 && reader.ok(); --left) {
    Reject reject;
    reject.reason = reader.text();
    reject.detail = reader.text();
    reject.origin = reader.text();
    reject.bytes = reader.text();
    chunk.rejects.push_back(std::move(reject));
  }
  if (reader.at_end()) return;
  std::vector<std::uint32_t> traces(chunk.size());
  read_traces(reader, traces, chunk);
  for (std::size_t i = 0; i < traces.size(); ++i) chunk.set_trace(i, traces[i]);
}

}  // namespace

std::string encode_spool(const SpoolStep& step, const Chunk& chunk) {
  std::string body;
  append_be<std::int64_t>(body, step.records_before);
  put_text(body, step.from_position);
  put_text(body, chunk.position);
  put_text(body, chunk.place);
  body += chunk.separator;
  append_be<std::uint32_t>(body, static_cast<std::uint32_t>(chunk.size()));
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    const auto key = chunk.key(i);
    body += static_cast<char>((key ? kHasKey : 0) | (chunk.entry(i).has_value ? 0 : kTombstone));
    put_text(body, key.value_or(""));
    put_text(body, chunk.value(i));
    append_be<std::int64_t>(body, chunk.entry(i).number);
  }
  append_be<std::uint32_t>(body, static_cast<std::uint32_t>(chunk.rejects.size()));
  for (const Reject& reject : chunk.rejects)
    for (const std::string* text : {&reject.reason, &reject.detail, &reject.origin, &reject.bytes})
      put_text(body, *text);
  append_be<std::uint32_t>(body, static_cast<std::uint32_t>(chunk.traces().size()));
  for (const telemetry::SpanContext& trace : chunk.traces()) {
    put_text(body, telemetry::traceparent(trace));
    put_text(body, trace.state);
  }
  for (std::size_t i = 0; i < chunk.size(); ++i)
    append_be<std::uint32_t>(body, chunk.entry(i).trace);
  std::string out(kMagic);
  append_be<std::uint32_t>(out, log::crc32c(body));
  return out + body;
}

Result<SpoolStep> decode_spool(std::string_view bytes, Chunk& chunk) {
  chunk.clear();
  if (bytes.size() < kMagic.size() + 4 || !bytes.starts_with(kMagic))
    return error(Code::kDataLoss, "the spool is no spool");
  const auto crc = load_be<std::uint32_t>(bytes.data() + kMagic.size());
  const std::string_view body = bytes.substr(kMagic.size() + 4);
  if (log::crc32c(body) != crc)
    return error(Code::kDataLoss, "the spool does not match its checksum");
  Reader reader(body);
  SpoolStep step;
  step.records_before = reader.number<std::int64_t>();
  step.from_position = reader.text();
  read_chunk(reader, chunk);
  if (!reader.ok()) return error(Code::kDataLoss, "the spool is cut short");
  return step;
}

}  // namespace tailrace::connect
