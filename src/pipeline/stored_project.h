// A stopped project's data folder, to be read: the last checkpoint, its served rows and dead
// letters, and the lake. Nothing in the folder changes, and a project may run on it meanwhile.
//
// A table has the columns it was written with, whatever the SQL says now; one that was never
// written is empty.
#pragma once

#include "pipeline/checkpoint.h"
#include "pipeline/project_status.h"

namespace tailrace::pipeline {

class StoredProject final : public Runner {
 public:
  /// kNotFound: nothing has run on the folder yet.
  static Result<std::unique_ptr<StoredProject>> open(const Project& project, Graph graph,
                                                     const std::string& data);

  void start() override;
  Status stop() override { return {}; }
  Status drain() override { return {}; }
  std::vector<Hop> hops() const override;
  std::vector<TableStatus> tables() const override { return tables_of(graph_, counts_); }
  std::vector<TopicExpectations> topic_expectations() const override {
    return topic_expectations_of(graph_, counts_);
  }
  std::shared_ptr<const Graph> graph() const override {
    return std::make_shared<const Graph>(graph_);
  }
  std::string stopped_by() const override { return {}; }
  const DeadLetters& dead_letters() const override { return *letters_; }
  Result<std::int64_t> redrive(const std::function<bool(const DeadLetter&)>&,
                               const SendBack&) override;
  Status scan_table(std::string_view name,
                    const std::function<Status(const Batch&)>& visit) const override;
  Status scan_served(std::string_view serving,
                     const std::function<Status(const Batch&)>& visit) const override;
  std::shared_ptr<const table::KeyedTable> served(std::string_view name) const override;

  void on_served_change(std::function<void()>) override {}
  Offset keep_from(const log::Partition&) const override { return Offset(0); }

  /// How many records of the topic were read by the last checkpoint.
  std::int64_t records_read(const std::string& topic) const;

 private:
  StoredProject(const Project& project, Graph graph, std::string data)
      : project_(project), graph_(std::move(graph)), data_(std::move(data)) {}
  Status load();
  Status take_stored_schemas();
  void count_flow(const Flow& flow);
  std::optional<std::int64_t> watermark_of(const Flow& flow, const FlowMark& mark) const;
  std::string lake_folder(const Table& table) const { return data_ + "/lake/" + table.name; }

  const Project& project_;
  Graph graph_;
  std::string data_;
  std::unique_ptr<kv::Store> store_;
  std::unique_ptr<DeadLetters> letters_;
  std::unique_ptr<table::Catalogue> catalogue_;
  Checkpoint checkpoint_;
  ProjectCounts counts_;
};

}  // namespace tailrace::pipeline
