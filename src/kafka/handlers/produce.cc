// Produce: appends each partition's batch as it came, and answers when the records are where `acks`
// wants them: nowhere (0), readable (1), on disk (all), and not before those are on disk that
// flush.messages bounds. A partition that a transaction has not written to yet is brought into it
// first. Where a topic's records are checked by a schema registry, that is before all else.
#include <atomic>
#include <deque>
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/produce_response.h"
#include "kafka/schema_check.h"
#include "kafka/transaction_join.h"

namespace tailrace::kafka {
namespace {

using TopicData = ProduceRequest::TopicProduceData;
using PartitionData = ProduceRequest::PartitionProduceData;
using PartitionAnswer = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kAcksAll = -1;

/// A produce request whose records are appended and not yet on disk.
struct Syncing {
  Call call;
  ProduceResponse response;
  bool answered = true;
  std::atomic<int> left = 1;

  void one_done() {
    if (left.fetch_sub(1) != 1) return;
    if (answered) return call.answer(response);
    call.no_answer();
  }
};

void fail(PartitionAnswer& answer, ErrorCode code, std::string message) {
  answer.error_code = wire(code);
  answer.error_message = std::move(message);
  answer.base_offset = -1;
}

/// Batches that the schemas of their records keep out, by topic and partition.
using UnfitBatches = std::map<std::pair<std::string, std::int32_t>, UnfitBatch>;

/// Of producers whose transactions are verified: their end markers in a partition before that.
using EndMarkers = std::map<std::pair<std::string, std::int32_t>, std::uint64_t>;

/// What was found before the first partition was appended to.
struct Findings {
  JoinErrors join;
  UnfitBatches unfit;
  EndMarkers verified = {};
};

void refuse(PartitionAnswer& answer, const UnfitBatch& unfit) {
  fail(answer, unfit.code, unfit.message);
  for (const auto& [index, why] : unfit.records) answer.record_errors.push_back({index, why});
}

/// Kafka takes exactly one batch of version 2 for a partition.
Status check_records(std::string_view records) {
  const auto batch = log::BatchView::parse(records);
  if (!batch) return error(Code::kDataLoss, batch.error().what);
  if (batch->bytes().size() != records.size()) {
    return error(Code::kInvalidArgument, "more than one record batch for a partition");
  }
  if (batch->control()) return error(Code::kInvalidArgument, "clients write no control batches");
  return {};
}

/// Appends; the partition when there is something to sync.
std::shared_ptr<log::Partition> append(Broker& broker, const std::string& topic,
                                       const PartitionData& data, const Findings& findings,
                                       PartitionAnswer& answer) {
  answer.index = data.index;
  auto partition = broker.log().partition(topic, PartitionId(data.index));
  if (!partition) {
    fail(answer, read_error(partition.error().code), partition.error().what);
    return nullptr;
  }
  if (!data.records) {
    fail(answer, ErrorCode::kInvalidRecord, "no records");
    return nullptr;
  }
  auto& traffic = (*partition)->traffic();
  traffic.produce_requests.add();
  const auto& unfit = findings.unfit;
  if (const auto found = unfit.find({topic, data.index}); found != unfit.end()) {
    traffic.failed_produce_requests.add();
    refuse(answer, found->second);
    return nullptr;
  }
  auto checked = check_records(data.records->first);
  const auto verified = findings.verified.find({topic, data.index});
  auto result = checked ? (*partition)
                              ->append_batches(data.records->first, log::Durability::kNoSync,
                                               verified == findings.verified.end()
                                                   ? std::nullopt
                                                   : std::optional(verified->second))
                        : std::unexpected(checked.error());
  if (!result) {
    traffic.failed_produce_requests.add();
    const ErrorCode code = append_error(result.error().code);
    if (code == ErrorCode::kKafkaStorageError)
      broker.storage_faults().tell(topic, data.index, result.error());
    fail(answer, code, result.error().what);
    return nullptr;
  }
  answer.base_offset = result->base_offset.value;
  answer.log_start_offset = (*partition)->log_start().value;
  if (result->log_append_time) answer.log_append_time_ms = result->log_append_time->value;
  return std::move(*partition);
}

std::string topic_name(Broker& broker, const TopicData& topic, bool by_id) {
  if (!by_id) return topic.name;
  return broker.log().topic_name(topic.topic_id).value_or("");
}

/// The transactional batches of a request.
struct InTransaction {
  bool any = false;
  transactions::Producer producer;      // of the first one
  transactions::Partitions partitions;  // that must come into the transaction first
  EndMarkers markers;                   // of the producer in these, before they do
  JoinErrors mixed;                     // of another producer than the first one
};

InTransaction transactional(Broker& broker, const ProduceRequest& request, bool by_id) {
  InTransaction found;
  for (const auto& topic : request.topic_data) {
    for (const auto& data : topic.partition_data) {
      if (!data.records) continue;
      const auto batch = log::BatchView::parse(data.records->first);
      if (!batch || !batch->transactional()) continue;
      const transactions::Producer producer{batch->producer_id(), batch->producer_epoch()};
      if (!found.any) found.producer = producer;
      found.any = true;
      const std::string name = topic_name(broker, topic, by_id);
      const auto partition = broker.log().partition(name, PartitionId(data.index));
      if (!partition || (*partition)->in_transaction(producer.id, producer.epoch)) continue;
      if (producer == found.producer) {
        found.partitions[name].insert(data.index);
        if (partition) found.markers[{name, data.index}] = (*partition)->end_markers(producer.id);
      } else {
        found.mixed[{name, data.index}] = ErrorCode::kInvalidProducerIdMapping;
      }
    }
  }
  return found;
}

/// Kafka's translation: what an older client would not ask again after becomes what it does.
ErrorCode for_producer(ErrorCode code, JoinAs as) {
  switch (code) {
    case ErrorCode::kCoordinatorLoadInProgress:
    case ErrorCode::kCoordinatorNotAvailable:
      return ErrorCode::kNotEnoughReplicas;
    case ErrorCode::kConcurrentTransactions:
      return as == JoinAs::kAddedByTheBroker ? code : ErrorCode::kNotEnoughReplicas;
    default:
      return code;
  }
}

/// Answers a partition, or appends what is for it.
std::shared_ptr<log::Partition> take(Broker& broker, const ProduceRequest& request,
                                     const std::string& name, bool by_id, const PartitionData& data,
                                     const Findings& findings, PartitionAnswer& answer) {
  answer.index = data.index;
  const auto why = findings.join.find({name, data.index});
  if (request.acks < kAcksAll || request.acks > 1) {
    fail(answer, ErrorCode::kInvalidRequiredAcks, "acks is 0, 1 or -1 (all)");
  } else if (by_id && name.empty()) {
    fail(answer, ErrorCode::kUnknownTopicId, "no topic has this id");
  } else if (Broker::is_internal(name)) {
    fail(answer, ErrorCode::kInvalidTopicException, name + " is written by the broker only");
  } else if (why != findings.join.end()) {
    fail(answer, why->second, "the partition is not in the transaction");
  } else {
    return append(broker, name, data, findings, answer);
  }
  return nullptr;
}

std::size_t size_of(const ProduceRequest& request) {
  std::size_t size = 0;
  for (const auto& topic : request.topic_data) {
    for (const auto& data : topic.partition_data) {
      if (data.records) size += data.records->size_bytes();
    }
  }
  return size;
}

void append_all(Call call, const ProduceRequest& request, const Findings& findings) {
  Broker& broker = call.broker();
  const bool by_id = call.since(13);
  const bool all = request.acks == kAcksAll;
  auto syncing = std::make_shared<Syncing>(std::move(call), ProduceResponse{});
  syncing->answered = request.acks != 0;
  auto& response = syncing->response;
  std::vector<std::pair<std::shared_ptr<log::Partition>, std::pair<std::size_t, std::size_t>>>
      dirty;
  for (const auto& topic : request.topic_data) {
    auto& answers = response.responses.emplace_back();
    answers.name = topic.name;
    answers.topic_id = topic.topic_id;
    const std::string name = topic_name(broker, topic, by_id);
    for (const auto& data : topic.partition_data) {
      auto& answer = answers.partition_responses.emplace_back();
      if (auto partition = take(broker, request, name, by_id, data, findings, answer)) {
        dirty.emplace_back(std::move(partition), std::pair(response.responses.size() - 1,
                                                           answers.partition_responses.size() - 1));
      }
    }
  }
  syncing->call.take("producer_byte_rate", static_cast<double>(size_of(request)));
  if (!all) {
    std::erase_if(dirty, [&](const auto& one) { return !broker.flush_bounds().due(one.first); });
  }
  syncing->left += static_cast<int>(dirty.size());
  for (std::size_t i = 0; i < dirty.size(); ++i) {
    const auto [t, p] = dirty[i].second;
    broker.committer().when_durable(dirty[i].first, [syncing, &broker, t, p](const Status& synced) {
      if (!synced) {
        auto& topic = syncing->response.responses[t];
        auto& answer = topic.partition_responses[p];
        broker.storage_faults().tell(
            topic.name.empty() ? broker.log().topic_name(topic.topic_id).value_or("") : topic.name,
            answer.index, synced.error());
        fail(answer, ErrorCode::kKafkaStorageError, synced.error().what);
      }
      syncing->one_done();
    });
  }
  syncing->one_done();
}

/// A request that outlives its frame.
struct Kept {
  Call call;
  ProduceRequest request;
  UnfitBatches unfit;
  std::deque<std::string> records;
};

std::shared_ptr<Kept> keep(Call call, const ProduceRequest& request, UnfitBatches unfit) {
  auto kept = std::make_shared<Kept>(std::move(call), request, std::move(unfit));
  for (auto& topic : kept->request.topic_data) {
    for (auto& data : topic.partition_data) {
      if (!data.records) continue;
      kept->records.emplace_back(data.records->first);
      data.records = Records{kept->records.back(), {}};
    }
  }
  return kept;
}

void join_and_append(const std::shared_ptr<Kept>& kept, const InTransaction& in) {
  const Call& call = kept->call;
  const JoinAs as = call.since(12)   ? JoinAs::kAddedByTheBroker
                    : call.since(11) ? JoinAs::kVerifying
                                     : JoinAs::kOldClient;
  Broker& broker = call.broker();
  join_transaction(broker.transactions(), *kept->request.transactional_id, in.producer,
                   in.partitions, as, [&broker, kept, in, as](JoinErrors errors) {
                     for (auto& [partition, code] : errors) code = for_producer(code, as);
                     errors.insert(in.mixed.begin(), in.mixed.end());
                     // An epoch for each transaction fences by itself (KIP-890).
                     const bool own_epoch = as == JoinAs::kAddedByTheBroker;
                     append_all(std::move(kept->call), kept->request,
                                {errors, kept->unfit, own_epoch ? EndMarkers() : in.markers});
                     broker.producer_turns().leave(in.producer.id);
                   });
}

/// One whose turn came late.
void go_on(const std::shared_ptr<Kept>& kept) {
  Broker& broker = kept->call.broker();
  const auto in = transactional(broker, kept->request, kept->call.since(13));
  if (!in.partitions.empty()) return join_and_append(kept, in);
  append_all(std::move(kept->call), kept->request, {in.mixed, kept->unfit});
  broker.producer_turns().leave(in.producer.id);
}

/// Records of a transaction that has no name.
JoinErrors nameless(Broker& broker, const ProduceRequest& request, bool by_id) {
  JoinErrors errors;
  for (const auto& topic : request.topic_data) {
    const std::string name = topic_name(broker, topic, by_id);
    for (const auto& data : topic.partition_data) {
      errors[{name, data.index}] = ErrorCode::kTransactionalIdAuthorizationFailed;
    }
  }
  return errors;
}

/// One whose records may be what they are, but for `unfit`.
void produce_checked(Call call, const ProduceRequest& request, UnfitBatches unfit) {
  Broker& broker = call.broker();
  const bool by_id = call.since(13);
  auto in = transactional(broker, request, by_id);
  if (!in.any) return append_all(std::move(call), request, {{}, std::move(unfit)});
  if (!request.transactional_id) {
    return append_all(std::move(call), request, {nameless(broker, request, by_id), {}});
  }
  const auto id = in.producer.id;
  const bool turn = broker.producer_turns().enter(id, [&] {
    return [kept = keep(std::move(call), request, std::move(unfit))] { go_on(kept); };
  });
  if (!turn) return;
  // What was before it may have been appended since.
  in = transactional(broker, request, by_id);
  if (!in.partitions.empty()) {
    return join_and_append(keep(std::move(call), request, std::move(unfit)), in);
  }
  append_all(std::move(call), request, {in.mixed, std::move(unfit)});
  broker.producer_turns().leave(id);
}

/// Nothing when the registry has to be asked, and not on this thread.
std::optional<UnfitBatches> unfit_batches(Broker& broker, const ProduceRequest& request, bool by_id,
                                          SchemaCheck::Ask ask) {
  UnfitBatches all;
  for (const auto& topic : request.topic_data) {
    const std::string name = topic_name(broker, topic, by_id);
    const auto rules = broker.schema_check().rules(name);
    if (rules.empty()) continue;
    for (const auto& data : topic.partition_data) {
      if (!data.records) continue;
      UnfitBatch unfit;
      const auto outcome = broker.schema_check().check(data.records->first, rules, ask, unfit);
      if (outcome == SchemaCheck::Outcome::kMustAsk) return std::nullopt;
      if (outcome == SchemaCheck::Outcome::kUnfit) all[{name, data.index}] = std::move(unfit);
    }
  }
  return all;
}

/// Of a broker with topics whose records are checked.
void check_and_produce(Call call, const ProduceRequest& request) {
  SchemaCheck& check = call.broker().schema_check();
  const void* connection = &call.client();
  if (!check.waits(connection)) {
    auto unfit = unfit_batches(call.broker(), request, call.since(13), SchemaCheck::Ask::kNotNow);
    if (unfit) return produce_checked(std::move(call), request, std::move(*unfit));
  }
  check.later(connection, [kept = keep(std::move(call), request, {})] {
    auto unfit = unfit_batches(kept->call.broker(), kept->request, kept->call.since(13),
                               SchemaCheck::Ask::kHere);
    produce_checked(std::move(kept->call), kept->request,
                    std::move(unfit).value_or(UnfitBatches()));
  });
}

}  // namespace

void produce(Call call, const ProduceRequest& request) {
  if (call.broker().schema_check().any()) return check_and_produce(std::move(call), request);
  produce_checked(std::move(call), request, {});
}

}  // namespace tailrace::kafka
