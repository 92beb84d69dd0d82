// The store as its callers see it: rows put together, deletions, expiry, commits and reopening.
#include "cql_store/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "cql_store/testing/temporary_store.h"

namespace tailrace::cql_store {
namespace {

constexpr TableNumber kTable = 7;
constexpr std::int64_t kNow = 1'000'000;

class StoreTest : public ::testing::Test {
 protected:
  /// The values of a row's cells by column, and "-" where there is no row.
  std::string row(const std::string& key, const std::string& clustering = "",
                  std::int64_t now = kNow) {
    Row row;
    Snapshot::Buffer buffer;
    const auto there = store().read(kTable, {1, key}, {clustering}, now, row, buffer);
    EXPECT_TRUE(there.has_value()) << there.error().what;
    return there && *there ? text_of(row) : "-";
  }
  Store& store() { return *folder_.store; }
  void commit(Mutation mutation) {
    const Status status = folder_.commit(std::move(mutation));
    ASSERT_TRUE(status.has_value()) << status.error().what;
  }
  static std::string text_of(const Row& row) {
    std::string text;
    for (const Cell& cell : row.cells) {
      text += std::to_string(cell.column);
      if (!cell.path.empty()) text += "[" + std::string(cell.path) + "]";
      text += "=" + std::string(cell.value) + " ";
    }
    return text;
  }
  std::vector<std::string> scan(Snapshot::PartitionRead what = {}) {
    std::vector<std::string> rows;
    const auto status =
        store().snapshot()->scan_partition(kTable, {1, "p"}, what, kNow, [&](const Row& row) {
          rows.push_back((row.is_static ? "static" : std::string(row.clustering)) + ":" +
                         text_of(row));
          return true;
        });
    EXPECT_TRUE(status.has_value());
    return rows;
  }

  TemporaryStore folder_;
};

Mutation put(const std::string& clustering, std::int64_t timestamp, std::string_view value,
             bool is_static = false) {
  Mutation mutation;
  mutation.row(kTable, {1, "p"}, {clustering, {}, is_static});
  mutation.put(1, "", timestamp, value);
  return mutation;
}

TEST_F(StoreTest, a_replaced_row_has_what_replaces_it_whatever_the_timestamps_and_may_be_gone) {
  const auto replaced_by = [](std::int64_t timestamp, std::string_view value) {
    Mutation mutation;
    mutation.replace_row(kTable, {1, "p"}, {"c"});
    if (!value.empty()) mutation.put(2, "", timestamp, value);
    return mutation;
  };
  commit(put("c", 100, "old"));
  Mutation deletion;
  deletion.row(kTable, {1, "p"}, {"c"});
  deletion.delete_row({200, kNow});
  commit(std::move(deletion));
  commit(replaced_by(5, "new"));
  EXPECT_EQ(row("p", "c"), "2=new ");
  commit(put("c", 4, "more"));
  EXPECT_EQ(row("p", "c"), "1=more 2=new ");
  folder_.reopen();
  commit(replaced_by(0, ""));
  EXPECT_EQ(row("p", "c"), "-");
  commit(put("c", 3, "again"));
  EXPECT_EQ(row("p", "c"), "1=again ");
  ASSERT_TRUE(store().flush().has_value());
  ASSERT_TRUE(store().compact().has_value());
  EXPECT_EQ(row("p", "c"), "1=again ");
}

TEST_F(StoreTest, a_written_row_is_read_back) {
  Mutation mutation;
  mutation.row(kTable, {1, std::string("a\0b", 3)}, {});
  mutation.liveness({10, 0, 0});
  mutation.put(3, "", 10, "three");
  mutation.put(1, "", 10, "one");
  commit(std::move(mutation));
  EXPECT_EQ(row(std::string("a\0b", 3)), "1=one 3=three ");
  EXPECT_EQ(row("a"), "-");
  folder_.reopen();
  EXPECT_EQ(row(std::string("a\0b", 3)), "1=one 3=three ");
}

TEST_F(StoreTest, the_later_timestamp_wins_whatever_came_first) {
  commit(put("c", 20, "new"));
  commit(put("c", 10, "old"));
  EXPECT_EQ(row("p", "c"), "1=new ");
}

TEST_F(StoreTest, a_row_of_expired_cells_is_not_there) {
  Mutation mutation;
  mutation.row(kTable, {1, "p"}, {"c"});
  mutation.put(1, "", 10, "short", 60, kNow + 60);
  commit(std::move(mutation));
  EXPECT_EQ(row("p", "c", kNow + 59), "1=short ");
  EXPECT_EQ(row("p", "c", kNow + 60), "-");
}

TEST_F(StoreTest, slices_and_partitions_are_deleted_up_to_their_timestamp) {
  commit(put("a", 10, "A"));
  commit(put("b", 10, "B"));
  commit(put("c", 30, "C"));
  commit(put("", 10, "S", true));
  Mutation slice;
  slice.delete_slice(kTable, {1, "p"}, {"b", "d"}, {20, kNow});
  commit(std::move(slice));
  EXPECT_EQ(scan({.with_static = true}),
            (std::vector<std::string>{"static:1=S ", "a:1=A ", "c:1=C "}));
  Mutation partition;
  partition.delete_partition(kTable, {1, "p"}, {25, kNow});
  commit(std::move(partition));
  folder_.reopen();
  EXPECT_EQ(scan({.with_static = true}), (std::vector<std::string>{"c:1=C "}));
  EXPECT_EQ(row("p", "a"), "-");
}

TEST_F(StoreTest, a_partition_is_read_in_slices_and_backwards) {
  for (const char* c : {"a", "b", "c", "d", "e"}) commit(put(c, 10, c));
  const std::vector<Slice> slices{{"a", "c"}, {"d", ""}};
  EXPECT_EQ(scan({.slices = slices}),
            (std::vector<std::string>{"a:1=a ", "b:1=b ", "d:1=d ", "e:1=e "}));
  EXPECT_EQ(scan({.slices = slices, .backwards = true}),
            (std::vector<std::string>{"e:1=e ", "d:1=d ", "b:1=b ", "a:1=a "}));
}

TEST_F(StoreTest, counters_add_up_and_a_deletion_sets_them_back) {
  const auto add = [&](std::int64_t amount) {
    Mutation mutation;
    mutation.row(kTable, {1, "p"}, {"c"});
    mutation.add(1, amount);
    commit(std::move(mutation));
  };
  const auto sum = [&] {
    const std::string text = row("p", "c");
    return text == "-" ? -1 : static_cast<int>(static_cast<unsigned char>(text[text.size() - 2]));
  };
  add(2);
  add(3);
  EXPECT_EQ(sum(), 5);
  Mutation deletion;
  deletion.delete_partition(kTable, {1, "p"}, {5, kNow});
  commit(std::move(deletion));
  EXPECT_EQ(sum(), -1);
  add(4);
  folder_.reopen();
  EXPECT_EQ(sum(), 4);
}

TEST_F(StoreTest, a_decision_sees_what_was_committed_before_it) {
  std::promise<Status> done;
  store().commit(put("c", 10, "first"), [](Status) {});
  std::string seen;
  store().decide(
      [&](const Snapshot& now) -> Result<Mutation> {
        Row row;
        Snapshot::Buffer buffer;
        ASSIGN(const bool there, now.read(kTable, {1, "p"}, {"c"}, kNow, row, buffer));
        seen = there ? text_of(row) : "-";
        return put("c", 11, "second");
      },
      [&](Status status) { done.set_value(std::move(status)); });
  ASSERT_TRUE(done.get_future().get().has_value());
  EXPECT_EQ(seen, "1=first ");
  EXPECT_EQ(row("p", "c"), "1=second ");
}

TEST_F(StoreTest, a_snapshot_keeps_its_moment) {
  commit(put("c", 10, "before"));
  const auto moment = store().snapshot();
  commit(put("c", 11, "after"));
  Row row;
  Snapshot::Buffer buffer;
  ASSERT_TRUE(*moment->read(kTable, {1, "p"}, {"c"}, kNow, row, buffer));
  EXPECT_EQ(text_of(row), "1=before ");
}

TEST_F(StoreTest, a_dropped_table_is_empty_and_named_values_stay) {
  commit(put("c", 10, "x"));
  Mutation mutation;
  mutation.keep("schema/1", "one");
  mutation.keep("schema/2", "two");
  mutation.drop_all(kTable);
  commit(std::move(mutation));
  Mutation forget;
  forget.keep("schema/1", std::nullopt);
  commit(std::move(forget));
  EXPECT_EQ(scan(), std::vector<std::string>{});
  EXPECT_EQ(*store().kept("schema/"),
            (std::vector<std::pair<std::string, std::string>>{{"schema/2", "two"}}));
}

TEST_F(StoreTest, what_is_forgotten_stays_away) {
  commit(put("c", 10, "x"));
  Mutation mutation;
  mutation.row(kTable, {1, "p"}, {"c"});
  mutation.delete_row({20, kNow});
  commit(std::move(mutation));
  store().set_grace(kTable, 100);
  folder_.clock.set(TimestampMs((kNow + 1000) * 1000));
  for (int i = 0; i < 3; ++i) {  // what is in memory may still be older
    commit(put("other", 10, "x"));
    ASSERT_TRUE(store().flush().has_value());
    ASSERT_TRUE(store().compact().has_value());
  }
  EXPECT_EQ(row("p", "c"), "-");
  commit(put("c", 15, "again"));  // the tombstone is forgotten
  EXPECT_EQ(row("p", "c"), "1=again ");
}

TEST_F(StoreTest, old_deletions_of_partitions_and_slices_are_forgotten_with_what_they_delete) {
  for (int i = 0; i < 500; ++i) commit(put("row" + std::to_string(1000 + i), 10, "x"));
  commit(put("z", 30, "stays"));
  ASSERT_TRUE(store().flush().has_value());
  Mutation mutation;
  mutation.delete_slice(kTable, {1, "p"}, {"row", "row13"}, {20, kNow});
  mutation.delete_partition(kTable, {1, "p"}, {15, kNow + 5000});
  commit(std::move(mutation));
  store().set_grace(kTable, 100);
  folder_.clock.set(TimestampMs((kNow + 1000) * 1000));
  // The slice's deletion is old, the partition's is not. A compaction finds it when it is a whole
  // record, and the thread that commits sees to it.
  const auto late_row = [&] {
    commit(put("row1100", 18, "late"));
    return row("p", "row1100");
  };
  EXPECT_EQ(late_row(), "-");
  for (int i = 0; i < 100 && late_row() == "-"; ++i) {
    ASSERT_TRUE(store().flush().has_value());
    ASSERT_TRUE(store().compact().has_value());
  }
  EXPECT_EQ(row("p", "row1100"), "1=late ");
  commit(put("row1101", 14, "too late"));
  EXPECT_EQ(scan(), (std::vector<std::string>{"row1100:1=late ", "z:1=stays "}));
  folder_.reopen();
  EXPECT_EQ(scan(), (std::vector<std::string>{"row1100:1=late ", "z:1=stays "}));
}

}  // namespace
}  // namespace tailrace::cql_store
