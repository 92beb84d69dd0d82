// Whose read begins when: turns, clients that do not read, clients that are gone.
#include "cql_query/long_reads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace tailrace::cql_query {
namespace {

TEST(LongReads, a_client_has_two_at_once_and_others_come_between) {
  LongReads reads(4);
  Client greedy, modest;
  std::latch go(1), modest_done(1), all_done(20);
  std::atomic<int> now = 0, most = 0;
  for (int i = 0; i < 20; ++i) {
    reads.run(greedy, [&] {
      most = std::max(most.load(), ++now);
      go.wait();
      --now;
      all_done.count_down();
    });
  }
  reads.run(modest, [&] { modest_done.count_down(); });
  modest_done.wait();  // while all that the greedy one may have are under way
  go.count_down();
  all_done.wait();
  EXPECT_LE(most, LongReads::kAtOnce);
}

TEST(LongReads, nothing_begins_for_a_client_that_does_not_read_until_it_does) {
  LongReads reads(2);
  std::atomic<Traffic> traffic = Traffic::kStuck;
  Client stuck, flowing;
  stuck.traffic = [&] { return traffic.load(); };
  std::atomic<int> begun = 0;
  std::latch done(3);
  for (int i = 0; i < 3; ++i) {
    reads.run(stuck, [&] {
      ++begun;
      done.count_down();
    });
  }
  for (int i = 0; i < 100; ++i) {
    std::latch other(1);
    reads.run(flowing, [&] { other.count_down(); });
    other.wait();
  }
  EXPECT_EQ(begun, 0);
  traffic = Traffic::kFlows;
  done.wait();
  EXPECT_EQ(begun, 3);
}

TEST(LongReads, what_a_client_that_is_gone_asked_for_is_let_go) {
  struct Answered {
    std::latch* gone;
    explicit Answered(std::latch* latch) : gone(latch) {}
    Answered(Answered&& other) noexcept : gone(std::exchange(other.gone, nullptr)) {}
    ~Answered() {
      if (gone != nullptr) gone->count_down();
    }
  };
  LongReads reads(2);
  Client client;
  client.traffic = [] { return Traffic::kGone; };
  std::latch gone(2);
  std::atomic<bool> ran = false;
  for (int i = 0; i < 2; ++i) reads.run(client, [&ran, answered = Answered(&gone)] { ran = true; });
  gone.wait();
  EXPECT_FALSE(ran);
}

TEST(LongReads, it_ends_while_clients_are_stuck) {
  Client client;
  client.traffic = [] { return Traffic::kStuck; };
  auto answered = std::make_shared<int>();
  {
    LongReads reads(2);
    reads.run(client, [answered] {});
  }
  EXPECT_EQ(answered.use_count(), 1);
}

}  // namespace
}  // namespace tailrace::cql_query
