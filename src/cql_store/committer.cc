#include "cql_store/committer.h"

#include <utility>

#include "base/bytes.h"
#include "cql_store/deletions.h"
#include "cql_store/keys.h"
#include "cql_store/reader.h"
#include "cql_store/record.h"
#include "net/answers_together.h"

namespace tailrace::cql_store {
namespace {

/// A group is not made larger than this by further jobs: nobody waits for more than a moment.
constexpr std::size_t kMostGroupBytes = 8 << 20;
/// Partitions that wait for a part of theirs to be forgotten; a later compaction finds the others.
constexpr std::size_t kMostForgetting = 1000;
/// Rows that are looked at for it between two commits.
constexpr int kForgetRows = 200;

TableNumber table_of(std::string_view key) {
  return load_be<TableNumber>(key.data());
}

/// Says that a row is deleted, counters and all.
std::string deleted_row(const Deletion& deletion) {
  std::string record;
  RecordBuilder builder(record);
  builder.begin({}, deletion, {});
  builder.finish();
  return record;
}

}  // namespace

Committer::Committer(kv::DurableStore& store, Traits& traits)
    : store_(store), traits_(traits), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Committer::commit(Mutation mutation, Store::Done done) {
  const MutationReader end_row(mutation);  // on the caller's time
  push({std::move(mutation), {}, std::move(done), {}, {}, 0});
}

void Committer::decide(Store::Decide decide, Store::Done done) {
  push({{}, std::move(decide), std::move(done), {}, {}, 0});
}

void Committer::forget(std::string_view partition, std::int64_t before_seconds) {
  {
    const std::lock_guard lock(mutex_);
    if (forgetting_ >= kMostForgetting) return;
    ++forgetting_;
  }
  Job job;
  job.partition = partition;
  job.before_seconds = before_seconds;
  push(std::move(job));
}

void Committer::push(Job job) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = arrivals_.empty();
    arrivals_.push_back(std::move(job));
  }
  if (first) arrived_.notify_one();
}

void Committer::run() {
  std::vector<Job> jobs;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !arrivals_.empty(); });
      if (arrivals_.empty()) return;
      jobs.swap(arrivals_);
    }
    for (Job& job : jobs) {
      see_to(job);
      if (group_bytes_ > kMostGroupBytes) finish();
    }
    finish();
    jobs.clear();
  }
}

void Committer::see_to(Job& job) {
  if (!job.partition.empty()) return forget_some(job);
  if (job.decide) {
    apply();
    Result<Mutation> decided = job.decide(Reader(store_, traits_, nullptr));
    if (!decided) {
      waiting_.push_back({std::move(job.done), std::unexpected(decided.error())});
      return;
    }
    job.mutation = std::move(*decided);
  }
  if (clears_counters(job.mutation)) apply();
  Status added = add(job.mutation);
  waiting_.push_back({std::move(job.done), std::move(added)});
}

bool Committer::clears_counters(Mutation& mutation) const {
  for (MutationReader changes(mutation); changes.next();)
    if (changes.op() == Op::kDeletions && traits_.has(table_of(changes.key()), Trait::kCounters))
      return true;
  return false;
}

Status Committer::add(Mutation& mutation) {
  group_bytes_ += mutation.size_bytes();
  for (MutationReader changes(mutation); changes.next();) {
    switch (changes.op()) {
      case Op::kCounters:
        add_trait(table_of(changes.key()), Trait::kCounters);
        [[fallthrough]];
      case Op::kRow:
        batch_.merge(changes.key(), changes.value());
        break;
      case Op::kDeletions:
        add_trait(table_of(changes.key()), Trait::kDeletions);
        if (traits_.has(table_of(changes.key()), Trait::kCounters))
          TRY(clear_counters(changes.key(), changes.value()));
        batch_.merge(changes.key(), changes.value());
        break;
      case Op::kDropTable: {
        std::string end;
        append_be(end, table_of(changes.key()) + 1);
        batch_.erase_range(changes.key(), end);
        break;
      }
      case Op::kKeep:
      case Op::kSetRow:
        batch_.put(changes.key(), changes.value());
        break;
      case Op::kForget:
      case Op::kForgetRow:
        batch_.erase(changes.key());
    }
  }
  return {};
}

/// Readers hear of a trait before what it is about is there.
void Committer::add_trait(TableNumber table, Trait trait) {
  const auto bit = static_cast<std::uint8_t>(trait);
  if (kept_traits_.has(table, trait)) return;
  traits_.add(table, bit);
  const char traits = static_cast<char>(traits_.byte(table));
  std::string key(kOwnTables);
  append_be(key, table);
  batch_.put(key, {&traits, 1});
  new_traits_.push_back({table, bit});
}

/// Counters have no timestamps: what deletes them from outside their row is said in each row that
/// is there.
Status Committer::clear_counters(std::string_view key, std::string_view record) {
  Deletions deletions;
  if (!deletions.read(record)) return error(Code::kInternal, "a deletion is damaged");
  const std::string_view partition = key.substr(0, key.size() - 1);
  std::string begin(partition), end(partition);
  append_kind(begin, Kind::kStatic);
  append_kind(end, Kind::kEnd);
  const auto cursor = store_.cursor(begin, end, true, nullptr);
  for (cursor->seek(begin); cursor->valid(); cursor->next()) {
    KeyParts parts;
    if (!split(cursor->key(), parts)) return error(Code::kDataLoss, "a key is damaged");
    const Deletion deletion =
        parts.kind == Kind::kStatic ? deletions.partition() : deletions.of(parts.clustering);
    if (!deletion.live()) batch_.merge(cursor->key(), deleted_row(deletion));
  }
  return cursor->status();
}

/// What old deletions delete is removed row by row; when no row is left that needs them, so are
/// they. Nothing else writes meanwhile but what comes between two steps, which is younger than the
/// grace of what is forgotten.
void Committer::forget_some(Job& job) {
  apply();
  const std::string key = job.partition + static_cast<char>(Kind::kDeletions);
  std::string record, left;
  Deletions old;
  const auto there = store_.get(key, record, nullptr);
  bool ended = !there || !*there || !old.read(record) || !old.any_before(job.before_seconds);
  if (!ended) {
    const bool some_stay = keep_recent(old, job.before_seconds, left);
    old.keep_before(job.before_seconds);
    const std::string end = job.partition + static_cast<char>(Kind::kEnd);
    if (job.from.empty()) job.from = job.partition + static_cast<char>(Kind::kStatic);
    const auto rows = store_.cursor(job.from, end, true, nullptr);
    int looked_at = 0;
    std::string changed;
    for (rows->seek(job.from); rows->valid() && looked_at < kForgetRows; rows->next()) {
      ++looked_at;
      KeyParts parts;
      ended = !split(rows->key(), parts);
      if (ended) break;
      PurgeRules rules{{}, kNoTimestamp, kNoTimestamp};
      rules.outer = parts.kind == Kind::kStatic ? old.partition() : old.of(parts.clustering);
      const Purged purged = purge(rows->value(), rules, changed);
      if (purged == Purged::kChanged) batch_.put(rows->key(), changed);
      if (purged == Purged::kNothing) batch_.erase(rows->key());
    }
    if (rows->valid()) {
      job.from = rows->key();
    } else {
      ended = true;  // or it failed: a later compaction finds it again
      if (rows->status() && some_stay) batch_.put(key, left);
      if (rows->status() && !some_stay) batch_.erase(key);
    }
  }
  waiting_.push_back({[](Status) {}, {}});
  const std::lock_guard lock(mutex_);
  if (ended || stopping_) {
    --forgetting_;
  } else {
    arrivals_.push_back(std::move(job));
  }
}

/// Applies what is in the batch; what fails is the end of all jobs in it.
void Committer::apply() {
  const Status status = store_.write(batch_);
  batch_.clear();
  if (status) {
    for (const NewTraits& added : new_traits_) kept_traits_.add(added.table, added.traits);
  }
  new_traits_.clear();
  for (; applied_ < waiting_.size(); ++applied_)
    if (!status && waiting_[applied_].status) waiting_[applied_].status = status;
}

void Committer::finish() {
  if (waiting_.empty()) return;
  apply();
  const Status synced = store_.sync();
  const net::AnswersTogether together;
  for (Waiting& one : waiting_) {
    if (!synced && one.status) one.status = synced;
    one.done(std::move(one.status));
  }
  waiting_.clear();
  applied_ = 0;
  group_bytes_ = 0;
}

}  // namespace tailrace::cql_store
