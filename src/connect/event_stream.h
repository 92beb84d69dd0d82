// The text/event-stream format of the HTML standard (§9.2.5, §9.2.6), piece by piece.
//
//   stream  = [BOM] *event
//   event   = *(comment / field) end-of-line          end-of-line = CR LF / LF / CR
//   comment = ":" *any-char end-of-line
//   field   = name [":" [space] *any-char] end-of-line   event, data, id, retry; others are ignored
//
// An event without data is none, but its id counts. What was not ended by a blank line is dropped
// with its connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::connect {

struct StreamEvent {
  std::string type = "message";
  std::string data;     ///< its lines, joined by LF
  std::string last_id;  ///< the stream's last id as of this event
  std::string problem;  ///< not empty: `data` is only the beginning of what was sent
};

class EventStream {
 public:
  using Take = std::function<void(StreamEvent event)>;

  /// `max_bytes` of one event; a larger one has a problem.
  explicit EventStream(std::size_t max_bytes, std::string last_id = {})
      : max_bytes_(max_bytes), last_id_(std::move(last_id)), id_(last_id_) {}

  void feed(std::string_view bytes, const Take& take);
  /// A connection's end: what follows is another's beginning.
  void reconnect();

  /// The id to reconnect with; "" for none.
  const std::string& last_id() const { return last_id_; }
  /// The reconnection time that the server asked for.
  std::optional<std::int64_t> retry_ms() const { return retry_ms_; }

 private:
  void line(const Take& take);
  void field(std::string_view name, std::string_view value);
  void dispatch(const Take& take);

  const std::size_t max_bytes_;
  std::string last_id_;  ///< of what was dispatched
  std::string id_;       ///< of what is being read
  std::optional<std::int64_t> retry_ms_;
  std::string line_, data_, type_;
  bool first_line_ = true, after_cr_ = false, too_large_ = false, has_data_ = false;
};

}  // namespace tailrace::connect
