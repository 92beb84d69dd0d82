#include "connect/event_stream.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace tailrace::connect {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
/// A line holds more than its data: the field's name, or the BOM.
constexpr std::size_t kNameBytes = 64;

}  // namespace

void EventStream::feed(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    const std::size_t room = max_bytes_ + kNameBytes - line_.size();
    line_ += piece.substr(0, room);
    too_large_ = too_large_ || piece.size() > room;
    if (end == std::string_view::npos) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    line(take);
    line_.clear();
  }
}

void EventStream::reconnect() {
  line_.clear();
  data_.clear();
  type_.clear();
  id_ = last_id_;
  first_line_ = true;
  after_cr_ = too_large_ = has_data_ = false;
}

void EventStream::line(const Take& take) {
  std::string_view text = line_;
  if (std::exchange(first_line_, false) && text.starts_with(kBom)) text.remove_prefix(kBom.size());
  if (text.empty()) return dispatch(take);
  const auto colon = text.find(':');
  if (colon == 0) return;
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  field(text.substr(0, colon), value);
}

void EventStream::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (std::exchange(has_data_, true) && data_.size() < max_bytes_) data_ += '\n';
    const std::size_t room = max_bytes_ - data_.size();
    data_ += value.substr(0, room);
    too_large_ = too_large_ || value.size() > room;
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    std::int64_t ms = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), ms);
    const bool digits = value.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && failure == std::errc() && !value.empty()) retry_ms_ = ms;
  }
}

void EventStream::dispatch(const Take& take) {
  last_id_ = id_;
  if (has_data_) {
    StreamEvent event{.type = type_.empty() ? "message" : std::move(type_),
                      .data = std::move(data_),
                      .last_id = last_id_,
                      .problem = {}};
    if (too_large_)
      event.problem =
          fmt::format("an event is longer than {} bytes; these are its first", max_bytes_);
    take(std::move(event));
  }
  data_.clear();
  type_.clear();
  has_data_ = too_large_ = false;
}

}  // namespace tailrace::connect
