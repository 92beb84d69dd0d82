// Asset events for DAGs that a real Airflow runs: what of the project makes their assets happen
// (asset_sources.h) is told to that Airflow, by POST /api/v2/assets/events.
//
// Each event is told once, in the order in which they came: it is kept with its source's cursor
// (airflow_outbox.h) until that Airflow has answered. Where an answer was lost, the events that it
// has are asked for ours first, by the `tailrace_event` in their extra. What was sent and arrives
// only after that question is there twice: its API knows no key of a request.
//
// An event is an asset's, not a DAG's: of several DAGs that declare batches of one asset the
// smallest counts. How many runs Airflow makes of events that come together is its own affair.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/http_client.h"
#include "rt/clock.h"
#include "workflows/airflow_outbox.h"
#include "workflows/asset_sources.h"
#include "workflows/dag_files.h"
#include "workflows/workflows.h"

namespace tailrace::workflows {

/// Without a token one is asked for, by user and password, or without where it lets everybody in.
struct AirflowAddress {
  std::string url;  ///< http://HOST:PORT
  std::string user = {}, password = {}, token = {};
};

class AirflowEvents final : public AssetSink {
 public:
  /// Of `options`: folder, data, lake, brokers, log. What happens from now on is told.
  static Result<std::unique_ptr<AirflowEvents>> open(Options options, AirflowAddress airflow,
                                                     rt::Clock& clock);
  ~AirflowEvents() override { stop(); }
  Status start();
  void stop();

  // AssetSink
  Result<Offset> records(const AssetSource& source, std::int32_t partition,
                         const std::vector<Records>& records, Offset next) override;
  Status happened(const AssetSource& source, std::optional<jinja::Value> extra,
                  std::vector<metadata::Cursor> cursors) override;

 private:
  AirflowEvents(Options options, AirflowAddress airflow, rt::Clock& clock,
                std::unique_ptr<AirflowOutbox> outbox)
      : options_(std::move(options)),
        airflow_(std::move(airflow)),
        clock_(clock),
        outbox_(std::move(outbox)) {}

  Status read_dags();
  Status note_beginnings();
  Status watch();
  ToldTogether together(const std::string& uri);
  void wake();

  void tell_all(const std::stop_token& stop);
  /// True: there is more.
  Result<bool> tell_some();
  Status tell(const WaitingEvent& event);
  Result<bool> is_there(std::int64_t asset, const WaitingEvent& event);
  Result<std::int64_t> asset_id(const std::string& uri);
  Status log_in();
  Result<nlohmann::json> ask(const std::string& method, const std::string& path,
                             const std::optional<std::string>& body = {});
  Result<net::HttpResponse> send(const std::string& method, const std::string& path,
                                 const std::optional<std::string>& body);

  const Options options_;
  const AirflowAddress airflow_;
  rt::Clock& clock_;
  const std::unique_ptr<AirflowOutbox> outbox_;

  std::mutex mutex_;  // what is known of the DAGs, and of what has come
  std::condition_variable_any some_;
  std::uint64_t came_ = 0;
  std::vector<AssetSource> sources_;
  std::map<std::string, ToldTogether> together_;

  std::mutex watch_mutex_;
  bool stopping_ = false;
  DagFiles files_;
  std::unique_ptr<TopicEvents> topics_;
  std::unique_ptr<FileEvents> file_events_;
  std::optional<DagFileLooks> looks_;

  // Of the teller's thread.
  net::HttpClient http_;
  std::string token_;
  std::map<std::string, std::int64_t> ids_;
  std::stop_token stop_;
  std::jthread teller_;
};

}  // namespace tailrace::workflows
