// Answers of queries that are longer than a page: kept as they came from the engine until their
// last page is taken, so that neither side ever holds all of it as text.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string_view>

#include "console/console.h"
#include "pipeline/query.h"

namespace tailrace::app {

class OpenAnswers {
 public:
  /// The first page; `next` of it names the second.
  console::Rows begin(pipeline::QueryResult result);
  /// A page by the `next` of the one before. kNotFound: the answer is no longer kept.
  Result<console::Rows> page(std::string_view next);

 private:
  struct Open {
    std::int64_t id;
    pipeline::QueryResult result;
    std::chrono::steady_clock::time_point asked;
  };
  static console::Rows rows_from(const Open& open, std::int64_t first);
  void forget_old();

  std::mutex mutex_;
  std::list<Open> open_;  ///< the one asked for last at the end
  std::int64_t last_id_ = 0;
};

}  // namespace tailrace::app
