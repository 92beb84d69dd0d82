// Reads that take long, of many clients: on threads of their own, the clients' turns one after
// another, so that one who asks for much keeps nobody else waiting.
//
// A client has at most kAtOnce reads under way, and none begins while it does not take the answers
// it has: what waits for a client that does not read is an answer or two, whatever it asked for.
// Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "cql_query/engine.h"

namespace tailrace::cql_query {

class LongReads {
 public:
  static constexpr int kAtOnce = 2;

  explicit LongReads(int threads);
  /// Ends when what has begun is done; the rest is let go.
  ~LongReads();
  LongReads(const LongReads&) = delete;
  LongReads& operator=(const LongReads&) = delete;

  /// `work` holds what keeps `client`. It is let go, not run, when the client is gone.
  void run(const Client& client, std::move_only_function<void()> work);

 private:
  using Work = std::move_only_function<void()>;
  /// The reads of one client.
  struct Turn {
    const Client* client;
    std::deque<Work> waiting;
    int running = 0;
  };

  void loop();
  /// The next whose turn it is, which is then the last; null: nobody can begin. What clients that
  /// are gone asked for goes to `gone`.
  Turn* next(std::vector<Work>& gone);
  /// Nobody is told when a client takes its answers again.
  bool somebody_is_stuck() const;
  void end(Turn* turn);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Turn> turns_;  // who has a read waiting or running
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::cql_query
