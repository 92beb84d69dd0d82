#include "connect/bucket_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "connect/bucket_cleaner.h"
#include "connect/bucket_fetcher.h"
#include "connect/bucket_news.h"
#include "connect/bucket_options.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxChunkRecords = 4096;
constexpr std::size_t kMaxChunkBytes = 8 << 20;
constexpr int kPlan = 1000;  ///< objects of the book in memory
constexpr int kTries = 5;    ///< of an object whose neighbours can be had
constexpr std::int64_t kPutOffMs = 60'000, kMostPutOffMs = 3'600'000;
constexpr std::int64_t kBackoffMs = 500, kMostBackoffMs = 30'000;
constexpr milliseconds kLook{200};  ///< how long one next() waits for an object

struct Position {
  std::int64_t n = 1;
  std::int64_t records = 0;

  static Result<Position> parse(std::string_view text);
  std::string encode() const { return fmt::format(R"({{"n":{},"records":{}}})", n, records); }
};

Result<Position> Position::parse(std::string_view text) {
  if (text.empty()) return Position();
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("n") || !json.contains("records"))
    return error(Code::kDataLoss, "no position of a bucket");
  return Position{json.at("n").get<std::int64_t>(), json.at("records").get<std::int64_t>()};
}

class BucketSource final : public Source {
 public:
  BucketSource(BucketConfig config, std::shared_ptr<Inbox> inbox, rt::Clock& clock)
      : config_(std::move(config)),
        inbox_(std::move(inbox)),
        clock_(clock),
        folder_(config_.folder) {}
  ~BucketSource() override;

  Status next(std::string_view text, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return true; }
  std::string fingerprint() const override { return config_.fingerprint(); }
  std::string describe() const override { return config_.shown; }
  void noted(std::string_view position) override;

 private:
  Status open();
  Status seek(std::string_view text);
  MakeClient make_client() const;
  std::string place(const BookedObject& object) const {
    return fmt::format("s3://{}/{}", config_.address.bucket, object.key);
  }

  Status plan();
  void fetch_ahead();
  Status read(Chunk& chunk, std::stop_token stop);
  Status open_object(const std::string& path);
  Result<bool> read_records(Chunk& chunk);
  Status reject_rest(const std::string& why, Chunk& chunk);
  void end_object();
  Status fail(const Error& why, Chunk& chunk);
  Status put_off(const Error& why, Chunk& chunk);
  void pass();

  Status learn(Chunk& chunk, std::stop_token stop);
  Status rest(Chunk& chunk);
  Status feed_cleaner();

  const BucketConfig config_;
  const std::shared_ptr<Inbox> inbox_;
  rt::Clock& clock_;
  std::string folder_, temporary_;
  std::unique_ptr<ObjectBook> book_;
  std::unique_ptr<BucketFetcher> fetcher_;
  std::unique_ptr<BucketNews> news_;
  std::unique_ptr<BucketCleaner> cleaner_;
  Position position_;
  std::string known_text_;  // position_ as text: the object is open at that place
  std::int64_t noted_ = 0;
  std::deque<BookedObject> plan_;  // from position_.n on
  std::size_t wanted_ = 0;         // of plan_
  std::unique_ptr<RecordFile> file_;
  FileRecord record_;
  bool asked_ = false;  // once of all news, without waiting
  int tries_ = 0;       // of the object that could not be had
  std::int64_t fetched_then_ = 0;
  int learn_failures_ = 0;
};

BucketSource::~BucketSource() {
  if (temporary_.empty()) return;
  fetcher_.reset();
  book_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

MakeClient BucketSource::make_client() const {
  return
      [this] { return std::make_unique<s3::Client>(config_.address, config_.credentials, clock_); };
}

/// What needs the data folder: a project that is only checked has none.
Status BucketSource::open() {
  if (config_.folder.empty()) {
    // A source that is only tried leaves nothing behind.
    std::string made = (std::filesystem::temp_directory_path() / "tailrace-bucket-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr)
      return error(Code::kUnavailable,
                   fmt::format("cannot make {}: {}", made, std::strerror(errno)));
    folder_ = temporary_ = made;
  }
  const std::string base = folder_ + "/" + config_.name;
  ASSIGN(book_, ObjectBook::open(base + ".objects", config_.fingerprint(), clock_.now().value));
  fetcher_ = std::make_unique<BucketFetcher>(make_client(), base + ".fetched", config_.parallel);
  TRY(fetcher_->start(position_.n));
  news_ = std::make_unique<BucketNews>(config_, inbox_, clock_);
  if (config_.cleans)
    cleaner_ = std::make_unique<BucketCleaner>(make_client(), config_.base, config_.move_to,
                                               std::min(config_.parallel, 8), book_->cleaned());
  return {};
}

Status BucketSource::seek(std::string_view text) {
  if (book_ && text == known_text_) return {};
  ASSIGN(position_, Position::parse(text));
  file_.reset();
  plan_.clear();
  wanted_ = 0;
  if (!book_) TRY(open());
  if (position_.n <= book_->last() + 1) return {};
  return error(
      Code::kDataLoss,
      fmt::format("{}/{}.objects does not have the {} objects that were read: put it back, "
                  "or remove {}.json beside it to read all of {} again",
                  folder_, config_.name, position_.n - 1, config_.name, config_.shown));
}

Status BucketSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  TRY(seek(text));
  TRY(plan());
  if (plan_.empty())
    TRY(learn(chunk, stop));
  else
    TRY(read(chunk, stop));
  chunk.position = known_text_ = position_.encode();
  return {};
}

void BucketSource::noted(std::string_view text) {
  const auto position = Position::parse(text);
  if (!position) return;
  noted_ = position->n;
  if (!fetcher_) return;
  fetcher_->drop_below(noted_);
  news_->settle({});
  if (auto fed = feed_cleaner(); !fed)
    LOG_OF(warn, log_of("source", config_.name), "ingest {}: {}", config_.name, fed.error().what);
}

Status BucketSource::plan() {
  if (!plan_.empty() || position_.n > book_->last()) return {};
  ASSIGN(const auto objects, book_->from(position_.n, kPlan));
  plan_.assign(objects.begin(), objects.end());
  wanted_ = 0;
  return {};
}

void BucketSource::fetch_ahead() {
  // The first one is wanted whatever its neighbours take.
  while (wanted_ < plan_.size() && (wanted_ == 0 || fetcher_->has_room()))
    fetcher_->want(plan_[wanted_++]);
}

/// As many objects as the chunk has room for, and as are there.
Status BucketSource::read(Chunk& chunk, std::stop_token stop) {
  chunk.why = fmt::format("object {} of {}", plan_.front().n, book_->last());
  while (!plan_.empty()) {
    fetch_ahead();
    const bool nothing_yet = chunk.empty() && chunk.rejects.empty();
    if (!file_) {
      const auto fetched =
          fetcher_->file_of(plan_.front().n, nothing_yet ? kLook : milliseconds(0), stop);
      if (!fetched) return {};
      if (!*fetched) {
        // A failure is a chunk of its own: what is decided here is noted before anything else.
        if (!nothing_yet) return {};
        return stop.stop_requested() ? Status() : fail(fetched->error(), chunk);
      }
      tries_ = 0;
      TRY(book_->taken(plan_.front().n));
      if (auto opened = open_object(**fetched); !opened) {
        TRY(reject_rest(opened.error().what, chunk));
        end_object();
        continue;
      }
    }
    chunk.add_place(place(plan_.front()));
    ASSIGN(const bool full, read_records(chunk));
    if (full) return {};
    end_object();
  }
  return {};
}

Status BucketSource::open_object(const std::string& path) {
  if (plan_.front().size_bytes == 0) return {};
  ASSIGN(const FileShape shape, shape_of(path, config_.format));
  FilePart part;
  part.end = plan_.front().size_bytes;
  ASSIGN(file_, RecordFile::open(path, shape, part));
  for (std::int64_t i = 0; i < position_.records; ++i) {
    auto more = file_->next(record_);
    if (more && *more) continue;
    file_.reset();
    return error(Code::kDataLoss,
                 fmt::format("holds fewer than {} records now", position_.records));
  }
  return {};
}

/// True: the chunk is full. What is damaged ends with a reject.
Result<bool> BucketSource::read_records(Chunk& chunk) {
  if (!file_) return false;
  const std::string from = place(plan_.front());
  while (chunk.size() + chunk.rejects.size() < kMaxChunkRecords &&
         chunk.size_bytes() < kMaxChunkBytes) {
    auto more = file_->next(record_);
    if (!more) {
      TRY(reject_rest(more.error().what, chunk));
      return false;
    }
    if (!*more) return false;
    ++position_.records;
    if (!record_.problem.empty()) {
      chunk.rejects.push_back({"unreadable", record_.problem,
                               fmt::format("{}:{}", from, record_.number),
                               std::move(record_.value)});
      continue;
    }
    const auto key = config_.key.is_root() ? std::nullopt : config_.key.find(record_.value);
    chunk.add(key, record_.value, record_.number);
  }
  return true;
}

/// What follows in the object cannot be read: it stays in the bucket.
Status BucketSource::reject_rest(const std::string& why, Chunk& chunk) {
  const std::string from = place(plan_.front());
  const std::string what =
      position_.records == 0 ? fmt::format("{}: {}", from, why)
                             : fmt::format("{}: {} after {} records", from, why, position_.records);
  chunk.rejects.push_back(
      {"unreadable object", what, fmt::format("{}:{}", from, position_.records + 1), ""});
  return book_->keep(plan_.front().n, what);
}

void BucketSource::end_object() {
  fetcher_->release(plan_.front().n, true);
  pass();
}

void BucketSource::pass() {
  position_ = {plan_.front().n + 1, 0};
  plan_.pop_front();
  wanted_ -= wanted_ > 0 ? 1 : 0;
  file_.reset();
  tries_ = 0;
}

/// The object cannot be had, now or ever.
Status BucketSource::fail(const Error& why, Chunk& chunk) {
  const BookedObject object = plan_.front();
  fetcher_->release(object.n, false);
  wanted_ = 0;
  const bool is_gone = why.code == Code::kNotFound, is_another = why.code == Code::kAborted;
  if (is_gone || is_another) {
    if (is_gone || position_.records > 0) {
      chunk.error = fmt::format("{} {} after {} records", place(object),
                                is_gone ? "is gone" : "is another object now", position_.records);
      chunk.rejects.push_back({"unreadable object", chunk.error, place(object), ""});
      chunk.once = true;
    }
    chunk.note_first = chunk.restart_sequences = true;
    pass();
    return {};
  }
  if (why.code == Code::kCancelled) return {};
  const bool passes = why.code == Code::kUnavailable || why.code == Code::kDeadlineExceeded ||
                      why.code == Code::kResourceExhausted;
  if (!passes) return put_off(why, chunk);
  if (tries_++ == 0) fetched_then_ = fetcher_->fetched();
  if (tries_ >= kTries && fetcher_->fetched() > fetched_then_) return put_off(why, chunk);
  const std::int64_t wait = std::min(kMostBackoffMs, kBackoffMs << std::min(tries_ - 1, 10));
  chunk.wait = milliseconds(wait);
  chunk.error = chunk.why =
      fmt::format("{}; tries again in {} s", why.what, static_cast<double>(wait) / 1000);
  return {};
}

Status BucketSource::put_off(const Error& why, Chunk& chunk) {
  const std::int64_t n = plan_.front().n;
  ASSIGN(const int tries, book_->tries(n));
  const std::int64_t wait = std::min(kMostPutOffMs, kPutOffMs << std::min(tries, 10));
  TRY(book_->put_off(n, clock_.now().value + wait, why.what));
  chunk.error = fmt::format("{}; tries again in {} min", why.what, wait / 60'000);
  chunk.note_first = chunk.restart_sequences = true;
  pass();
  return {};
}

Status BucketSource::learn(Chunk& chunk, std::stop_token stop) {
  ASSIGN(const std::int64_t again, book_->call_again(noted_, clock_.now().value));
  auto learnt = news_->learn(*book_, chunk, asked_ && again == 0, stop);
  // What is rejected here cannot be rejected again: its message is deleted.
  chunk.once = !chunk.rejects.empty();
  chunk.note_first = news_->open();
  if (stop.stop_requested()) return {};
  if (!learnt) {
    const Error& why = learnt.error();
    if (why.code == Code::kDataLoss && why.what.find("SQLite") != why.what.npos) return learnt;
    const std::int64_t wait =
        std::min(kMostBackoffMs, kBackoffMs << std::min(learn_failures_++, 10));
    chunk.wait = milliseconds(wait);
    chunk.idle = true;
    chunk.error = chunk.why =
        fmt::format("{}; tries again in {} s", why.what, static_cast<double>(wait) / 1000);
    return {};
  }
  learn_failures_ = 0;
  asked_ = !news_->more() && !news_->came() && again == 0;
  if (!asked_) return {};
  return rest(chunk);
}

Status BucketSource::rest(Chunk& chunk) {
  chunk.idle = true;
  ASSIGN(const auto off, book_->waiting());
  auto wait = std::max<std::chrono::nanoseconds>(chunk.wait, milliseconds(1));
  if (config_.notify == BucketNotify::kList) {
    wait = std::max<std::chrono::nanoseconds>(wait, news_->until_listing());
    if (off.count > 0) {
      const milliseconds left(std::max<std::int64_t>(1, off.next_ms - clock_.now().value));
      wait = std::min<std::chrono::nanoseconds>(wait, left);
    }
  }
  chunk.wait = wait;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(news_->until_listing()).count();
  chunk.why = fmt::format("no new object in {}; next listing in {} s", config_.shown, seconds);
  if (off.count > 0)
    chunk.error = chunk.why = fmt::format("{} object{} cannot be read yet: {}", off.count,
                                          off.count == 1 ? "" : "s", off.why);
  else if (cleaner_ && !cleaner_->trouble().empty())
    chunk.error = cleaner_->trouble();
  return {};
}

/// What is noted is deleted or moved, in pages.
Status BucketSource::feed_cleaner() {
  if (!cleaner_) return {};
  TRY(book_->set_cleaned(cleaner_->done()));
  while (cleaner_->waiting() < kPlan && cleaner_->added() < noted_) {
    ASSIGN(const auto objects, book_->read_from(cleaner_->added(), noted_, kPlan));
    if (objects.empty()) return {};
    cleaner_->add(objects);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Source>> make_bucket_source(const SourceSpec& spec, rt::Clock& clock) {
  ASSIGN(auto config, read_bucket_options(spec));
  std::shared_ptr<Inbox> inbox;
  if (config.notify == BucketNotify::kWebhook)
    inbox = spec.inbox ? spec.inbox : std::make_shared<Inbox>();
  return std::make_unique<BucketSource>(std::move(config), std::move(inbox), clock);
}

}  // namespace tailrace::connect
