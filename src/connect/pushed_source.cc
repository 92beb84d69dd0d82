// Deliveries of an inbox as chunks, and the news of them.
#include "connect/pushed_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "connect/inbox_ids.h"
#include "net/answers_together.h"
#include "telemetry/span.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kChunkRecords = 4096;
/// How long the source looks into an empty inbox before it says that nothing is there.
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::seconds kStartAgain{1};

struct Position {
  std::int64_t records = 0;
  std::int64_t deliveries = 0;
  std::vector<std::string> ids;  ///< of the last chunk that had any
  std::int64_t ids_at_ms = 0;
};

std::string encode(const Position& position) {
  nlohmann::json json = {{"n", position.records}, {"deliveries", position.deliveries}};
  if (!position.ids.empty()) {
    json["ids"] = position.ids;
    json["at"] = position.ids_at_ms;
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Position> decode(std::string_view text) {
  Position position;
  if (text.empty()) return position;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    json.at("n").get_to(position.records);
    json.at("deliveries").get_to(position.deliveries);
    position.ids = json.value("ids", std::vector<std::string>());
    position.ids_at_ms = json.value("at", std::int64_t{0});
    return position;
  } catch (const nlohmann::json::exception& failure) {
    return error(Code::kDataLoss, failure.what());
  }
}

class PushedSource final : public Source {
 public:
  PushedSource(PushedConfig config, std::shared_ptr<Inbox> inbox,
               std::unique_ptr<Receiver> receiver, rt::Clock& clock, rt::FileSystem& files)
      : config_(std::move(config)),
        inbox_(std::move(inbox)),
        receiver_(std::move(receiver)),
        clock_(clock),
        files_(files) {}
  ~PushedSource() override;

  Status next(std::string_view position, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return true; }
  std::string fingerprint() const override { return "pushed"; }
  std::string describe() const override { return config_.describe; }
  void noted(std::string_view position) override;
  void durable(std::string_view position) override;
  Status written_since(std::span<const std::string> ids) override;
  Status keep() override;

 private:
  Status open_ids();
  Status remember();
  Status fill(Position& position, Chunk& chunk, std::stop_token stop);
  Status deal(Position& position, Chunk& chunk);
  bool fits_with_ids() const;
  void put(const Delivery& delivery, const Position& position, bool with_id, Chunk& chunk) const;
  static void tell(Delivery& delivery, const Status& how);
  void settle(const Status& how);

  const PushedConfig config_;
  const std::shared_ptr<Inbox> inbox_;
  const std::unique_ptr<Receiver> receiver_;
  rt::Clock& clock_;
  rt::FileSystem& files_;
  std::unique_ptr<InboxIds> ids_;
  bool opened_ = false;  // this run has emitted its first, empty chunk
  bool receiving_ = false;
  Position noted_;  // whose ids are to be remembered
  bool remembered_ = true;
  std::deque<Delivery> under_way_;
  std::string under_way_position_;
  bool ids_in_records_ = false;                // they may be
  std::vector<std::string_view> ids_on_disk_;  // of under_way_, when it is durable
};

PushedSource::~PushedSource() {
  if (receiver_ && receiving_) receiver_->stop();
  inbox_->open(false);
  settle(error(Code::kUnavailable, "the source stops"));
}

void PushedSource::tell(Delivery& delivery, const Status& how) {
  if (const auto done = std::exchange(delivery.done, nullptr)) done(how);
}

void PushedSource::settle(const Status& how) {
  const net::AnswersTogether together;
  std::size_t bytes = 0;
  for (Delivery& delivery : under_way_) {
    bytes += size_of(delivery);
    tell(delivery, how);
  }
  const std::size_t count = under_way_.size();
  under_way_.clear();
  if (count > 0) inbox_->settled(bytes, count);
}

// Ids stay in the position until the next chunk's take their place, so they may be kept a moment
// later than they are durable, and must be before there is a next chunk.
void PushedSource::noted(std::string_view position) {
  durable(position);
  auto decoded = decode(position);
  if (!decoded || decoded->ids.empty()) return;
  if (decoded->ids == noted_.ids && decoded->ids_at_ms == noted_.ids_at_ms) return;
  noted_ = std::move(*decoded);
  remembered_ = false;
}

void PushedSource::durable(std::string_view position) {
  if (position != under_way_position_) return;
  for (const std::string_view id : ids_on_disk_) ids_->add(id, clock_.now().value);
  ids_on_disk_.clear();
  settle({});
}

Status PushedSource::written_since(std::span<const std::string> ids) {
  TRY(open_ids());
  if (!ids_) return {};
  ids_in_records_ = true;
  for (const std::string& id : ids) ids_->add(id, clock_.now().value);
  return {};
}

Status PushedSource::keep() {
  return ids_ ? ids_->sync() : Status();
}

Status PushedSource::open_ids() {
  if (ids_ || config_.ids_folder.empty()) return {};
  ASSIGN(ids_, InboxIds::open(config_.ids_folder + "/" + config_.name + ".taken",
                              config_.remember_ms, config_.remember_most, files_));
  return {};
}

Status PushedSource::remember() {
  TRY(open_ids());
  if (remembered_) return {};
  if (ids_) {
    for (const std::string& id : noted_.ids) ids_->add(id, noted_.ids_at_ms);
    TRY(ids_->sync());
  }
  remembered_ = true;
  return {};
}

Status PushedSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  ASSIGN(Position position, decode(text));
  TRY(remember());
  if (position.ids == noted_.ids) position.ids.clear();
  if (!opened_) {
    // Appended before a crash and never noted: nobody was told of it, and it will not come again.
    opened_ = true;
    chunk.restart_sequences = chunk.note_first = true;
    chunk.position = encode(position);
    inbox_->open(true);
    return {};
  }
  if (receiver_ && !receiving_) {
    if (auto started = receiver_->start(*inbox_); !started) {
      if (started.error().code != Code::kUnavailable) return started;
      chunk.error = started.error().what;
      chunk.position = encode(position);
      chunk.wait = kStartAgain;
      chunk.idle = true;
      return {};
    }
    receiving_ = true;
  }
  return fill(position, chunk, std::move(stop));
}

Status PushedSource::fill(Position& position, Chunk& chunk, std::stop_token stop) {
  under_way_ = inbox_->take(kChunkRecords, kLook, std::move(stop));
  if (telemetry::on()) chunk.came_ns = telemetry::now_ns();
  if (auto dealt = deal(position, chunk); !dealt) {
    settle(dealt);
    return dealt;
  }
  chunk.place = config_.name;
  chunk.position = encode(position);
  chunk.sync_first = !under_way_.empty();
  under_way_position_ = chunk.position;
  chunk.idle = under_way_.empty() && (!config_.ends || inbox_->closed()) &&
               (!receiver_ || receiver_->quiet());
  chunk.finished = under_way_.empty() && inbox_->closed();
  if (receiver_) {
    chunk.error = receiver_->trouble();
    chunk.why = receiver_->state();
  }
  return {};
}

// What is under way becomes records; what was accepted earlier is done. One that is repeated within
// the chunk gets the first one's news.
Status PushedSource::deal(Position& position, Chunk& chunk) {
  std::unordered_set<std::string_view> ids;
  const bool with_ids = fits_with_ids();
  const std::int64_t now_ms = clock_.now().value;
  for (auto delivery = under_way_.begin(); delivery != under_way_.end(); ++delivery) {
    if (!delivery->id.empty() && ids.contains(delivery->id)) continue;
    if (!delivery->id.empty() && ids_) {
      if (ids_->knows(delivery->id, now_ms)) {
        tell(*delivery, error(Code::kAlreadyExists, "it was delivered before"));
        continue;
      }
    }
    put(*delivery, position, with_ids, chunk);
    position.records += static_cast<std::int64_t>(delivery->items.size());
    ++position.deliveries;
    if (!delivery->id.empty()) ids.insert(delivery->id);
  }
  if (ids.empty()) return {};
  if (with_ids) {
    ids_on_disk_.assign(ids.begin(), ids.end());
    return {};
  }
  position.ids.assign(ids.begin(), ids.end());
  position.ids_at_ms = now_ms;
  chunk.once = true;
  return {};
}

/// What is under way is kept or lost one record at a time, so a delivery with an id must be one.
bool PushedSource::fits_with_ids() const {
  return ids_in_records_ && std::ranges::all_of(under_way_, [](const Delivery& delivery) {
           return delivery.id.empty() || (delivery.items.size() == 1 && delivery.rejects.empty());
         });
}

void PushedSource::put(const Delivery& delivery, const Position& position, bool with_id,
                       Chunk& chunk) const {
  std::int64_t number = position.records;
  const std::uint32_t trace = delivery.trace.valid() ? chunk.add_trace(delivery.trace) : 0;
  for (const Delivery::Item& item : delivery.items) {
    Chunk::Entry entry{.key_at = chunk.buffer().size(),
                       .key_bytes = item.key ? item.key->size() : 0,
                       .value_at = 0,
                       .value_bytes = item.value.size(),
                       .number = number++,
                       .timestamp_ms = item.timestamp_ms,
                       .has_key = item.key.has_value(),
                       .has_value = true,
                       .place = 0,
                       .trace = trace,
                       .id_at = 0,
                       .id_bytes = 0};
    if (item.key) chunk.buffer() += *item.key;
    entry.value_at = chunk.buffer().size();
    chunk.buffer() += item.value;
    if (with_id) {
      entry.id_at = chunk.buffer().size();
      entry.id_bytes = delivery.id.size();
      chunk.buffer() += delivery.id;
    }
    chunk.add_entry(entry);
  }
  for (const Reject& reject : delivery.rejects) chunk.rejects.push_back(reject);
}

}  // namespace

std::unique_ptr<Source> pushed_source(PushedConfig config, std::shared_ptr<Inbox> inbox,
                                      std::unique_ptr<Receiver> receiver, rt::Clock& clock,
                                      rt::FileSystem& files) {
  return std::make_unique<PushedSource>(std::move(config), std::move(inbox), std::move(receiver),
                                        clock, files);
}

}  // namespace tailrace::connect
