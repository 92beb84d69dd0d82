// Random lives of the coordinator against what must always hold, and against a replica that knows
// only the records.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "transactions/testing/actions_text.h"
#include "transactions/transactions.h"

namespace tailrace::transactions {
namespace {

/// Clients that behave, forget, repeat and lie, seeded.
class Life {
 public:
  explicit Life(std::uint64_t seed)
      : random_(seed), version_(one_in(3) ? Version(1) : kEpochPerTransaction) {
    // Near the end of its epochs from the start.
    Transaction old;
    old.producer = {1'000'000, 32'760};
    old.updated = TimestampMs(now_);
    log_.push_back({"x0", old});
    live_ = replayed();
    replica_ = replayed();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ += one_in(4) ? below(400) : below(5);
      ring();
      if (one_in(100)) restart();
      if (one_in(3) && !marking_.empty()) {
        mark();
      } else {
        ask();
      }
      EXPECT_EQ(live_->all(), replica_->all());
    }
  }

  /// Lets the markers be written and time pass until nobody waits.
  void end() {
    while (!marking_.empty()) mark();
    EXPECT_TRUE(asked_.empty()) << asked_.size() << " requests were not answered";
  }

  const std::map<std::string, int>& answers() const { return answers_; }

 private:
  struct Client {
    std::string id;
    Producer producer;
    EndTransaction last_end;
    Version version = kEpochPerTransaction;
  };

  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool one_in(int n) { return below(n) == 0; }

  std::unique_ptr<Transactions> replayed() {
    TransactionsConfig config;
    config.transactional_id_expiration_ms = 20'000;
    auto made = std::make_unique<Transactions>(config, [this]() -> std::optional<std::int64_t> {
      if (one_in(20)) return std::nullopt;
      return ++last_id_;
    });
    for (const auto& record : log_) made->replay(record);
    made->set_version(version_);
    return made;
  }

  void restart() {
    const auto before = live_->all();
    live_ = replayed();
    EXPECT_EQ(live_->all(), before);
    asked_.clear();
    marking_.clear();
    note(live_->start(TimestampMs(now_)));
  }

  void ring() {
    for (auto due = live_->next_deadline(); due && due->value <= now_; due = live_->next_deadline())
      note(live_->step({{}, Tick{}}, TimestampMs(now_)));
  }

  Partitions some() {
    Partitions out;
    for (int i = below(3); i >= 0; --i) out["t" + std::to_string(below(2))].insert(below(3));
    return out;
  }

  Producer producer(const Client& client) {
    auto out = client.producer;
    if (one_in(20)) out.epoch = static_cast<std::int16_t>(out.epoch + below(3) - 1);
    if (one_in(40)) out.id = 1 + below(10);
    return out;
  }

  void ask() {
    const auto who = static_cast<std::size_t>(below(5));
    auto& client = clients_[who];
    if (client.id.empty() || one_in(40)) {
      client = {"x" + std::to_string(below(3)), {}, {}, version_};
      if (one_in(3)) client.version = kPlain;
    }
    const RequestId request(++requests_);
    asked_[request] = who;
    note(live_->step({request, next(client)}, TimestampMs(now_)));
  }

  Happening next(Client& client) {
    if (client.producer.id == kNoProducerId || one_in(15)) {
      InitProducerId init{client.id, one_in(30) ? 0 : 200 + below(2'000)};
      if (client.producer.id != kNoProducerId && one_in(2)) init.expected = producer(client);
      return init;
    }
    switch (below(10)) {
      case 0:
        return VerifyPartitions{client.id, producer(client), some()};
      case 1:
        return one_in(2) ? Happening(DescribeTransactions{{client.id, "nobody"}})
                         : Happening(ListTransactions{{}, {}, below(1'000) - 500, ""});
      case 2:
        if (!client.last_end.id.empty()) return client.last_end;
        [[fallthrough]];
      case 3:
      case 4:
        client.last_end = {client.id, producer(client), one_in(2), client.version};
        return client.last_end;
      default:
        return AddPartitions{client.id, producer(client), some(), client.version,
                             client.version == kEpochPerTransaction && one_in(2)};
    }
  }

  void mark() {
    const auto at = static_cast<std::size_t>(below(static_cast<int>(marking_.size())));
    const auto done = marking_[at];
    marking_.erase(marking_.begin() + static_cast<std::ptrdiff_t>(at));
    note(live_->step({{}, MarkersWritten{done.id, done.producer}}, TimestampMs(now_)));
  }

  void note(const Actions& actions) {
    for (const auto& action : actions) {
      if (const auto* append = std::get_if<Append>(&action)) {
        check(append->record);
        log_.push_back(append->record);
        replica_->replay(append->record);
      } else if (const auto* markers = std::get_if<WriteMarkers>(&action)) {
        check(*markers);
        marking_.push_back(*markers);
      } else {
        note(std::get<Reply>(action));
      }
    }
  }

  /// Of one producer id no epoch goes back, and no open transaction is without partitions.
  void check(const Record& record) {
    if (!record.value) return;
    const auto& now = *record.value;
    if (now.previous_id != now.producer.id) ++answers_["goes on with another id"];
    auto& highest = epochs_.try_emplace(now.producer.id, now.producer.epoch).first->second;
    EXPECT_GE(now.producer.epoch, highest) << testing::text_of(record);
    highest = now.producer.epoch;
    EXPECT_EQ(owners_.try_emplace(now.producer.id, record.id).first->second, record.id);
    if (now.state == State::kOngoing) {
      EXPECT_FALSE(now.partitions.empty());
    }
    if (now.state == State::kOngoing) open_[record.id] = now.partitions;
  }

  /// What was decided once stays decided, for all partitions.
  void check(const WriteMarkers& markers) {
    if (markers.version < kEpochPerTransaction) return;
    const auto key = std::pair(markers.id, markers.producer);
    const auto decided = decided_.try_emplace(key, markers.commit, markers.partitions).first;
    EXPECT_EQ(decided->second, std::pair(markers.commit, markers.partitions))
        << testing::text_of(markers);
    if (!markers.partitions.empty()) {
      EXPECT_EQ(markers.partitions, open_[markers.id]);
    }
  }

  void note(const Reply& reply) {
    const auto asked = asked_.find(reply.request);
    ASSERT_NE(asked, asked_.end()) << "answered twice: " << testing::text_of(reply.answer);
    auto& client = clients_[asked->second];
    asked_.erase(asked);
    if (const auto* init = std::get_if<InitAnswer>(&reply.answer)) {
      ++answers_["init " + std::string(error_name(init->error))];
      if (init->error == ErrorCode::kNone) client.producer = init->producer;
      if (init->error == ErrorCode::kProducerFenced) client = {};
    } else if (const auto* end = std::get_if<EndAnswer>(&reply.answer)) {
      ++answers_["end " + std::string(error_name(end->error))];
      if (end->producer.id != kNoProducerId) client.producer = end->producer;
      if (end->error == ErrorCode::kProducerFenced) client = {};
    } else if (const auto* add = std::get_if<AddAnswer>(&reply.answer)) {
      ++answers_["add " + std::string(error_name(add->error))];
    }
  }

  std::mt19937_64 random_;
  Version version_;
  std::int64_t now_ = 1'000;
  std::int64_t last_id_ = 0;
  std::uint64_t requests_ = 0;
  std::unique_ptr<Transactions> live_;
  std::unique_ptr<Transactions> replica_;
  std::vector<Record> log_;
  std::vector<WriteMarkers> marking_;
  std::vector<Client> clients_ = std::vector<Client>(5);
  std::map<RequestId, std::size_t> asked_;
  std::map<std::int64_t, std::int16_t> epochs_;
  std::map<std::int64_t, std::string> owners_;
  std::map<std::string, Partitions> open_;
  std::map<std::pair<std::string, Producer>, std::pair<bool, Partitions>> decided_;
  std::map<std::string, int> answers_;
};

TEST(RandomLives, are_answered_once_and_replayed_from_their_records) {
  std::map<std::string, int> answers;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.run(600);
    life.end();
    if (HasFailure()) return;
    for (const auto& [kind, times] : life.answers()) answers[kind] += times;
  }
  for (const auto* kind :
       {"init NONE", "init CONCURRENT_TRANSACTIONS", "init PRODUCER_FENCED",
        "init INVALID_TRANSACTION_TIMEOUT", "end NONE", "end INVALID_TXN_STATE",
        "end CONCURRENT_TRANSACTIONS", "end PRODUCER_FENCED", "end INVALID_PRODUCER_ID_MAPPING",
        "add NONE", "add CONCURRENT_TRANSACTIONS", "add PRODUCER_FENCED",
        "goes on with another id"})
    EXPECT_GT(answers[kind], 20) << kind;
}

}  // namespace
}  // namespace tailrace::transactions
