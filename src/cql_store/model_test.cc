// Random histories against the naive store: every read of ours is what the slow rules say, now and
// at moments held earlier, through reopening, flushes, compactions and a clock that moves.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>

#include "cql_store/testing/naive_store.h"
#include "cql_store/testing/temporary_store.h"

namespace tailrace::cql_store {
namespace {

constexpr TableNumber kCells = 3, kCounters = 4;
constexpr std::int64_t kStart = 1'000'000;

/// How a history goes.
struct Style {
  const char* name;
  /// Writes come with ever greater timestamps, and tombstones may be forgotten at once; else
  /// timestamps are few, so that many are equal, and tombstones stay.
  bool forgetful;
};

class History {
 public:
  History(std::uint32_t seed, const Style& style) : random_(seed), style_(style) { set_grace(); }

  void run(int steps) {
    for (step_ = 0; step_ < steps && !::testing::Test::HasFailure(); ++step_) {
      const int dice = below(100);
      if (dice < 60) {
        write();
      } else if (dice < 75) {
        read_row(*folder_.store, nullptr, naive_.moment(), now_);
      } else if (dice < 83) {
        scan_partition(*folder_.store->snapshot(), naive_.moment(), now_);
      } else if (dice < 89) {
        scan(*folder_.store->snapshot(), naive_.moment(), now_);
      } else if (dice < 91) {
        held_ = {folder_.store->snapshot(), naive_.moment(), now_};
      } else if (dice < 94) {
        if (held_.snapshot) {
          read_row(*folder_.store, held_.snapshot.get(), held_.moment, held_.now);
          scan_partition(*held_.snapshot, held_.moment, held_.now);
          scan(*held_.snapshot, held_.moment, held_.now);
        }
      } else if (dice < 96) {
        now_ += below(40);
        folder_.clock.set(TimestampMs(now_ * 1000));
      } else if (dice < 98) {
        ASSERT_TRUE(folder_.store->flush().has_value());
      } else if (dice < 99) {
        ASSERT_TRUE(folder_.store->compact().has_value());
      } else {
        held_ = {};
        folder_.reopen();
        set_grace();
      }
    }
  }

 private:
  using Write = NaiveStore::Write;

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  void set_grace() {
    for (const TableNumber table : {kCells, kCounters})
      folder_.store->set_grace(table, style_.forgetful ? 0 : 1'000'000);
  }
  std::int64_t timestamp() { return style_.forgetful ? ++last_timestamp_ : 100 + below(12); }
  std::string partition(int n) { return n == 0 ? std::string("a\0", 2) : std::string(1, "abc"[n]); }
  std::string clustering() {
    static const char* const kAll[] = {"a", "ab", "b", "c", "ca", "d"};
    return below(8) == 0 ? std::string("\0x", 2) : kAll[below(6)];
  }
  /// Two partitions share a token.
  Write somewhere(TableNumber table) {
    const int n = below(3);
    Write w{};
    w.table = table;
    w.token = n == 2 ? -5 : 9;
    w.partition = partition(n);
    w.is_static = below(6) == 0;
    w.clustering = w.is_static ? "" : clustering();
    return w;
  }

  void write() {
    Mutation mutation;
    std::vector<Write> writes;
    for (int rows = 1 + below(3); rows > 0; --rows) {
      if (below(4) == 0) {
        count(mutation, writes);
      } else {
        change_row(mutation, writes);
      }
    }
    const auto foreseen = preview(mutation, writes);
    const Status done = folder_.commit(std::move(mutation));
    ASSERT_TRUE(done.has_value()) << done.error().what;
    for (const Write& w : writes) naive_.write(w);
    for (const auto& [place, text] : foreseen) {
      const auto& [token, partition, is_row, clustering] = place;
      EXPECT_EQ(text,
                naive_.row(kCells, token, partition, !is_row, clustering, now_, naive_.moment()))
          << "foreseen at step " << step_;
    }
  }

  /// Rows that are about to be written, as they will be.
  std::map<NaiveStore::Place, std::string> preview(Mutation& mutation,
                                                   const std::vector<Write>& writes) {
    std::map<NaiveStore::Place, std::string> foreseen;
    const auto snapshot = folder_.store->snapshot();
    const auto will_be = snapshot->with(mutation);
    for (const Write& w : writes) {
      if (w.table != kCells) continue;
      const std::string clustering = w.kind >= Write::kSlice ? this->clustering()
                                     : w.is_static           ? ""
                                                             : w.clustering;
      const bool is_static = w.kind < Write::kSlice && w.is_static;
      Row row;
      Preview::Buffer buffer;
      const auto there = will_be->read(kCells, {w.token, w.partition}, {clustering, {}, is_static},
                                       now_, row, buffer);
      EXPECT_TRUE(there.has_value()) << there.error().what;
      foreseen[{w.token, w.partition, !is_static, clustering}] =
          there && *there ? text_of(row) : "";
    }
    return foreseen;
  }

  void change_row(Mutation& mutation, std::vector<Write>& writes) {
    Write w = somewhere(kCells);
    const PartitionKey key{w.token, w.partition};
    const int what = below(12);
    if (what == 0) return delete_more(mutation, writes, w);
    mutation.row(kCells, key, {w.clustering, {}, w.is_static});
    for (int parts = 1 + below(5); parts > 0; --parts) {
      w.timestamp = timestamp();
      w.ttl = below(3) == 0 ? 1 + below(60) : 0;
      w.when = w.ttl == 0 ? 0 : now_ + w.ttl;
      w.column = static_cast<std::uint32_t>(below(4));
      w.path = w.column < 2 ? "" : std::string(1, "xyz"[below(3)]);
      w.value = std::string(static_cast<std::size_t>(below(3)), "pqr"[below(3)]);
      const int part = below(12);
      if (part == 0) {
        w.kind = Write::kRowDeletion;
        w.when = now_;
        mutation.delete_row({w.timestamp, w.when});
      } else if (part < 3) {
        if (w.is_static) continue;
        w.kind = Write::kLiveness;
        mutation.liveness({w.timestamp, w.ttl, w.when});
      } else if (part < 5) {
        w.kind = Write::kErase;
        w.when = now_;
        w.value.clear();
        w.ttl = 0;
        mutation.erase(w.column, w.path, {w.timestamp, w.when});
      } else if (part == 5 && w.column >= 2) {
        w.kind = Write::kEraseAll;
        w.when = now_;
        mutation.erase_all(w.column, {w.timestamp, w.when});
      } else {
        w.kind = Write::kPut;
        mutation.put(w.column, w.path, w.timestamp, w.value, w.ttl, w.when);
      }
      writes.push_back(w);
    }
  }

  /// A slice or a whole partition.
  void delete_more(Mutation& mutation, std::vector<Write>& writes, Write w) {
    w.timestamp = timestamp();
    w.when = now_;
    w.is_static = false;
    if (below(3) == 0) {
      w.kind = Write::kPartition;
      mutation.delete_partition(w.table, {w.token, w.partition}, {w.timestamp, w.when});
    } else {
      w.kind = Write::kSlice;
      w.clustering = below(4) == 0 ? "" : clustering();
      w.end = below(4) == 0 ? "" : clustering();
      mutation.delete_slice(w.table, {w.token, w.partition}, {w.clustering, w.end},
                            {w.timestamp, w.when});
    }
    writes.push_back(w);
  }

  /// A mutation of one kind: what a deletion clears is what was there before its mutation.
  void count(Mutation& mutation, std::vector<Write>& writes) {
    if (!mutation.empty()) return;
    Write w = somewhere(kCounters);
    const int what = below(8);
    if (what == 0) return delete_more(mutation, writes, w);
    mutation.row(kCounters, {w.token, w.partition}, {w.clustering, {}, w.is_static});
    w.timestamp = timestamp();
    w.column = static_cast<std::uint32_t>(below(2));
    if (what == 1) {
      w.kind = Write::kErase;
      w.when = now_;
      mutation.erase(w.column, "", {w.timestamp, now_});
    } else if (what == 2) {
      w.kind = Write::kRowDeletion;
      mutation.delete_row({w.timestamp, now_});
    } else {
      w.kind = Write::kAdd;
      w.amount = below(200) - 100;
      mutation.add(w.column, w.amount);
    }
    writes.push_back(w);
  }

  std::string expected(const Write& w, std::size_t moment, std::int64_t now) const {
    return naive_.row(w.table, w.token, w.partition, w.is_static, w.clustering, now, moment);
  }

  void read_row(const Store& store, const Snapshot* snapshot, std::size_t moment,
                std::int64_t now) {
    const Write w = somewhere(below(4) == 0 ? kCounters : kCells);
    Row row;
    Snapshot::Buffer buffer;
    const PartitionKey partition{w.token, w.partition};
    const RowKey key{w.clustering, {}, w.is_static};
    const auto there = snapshot ? snapshot->read(w.table, partition, key, now, row, buffer)
                                : store.read(w.table, partition, key, now, row, buffer);
    ASSERT_TRUE(there.has_value()) << there.error().what;
    EXPECT_EQ(*there ? text_of(row) : "", expected(w, moment, now)) << "step " << step_;
    if (*there) {
      EXPECT_EQ(row.partition, w.partition);
      EXPECT_EQ(row.clustering, w.clustering);
      EXPECT_EQ(row.is_static, w.is_static);
    }
  }

  struct Found {
    NaiveStore::Place place;
    std::string text;
    bool operator==(const Found&) const = default;
  };
  friend void PrintTo(const Found& found, std::ostream* out) {
    *out << std::get<0>(found.place) << " " << std::get<1>(found.place) << " "
         << std::get<3>(found.place) << ": " << found.text;
  }
  static Found found(const Row& row) {
    return {{row.token, std::string(row.partition), !row.is_static, std::string(row.clustering)},
            text_of(row)};
  }
  /// All rows that are there, in the order of a scan.
  std::vector<Found> all(TableNumber table, std::size_t moment, std::int64_t now) const {
    std::vector<Found> rows;
    for (const auto& place : naive_.places(table, moment)) {
      const auto& [token, partition, is_row, clustering] = place;
      std::string text = naive_.row(table, token, partition, !is_row, clustering, now, moment);
      if (!text.empty()) rows.push_back({place, std::move(text)});
    }
    return rows;
  }

  std::vector<Slice> slices() {
    std::vector<std::string> ends;
    for (int n = 2 * below(3); n > 0; --n) ends.push_back(clustering());
    std::ranges::sort(ends);
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    std::vector<Slice> all;
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2) all.push_back({ends[i], ends[i + 1]});
    if (!all.empty() && below(3) == 0) all.back().end.clear();
    if (!all.empty() && below(3) == 0) all.front().begin.clear();
    return all;
  }

  void scan_partition(const Snapshot& snapshot, std::size_t moment, std::int64_t now) {
    const Write w = somewhere(below(4) == 0 ? kCounters : kCells);
    const std::vector<Slice> ranges = slices();
    const bool backwards = below(2) == 0, with_static = below(2) == 0;
    const std::size_t most = below(3) == 0 ? 1 + static_cast<std::size_t>(below(3)) : 1000;
    std::vector<Found> wanted;
    for (const Found& row : all(w.table, moment, now)) {
      const auto& [token, partition, is_row, clustering] = row.place;
      const bool in_slice =
          ranges.empty() || std::ranges::any_of(ranges, [&, &c = clustering](const Slice& s) {
            return s.begin <= c && (s.end.empty() || c < s.end);
          });
      if (token == w.token && partition == w.partition && (is_row ? in_slice : with_static))
        wanted.push_back(row);
    }
    if (backwards) {
      const bool first_static = !wanted.empty() && !std::get<2>(wanted.front().place);
      std::reverse(wanted.begin() + (first_static ? 1 : 0), wanted.end());
    }
    wanted.resize(std::min(wanted.size(), most));
    std::vector<Found> seen;
    const Status done = snapshot.scan_partition(
        w.table, {w.token, w.partition},
        {.slices = ranges, .backwards = backwards, .with_static = with_static}, now,
        [&](const Row& row) {
          seen.push_back(found(row));
          return seen.size() < most;
        });
    ASSERT_TRUE(done.has_value()) << done.error().what;
    EXPECT_EQ(seen, wanted) << "step " << step_;
  }

  void scan(const Snapshot& snapshot, std::size_t moment, std::int64_t now) {
    const TableNumber table = below(4) == 0 ? kCounters : kCells;
    Range range{.table = table};
    std::vector<Found> rows = all(table, moment, now);
    if (below(3) == 0) {
      range.first_token = -10 + below(20);
      range.last_token = range.first_token + below(20);
    }
    if (!rows.empty() && below(2) == 0) {
      const auto [token, partition, is_row, clustering] =
          rows[static_cast<std::size_t>(below(static_cast<int>(rows.size())))].place;
      range.first_token = token;
      range.last_token = std::numeric_limits<std::int64_t>::max();
      range.after.emplace(partition);
      if (is_row) range.after->clustering = clustering;
      range.after->whole_partition = below(3) == 0;
    }
    const bool skip = below(4) == 0;  // each partition's first row only
    std::erase_if(rows, [&](const Found& row) { return !wanted_in(range, row.place); });
    if (skip) {
      const auto same = [](const Found& a, const Found& b) {
        return std::get<1>(a.place) == std::get<1>(b.place);
      };
      rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
    }
    std::vector<Found> seen;
    const Status done = snapshot.scan(range, now, [&](const Row& row) {
      seen.push_back(found(row));
      return skip ? Snapshot::Next::kPartition : Snapshot::Next::kRow;
    });
    ASSERT_TRUE(done.has_value()) << done.error().what;
    EXPECT_EQ(seen, rows) << "step " << step_;
  }

  static bool wanted_in(const Range& range, const NaiveStore::Place& place) {
    const auto& [token, partition, is_row, clustering] = place;
    if (token < range.first_token || token > range.last_token) return false;
    if (!range.after || token > range.first_token || partition > range.after->partition)
      return true;
    if (partition < range.after->partition || range.after->whole_partition || !is_row) return false;
    return !range.after->clustering || clustering > *range.after->clustering;
  }

  struct Held {
    std::unique_ptr<Snapshot> snapshot;
    std::size_t moment = 0;
    std::int64_t now = 0;
  };

  std::mt19937 random_;
  Style style_;
  TemporaryStore folder_{{.sync = false}};  // the machine does not crash here
  NaiveStore naive_;
  Held held_;  // before folder_'s store goes
  std::int64_t now_ = kStart;
  std::int64_t last_timestamp_ = 0;
  int step_ = 0;
};

class ModelTest : public ::testing::TestWithParam<Style> {};

TEST_P(ModelTest, reads_are_what_all_writes_together_say) {
  for (std::uint32_t seed = 1; seed <= 5 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed, GetParam()).run(800);
  }
}

INSTANTIATE_TEST_SUITE_P(Styles, ModelTest,
                         ::testing::Values(Style{"many_ties", false}, Style{"forgetful", true}),
                         [](const auto& style) { return std::string(style.param.name); });

}  // namespace
}  // namespace tailrace::cql_store
