// Reads a conversation, says its lines to Transactions and writes down what they do;
// testdata/README.md has the language. The text that comes back equals the text that was read when
// all went as written.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/conversation_line.h"
#include "transactions/testing/actions_text.h"
#include "transactions/transactions.h"

namespace tailrace::transactions::testing {

using conversations::Line;
using conversations::split;

inline Producer producer_of(const std::string& text) {
  const auto parts = split(text, ':');
  return {std::stoll(parts.at(0)), static_cast<std::int16_t>(std::stoi(parts.at(1)))};
}

inline Partitions partitions_of(const std::string& text) {
  Partitions out;
  for (const auto& one : split(text, ',')) {
    const auto parts = split(one, ':');
    for (const auto& partition : split(parts.at(1), '+'))
      out[parts[0]].insert(std::stoi(partition));
  }
  return out;
}

class Conversation {
 public:
  static std::string perform(const std::string& text) {
    Conversation conversation;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("  ")) continue;
      conversation.out_ += line + "\n";
      if (!line.empty() && !line.starts_with("#")) conversation.say(line);
    }
    return conversation.out_;
  }

 private:
  void say(const std::string& text) {
    const Line line(text);
    if (line.word(0) == "config") return configure(line);
    if (!transactions_) make();
    if (line.has("t")) pass_time_until(line.number("t", 0));
    if (line.word(0) == "-") return;
    if (line.word(0) == "restart") return make();
    if (line.word(0) == "record") return record(line);
    if (line.word(0) == "ids") {
      ids_ = line.says("none") ? -1 : line.number("next", 1);
      return;
    }
    actor_ = line.word(0);
    const auto verb = verbs().find(line.word(1));
    if (verb == verbs().end()) throw std::runtime_error("no such verb: " + text);
    perform((this->*verb->second)(line));
  }

  void configure(const Line& line) {
    config_.transaction_max_timeout_ms =
        static_cast<std::int32_t>(line.number("max", config_.transaction_max_timeout_ms));
    config_.transactional_id_expiration_ms =
        line.number("expiration", config_.transactional_id_expiration_ms);
    config_.two_phase_commit = line.says("two_phase");
    version_ = Version(static_cast<std::int16_t>(line.number("version", 2)));
  }

  void make() {
    transactions_ =
        std::make_unique<Transactions>(config_, [this]() -> std::optional<std::int64_t> {
          if (ids_ < 0) return std::nullopt;
          return ids_++;
        });
    for (const auto& record : log_) transactions_->replay(record);
    transactions_->set_version(version_);
    note(transactions_->start(TimestampMs(now_)));
  }

  /// As if another coordinator had left it.
  void record(const Line& line) {
    Transaction value;
    value.producer = producer_of(line.text("producer"));
    value.previous_id = value.producer.id;
    value.timeout_ms = 60'000;
    value.updated = TimestampMs(now_);
    log_.push_back({line.word(1), value});
    make();
  }

  void pass_time_until(std::int64_t time) {
    for (auto due = transactions_->next_deadline(); due && due->value <= time;
         due = transactions_->next_deadline()) {
      now_ = std::max(now_, due->value);
      note(transactions_->step({{}, Tick{}}, TimestampMs(now_)));
    }
    now_ = std::max(now_, time);
  }

  void perform(Happening what) {
    const RequestId id(++requests_);
    asked_[id] = actor_;
    note(transactions_->step({id, std::move(what)}, TimestampMs(now_)));
  }

  void note(const Actions& actions) {
    for (const auto& action : actions) {
      out_ += fmt::format("  t={} {}\n", now_, written(action));
      if (const auto* append = std::get_if<Append>(&action)) log_.push_back(append->record);
      if (const auto* reply = std::get_if<Reply>(&action)) remember(*reply);
      if (const auto* markers = std::get_if<WriteMarkers>(&action)) marking_ = *markers;
    }
  }

  std::string written(const Action& action) const {
    if (const auto* append = std::get_if<Append>(&action))
      return "append " + text_of(append->record);
    if (const auto* markers = std::get_if<WriteMarkers>(&action)) return text_of(*markers);
    const auto& reply = std::get<Reply>(action);
    return asked_.at(reply.request) + ": " + text_of(reply.answer);
  }

  void remember(const Reply& reply) {
    auto& producer = actors_[asked_.at(reply.request)];
    if (const auto* init = std::get_if<InitAnswer>(&reply.answer))
      if (init->error == ErrorCode::kNone) producer = init->producer;
    if (const auto* end = std::get_if<EndAnswer>(&reply.answer))
      if (end->producer.id != kNoProducerId) producer = end->producer;
  }

  Producer producer(const Line& line) {
    return line.has("as") ? producer_of(line.text("as")) : actors_[actor_];
  }
  static std::string id(const Line& line) { return line.word(2) == "-" ? "" : line.word(2); }
  static Version version(const Line& line) {
    return Version(static_cast<std::int16_t>(line.number("v", 2)));
  }

  Happening inits(const Line& line) {
    InitProducerId init{id(line), static_cast<std::int32_t>(line.number("timeout", 60'000))};
    if (line.has("expects")) init.expected = producer_of(line.text("expects"));
    if (line.says("goes_on")) init.expected = actors_[actor_];
    init.two_phase_commit = line.says("two_phase");
    init.keep_prepared = line.says("keeps");
    return init;
  }
  Happening adds(const Line& line) {
    return AddPartitions{id(line), producer(line), partitions_of(line.word(3)), version(line),
                         line.says("implicit")};
  }
  Happening verifies(const Line& line) {
    return VerifyPartitions{id(line), producer(line), partitions_of(line.word(3))};
  }
  Happening commits(const Line& line) {
    return EndTransaction{id(line), producer(line), true, version(line)};
  }
  Happening aborts(const Line& line) {
    return EndTransaction{id(line), producer(line), false, version(line)};
  }
  /// The markers that were asked for last, or those of as=.
  Happening marked(const Line& line) {
    return MarkersWritten{id(line),
                          line.has("as") ? producer_of(line.text("as")) : marking_.producer};
  }
  Happening describes(const Line& line) {
    auto ids = split(line.word(2), ',');
    std::ranges::replace(ids, "-", "");
    return DescribeTransactions{ids};
  }
  Happening lists(const Line& line) {
    ListTransactions list{line.list("states"), {}, line.number("longer", -1), line.text("pattern")};
    for (const auto& one : line.list("producers")) list.producer_ids.push_back(std::stoll(one));
    return list;
  }
  using Verb = Happening (Conversation::*)(const Line&);
  static const std::map<std::string, Verb>& verbs() {
    static const std::map<std::string, Verb> all = {
        {"inits", &Conversation::inits},         {"adds", &Conversation::adds},
        {"verifies", &Conversation::verifies},   {"commits", &Conversation::commits},
        {"aborts", &Conversation::aborts},       {"marked", &Conversation::marked},
        {"describes", &Conversation::describes}, {"lists", &Conversation::lists},
    };
    return all;
  }

  TransactionsConfig config_;
  Version version_ = kEpochPerTransaction;
  std::unique_ptr<Transactions> transactions_;
  std::vector<Record> log_;
  WriteMarkers marking_;
  std::map<std::string, Producer> actors_;
  std::map<RequestId, std::string> asked_;
  std::string actor_;
  std::string out_;
  std::int64_t now_ = 0;
  std::uint64_t requests_ = 0;
  std::int64_t ids_ = 1;
};

}  // namespace tailrace::transactions::testing
