#include "app/alert_check.h"

#include "alerts/observer.h"
#include "app/function_check.h"
#include "pipeline/contracts/measures.h"
#include "pipeline/query.h"

namespace tailrace::app {
namespace {

/// Names alone: nothing has happened.
class NamesSight final : public alerts::Sight {
 public:
  NamesSight(const pipeline::Project& project, const pipeline::Graph& graph,
             std::vector<std::string> dags)
      : dags_(std::move(dags)) {
    for (const auto& ingest : project.ingest) add_hop("fetched." + ingest.name);
    for (const auto& stage : project.stages) add_hop("staged." + stage.table.name);
    for (const auto& topic : project.topics) add_hop("appended." + topic.name);
    for (const auto& topic : graph.topics) {
      add_hop("decoded." + topic.topic);
      for (const auto& one : topic.expectations) add_expectation(topic.topic, one.name);
    }
    add_hop("rejected");
    for (const auto& table : graph.tables)
      add_hop(std::string(layer_name(table.layer)) + "." + table.name);
    add_hop("lake");
    for (const auto& serving : project.serving) add_hop("served." + serving.name);
    for (const auto& flow : graph.flows)
      for (const auto& one : flow.plan.expectations)
        add_expectation(graph.tables[static_cast<std::size_t>(flow.table)].name, one.name);
    if (const auto measures = pipeline::taken_measures(project, graph))
      for (const pipeline::Measure& measure : *measures)
        rules_.push_back(
            {.contract = measure.contract, .table = measure.table, .rule = measure.name});
  }

  std::vector<pipeline::Hop> hops() override { return hops_; }
  std::vector<alerts::ExpectationCount> expectations() override { return expectations_; }
  std::vector<alerts::ContractRuleSeen> contract_rules() override { return rules_; }
  std::vector<std::string> broken(const std::string&, const std::string&, std::size_t) override {
    return {};
  }
  Result<alerts::QueryRows> query(const std::string&, std::size_t) override {
    return alerts::QueryRows();
  }
  std::vector<std::string> dags() override { return dags_; }
  std::uint64_t runs_changed() override { return 0; }
  Result<std::vector<alerts::RunSeen>> runs(const std::string&, std::size_t) override {
    return std::vector<alerts::RunSeen>();
  }
  alerts::Ms next_due(const std::string&) override { return 0; }
  alerts::RunFailure failure(const alerts::RunSeen&) override { return {}; }

 private:
  void add_hop(std::string id) { hops_.push_back({.id = std::move(id), .title = {}}); }
  void add_expectation(const std::string& of, const std::string& name) {
    expectations_.push_back({.table = of, .name = name});
  }

  std::vector<pipeline::Hop> hops_;
  std::vector<alerts::ExpectationCount> expectations_;
  std::vector<alerts::ContractRuleSeen> rules_;
  const std::vector<std::string> dags_;
};

bool is_query(const alerts::RuleSpec& rule) {
  return rule.kind == alerts::RuleKind::kQuery || rule.kind == alerts::RuleKind::kValue;
}

/// The query's columns, and that `by` names some of them.
Status check_rows(const alerts::RuleSpec& rule,
                  const std::vector<pipeline::QueryRelation>& relations) {
  const auto columns = pipeline::check_query(rule.subject, "query", relations);
  if (!columns) return std::unexpected(columns.error().in(rule.place));
  if (!*columns) return {};
  for (const std::string& label : rule.labels_of_rows) {
    if ((**columns)->GetFieldByName(label) != nullptr) continue;
    return error(Code::kInvalidArgument,
                 rule.place + ": `by`: the query has no column `" + label + "`");
  }
  return {};
}

}  // namespace

Status check_alerts(const alerts::Settings& settings, const pipeline::Project& project,
                    const pipeline::Graph& graph, std::vector<std::string> dags) {
  NamesSight names(project, graph, std::move(dags));
  TRY(alerts::check_subjects(settings, names));
  const auto relations = stored_relations(project, graph);
  for (const alerts::RuleSpec& rule : settings.rules)
    if (is_query(rule)) TRY(check_rows(rule, relations));
  return {};
}

}  // namespace tailrace::app
