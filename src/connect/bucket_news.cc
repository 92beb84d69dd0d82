// Listings, messages and deliveries into the book.
#include "connect/bucket_news.h"

#include <fmt/format.h>

#include "base/log.h"
#include "s3/notification.h"

namespace tailrace::connect {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kReceipts = 10;      // SQS's limit of a batch
constexpr std::size_t kMessages = 1000;    // of one learn()
constexpr std::size_t kDeliveries = 1000;  // of one learn()
constexpr int kHiddenSeconds = 60;
constexpr int kLongPollSeconds = 10;
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::seconds kEmptyAnswer{1};

s3::QueueAddress queue_address(const BucketConfig& config) {
  if (config.notify == BucketNotify::kSqs) return config.queue;
  return {.url = "http://127.0.0.1/none", .region = {}, .ca_file = {}, .verify_tls = true};
}

}  // namespace

BucketNews::BucketNews(const BucketConfig& config, std::shared_ptr<Inbox> inbox, rt::Clock& clock)
    : config_(config),
      inbox_(std::move(inbox)),
      clock_(clock),
      client_(config.address, config.credentials, clock),
      queue_(queue_address(config), config.credentials, clock) {
  listing_ = config.lists;
  if (inbox_) inbox_->open(true);
}

BucketNews::~BucketNews() {
  if (!inbox_) return;
  inbox_->open(false);
  for (Delivery& delivery : under_way_)
    if (delivery.done) delivery.done(error(Code::kUnavailable, "the source stops"));
}

nanoseconds BucketNews::until_listing() const {
  if (!config_.lists) return std::chrono::hours(24);
  return std::max(nanoseconds(0), list_at_ - clock_.monotonic());
}

Status BucketNews::learn(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop) {
  came_ = false;
  if (config_.lists && !listing_ && clock_.monotonic() >= list_at_) listing_ = true;
  const bool waits = wait && !listing_;
  if (config_.notify == BucketNotify::kSqs) TRY(receive(book, chunk, waits, stop));
  if (inbox_) TRY(take(book, chunk, waits, stop));
  if (listing_) return list(book, stop);
  return {};
}

bool BucketNews::is_old(const ObjectBook& book, const std::string& modified) const {
  std::int64_t since = config_.only_new ? book.since_ms() : config_.since_ms;
  if (since == 0) return false;
  since = since / 1000 * 1000;  // Amazon's stamps are whole seconds
  const auto at = bucket_time_ms(modified);
  return at && *at < since;
}

Status BucketNews::enter(ObjectBook& book, const std::vector<BookedObject>& objects) {
  ASSIGN(const std::int64_t added, book.enter(objects, !config_.changed_again));
  came_ = came_ || added > 0;
  return {};
}

/// One page. What fails for good begins again: a token may have ended.
Status BucketNews::list(ObjectBook& book, std::stop_token stop) {
  s3::ListAsked asked{
      .prefix = config_.prefix, .start_after = book.listed_to(), .token = token_, .most = 1000};
  if (config_.growing) {
    ASSIGN(asked.start_after, book.greatest_key());
  }
  auto page = client_.list(asked, stop);
  if (!page) {
    if (page.error().code == Code::kFailedPrecondition) token_.clear();
    return std::unexpected(page.error());
  }
  std::vector<BookedObject> objects;
  const std::string last = page->objects.empty() ? "" : page->objects.back().key;
  for (s3::Object& object : page->objects)
    if (config_.takes(object.key) && !is_old(book, object.modified))
      objects.push_back({.n = 0,
                         .key = std::move(object.key),
                         .etag = std::move(object.etag),
                         .version = {},
                         .size_bytes = object.size_bytes});
  TRY(enter(book, objects));
  token_ = page->next;
  if (came_ || token_.empty()) TRY(book.set_listed_to(token_.empty() ? "" : last));
  if (token_.empty()) {
    listing_ = false;
    list_at_ = clock_.monotonic() + config_.every;
  }
  return {};
}

/// False: the text is no news, and a reject now.
Result<bool> BucketNews::read(const std::string& text, const std::string& origin,
                              std::vector<BookedObject>& objects, Chunk& chunk,
                              std::stop_token stop) {
  auto news = s3::read_notification(text);
  if (!news) {
    chunk.rejects.push_back({"unreadable notification", news.error().what, origin, text});
    return false;
  }
  for (s3::News& one : *news) {
    s3::Object& object = one.object;
    if (one.bucket != config_.address.bucket || !config_.takes(object.key)) continue;
    if (object.etag.empty() || object.size_bytes == 0) {
      ASSIGN(const auto there, client_.head(object.key, stop));
      if (!there) continue;
      object = *there;
      one.version.clear();
    }
    objects.push_back({.n = 0,
                       .key = std::move(object.key),
                       .etag = std::move(object.etag),
                       .version = std::move(one.version),
                       .size_bytes = object.size_bytes});
  }
  return true;
}

Status BucketNews::receive(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop) {
  std::vector<BookedObject> objects;
  std::vector<std::string> receipts;
  while (receipts.size() < kMessages) {
    const bool first = receipts.empty();
    const int seconds = static_cast<int>(std::min<std::int64_t>(
        kLongPollSeconds, std::chrono::ceil<std::chrono::seconds>(until_listing()).count()));
    const nanoseconds asked_at = clock_.monotonic();
    ASSIGN(const auto messages, queue_.receive(wait && first ? seconds : 0, kHiddenSeconds, stop));
    if (messages.empty()) {
      // A server that does not wait must not be asked all the time.
      if (wait && first && clock_.monotonic() - asked_at < kEmptyAnswer) chunk.wait = kEmptyAnswer;
      break;
    }
    for (const s3::Message& message : messages) {
      TRY(read(message.body, fmt::format("{}#{}", config_.queue.url, message.id), objects, chunk,
               stop));
      receipts.push_back(message.receipt);
    }
  }
  TRY(enter(book, objects));
  came_ = came_ || !receipts.empty();
  receipts_.insert(receipts_.end(), receipts.begin(), receipts.end());
  return {};
}

Status BucketNews::take(ObjectBook& book, Chunk& chunk, bool wait, std::stop_token stop) {
  auto deliveries = inbox_->take(kDeliveries, wait ? kLook : std::chrono::milliseconds(0), stop);
  std::vector<BookedObject> objects;
  Status how;
  for (Delivery& delivery : deliveries) {
    for (const Delivery::Item& item : delivery.items) {
      const auto done = read(item.value, "webhook", objects, chunk, stop);
      if (!done && how) how = std::unexpected(done.error());
    }
    for (Reject& reject : delivery.rejects) chunk.rejects.push_back(std::move(reject));
    under_way_.push_back(std::move(delivery));
  }
  came_ = came_ || !deliveries.empty();
  if (how) how = enter(book, objects);
  if (how) return {};
  // Its sender has it still, and sends it again.
  for (Delivery& delivery : under_way_) {
    inbox_->settled(size_of(delivery), 1);
    if (delivery.done) delivery.done(how);
  }
  under_way_.clear();
  return how;
}

void BucketNews::settle(std::stop_token stop) {
  for (Delivery& delivery : under_way_) {
    inbox_->settled(size_of(delivery), 1);
    if (delivery.done) delivery.done({});
  }
  under_way_.clear();
  for (std::size_t at = 0; at < receipts_.size(); at += kReceipts) {
    const auto end = std::min(receipts_.size(), at + kReceipts);
    const std::vector<std::string> some(receipts_.begin() + static_cast<std::ptrdiff_t>(at),
                                        receipts_.begin() + static_cast<std::ptrdiff_t>(end));
    // Those that stay come again, and are known.
    if (auto removed = queue_.remove(some, stop); !removed)
      LOG_OF(warn, log_of("source", config_.name), "ingest {}: {}", config_.name,
             removed.error().what);
  }
  receipts_.clear();
}

}  // namespace tailrace::connect
