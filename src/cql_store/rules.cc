#include "cql_store/rules.h"

#include <array>
#include <limits>

#include "cql_store/deletions.h"
#include "cql_store/keys.h"
#include "cql_store/record.h"

namespace tailrace::cql_store {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

class DropPass final : public kv::CompactionPass {
 public:
  DropPass(DropRules& owner, const kv::CompactionRules::About& about,
           std::map<TableNumber, std::int64_t> grace)
      : owner_(owner), about_(about), grace_(std::move(grace)) {}

  Verdict whole(std::string_view key, std::string_view record, std::string& out) override {
    KeyParts parts;
    if (!split(key, parts)) return Verdict::kKeep;
    enter(parts.partition);
    if (parts.kind == Kind::kDeletions) {
      add(record);
      if (Deletions all; all.read(record) && all.any_before(before(parts.table)))
        owner_.found_old(parts.partition, before(parts.table));
      return Verdict::kKeep;
    }
    PurgeRules rules;
    rules.now_seconds = about_.settled;
    rules.before_seconds = before(parts.table);
    rules.outer =
        parts.kind == Kind::kStatic ? deletions_.partition() : deletions_.of(parts.clustering);
    // A reader of an earlier moment may still need what a young deletion deletes.
    if (rules.outer.local_time >= about_.settled) rules.outer = {};
    switch (purge(record, rules, out)) {
      case Purged::kSame:
        return Verdict::kKeep;
      case Purged::kChanged:
        return Verdict::kChange;
      case Purged::kNothing:
        return Verdict::kRemove;
    }
    return Verdict::kKeep;
  }

  void part(std::string_view key, std::string_view record) override {
    KeyParts parts;
    if (!split(key, parts) || parts.kind != Kind::kDeletions) return;
    enter(parts.partition);
    add(record);
  }

 private:
  void enter(std::string_view partition) {
    if (partition == partition_) return;
    partition_ = partition;
    record_.clear();
    deletions_.clear();
  }
  void add(std::string_view record) {
    std::string folded(record);
    if (!record_.empty() &&
        !fold_deletions(std::array<std::string_view, 2>{record_, record}, folded))
      return;
    record_ = std::move(folded);
    if (!deletions_.read(record_)) deletions_.clear();
  }
  std::int64_t before(TableNumber table) const {
    const auto grace = grace_.find(table);
    return about_.everything && grace != grace_.end() ? about_.settled - grace->second : kNever;
  }

  DropRules& owner_;
  kv::CompactionRules::About about_;
  std::map<TableNumber, std::int64_t> grace_;
  std::string partition_;  // the one in hand, and what is known to be deleted of it
  std::string record_;
  Deletions deletions_;
};

}  // namespace

bool FoldRules::fold(std::string_view key, std::span<const std::string_view> records,
                     std::string& out) const {
  const std::size_t length = partition_length(key);
  if (length == 0 || length >= key.size()) return false;
  return static_cast<Kind>(key[length]) == Kind::kDeletions ? fold_deletions(records, out)
                                                            : cql_store::fold(records, out);
}

void DropRules::set_grace(TableNumber table, std::int64_t seconds) {
  const std::lock_guard lock(mutex_);
  grace_[table] = seconds;
}

void DropRules::tell_of_old(Old old) {
  const std::lock_guard lock(mutex_);
  old_ = std::move(old);
}

std::unique_ptr<kv::CompactionPass> DropRules::begin(const About& about) {
  const std::lock_guard lock(mutex_);
  return std::make_unique<DropPass>(*this, about, grace_);
}

}  // namespace tailrace::cql_store
