// What is still to be told to the Airflow that runs the DAGs, in an SQLite file: asset events, with
// the cursors of their sources in the same transaction, so that a crash loses and doubles none.
//
//   cursor (source, part, value)                as metadata::Cursor
//   event  (id, uri, parts, events, since_ms, closed, asked_ms)
//          parts     what happened, a JSON array: of a batch several
//          since_ms  when the first of them came; `closed`: nothing more comes to it
//          asked_ms  when it was first on its way; none: never
//   identity (name)                             another one for another file
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sqlite/database.h"
#include "workflows/asset_sources.h"

namespace tailrace::workflows {

/// Events that are told as one.
struct ToldTogether {
  std::int64_t events = 1;
  std::optional<std::int64_t> within_ms = {};  ///< and no longer after the first
};

struct WaitingEvent {
  std::int64_t id = 0;
  std::string uri;
  nlohmann::ordered_json extra;  ///< with `tailrace_event`, which no other event has
  std::optional<std::int64_t> asked_ms;
};

class AirflowOutbox {
 public:
  /// Made with its folder when it is not there.
  static Result<std::unique_ptr<AirflowOutbox>> open(const std::string& path);

  Result<std::vector<metadata::Cursor>> cursors();
  Status keep(std::span<const metadata::Cursor> cursors);

  /// As many as there is room for, as AssetSink::records.
  Result<Offset> records(const AssetSource& source, std::int32_t partition,
                         const std::vector<Records>& records, Offset next,
                         const ToldTogether& together, std::int64_t now_ms);
  Status happened(const AssetSource& source, std::optional<nlohmann::ordered_json> extra,
                  std::span<const metadata::Cursor> cursors, const ToldTogether& together,
                  std::int64_t now_ms);

  /// The oldest that nothing more comes to. A batch's time is `together`'s of its asset.
  Result<std::vector<WaitingEvent>> due(
      const std::function<ToldTogether(const std::string& uri)>& together, std::int64_t now_ms);
  Status asked(std::int64_t id, std::int64_t now_ms);
  Status told(std::int64_t id);

 private:
  explicit AirflowOutbox(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}
  struct Open {
    std::int64_t id = 0;  ///< 0: there is none yet
    std::int64_t events = 0, since_ms = 0;
    nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  };
  Result<Open> open_batch(const std::string& uri);
  Status put(const std::string& uri, Open& batch, bool closed);
  Status put_cursors(std::span<const metadata::Cursor> cursors);
  Result<std::int64_t> waiting();
  Status close_late(const std::function<ToldTogether(const std::string& uri)>& together,
                    std::int64_t now_ms);

  std::mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_;
  std::string identity_;
};

}  // namespace tailrace::workflows
