// system.*: what the process knows of itself, as tables: hops, tables, topics, dead letters,
// expectations, contracts with their rules and service levels, alerts.
#include <algorithm>

#include "alerts/json.h"
#include "app/backend.h"
#include "app/instance.h"
#include "app/served_tables.h"
#include "pipeline/names.h"

namespace tailrace::app {
namespace {

using pipeline::QueryRelation;
using Visit = std::function<Status(const Batch&)>;

/// Rows of text and whole numbers, column by column.
class Rows {
 public:
  explicit Rows(Schema schema) : schema_(std::move(schema)) {
    for (const Field& field : schema_->fields()) {
      std::unique_ptr<arrow::ArrayBuilder> builder;
      status_ &= arrow::MakeBuilder(arrow::default_memory_pool(), field->type(), &builder);
      builders_.push_back(std::move(builder));
    }
  }

  Rows& text(const std::string& value) {
    status_ &= static_cast<arrow::StringBuilder&>(next()).Append(value);
    return *this;
  }
  Rows& number(std::int64_t value) {
    status_ &= static_cast<arrow::Int64Builder&>(next()).Append(value);
    return *this;
  }

  /// Null without a value.
  Rows& real(std::optional<double> value) {
    auto& column = static_cast<arrow::DoubleBuilder&>(next());
    status_ &= value ? column.Append(*value) : column.AppendNull();
    return *this;
  }

  Result<Batch> finish() {
    if (!status_.ok()) return arrow_error(status_);
    std::vector<Array> columns;
    for (auto& builder : builders_) {
      Array column;
      TRY(from_arrow(builder->Finish(&column)));
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, columns[0]->length(), columns);
  }

 private:
  arrow::ArrayBuilder& next() { return *builders_[at_++ % builders_.size()]; }

  Schema schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::size_t at_ = 0;
  arrow::Status status_;
};

Schema schema_of(std::initializer_list<std::pair<const char*, bool>> columns) {
  std::vector<Field> fields;
  for (auto [name, is_text] : columns)
    fields.push_back(arrow::field(name, is_text ? arrow::utf8() : arrow::int64()));
  return arrow::schema(fields);
}

constexpr bool kText = true, kNumber = false;

QueryRelation hops(Instance& instance) {
  Schema schema = schema_of({{"kind", kText},
                             {"name", kText},
                             {"records", kNumber},
                             {"bytes", kNumber},
                             {"lag_records", kNumber},
                             {"rejected", kNumber},
                             {"why", kText},
                             {"last_error", kText}});
  return {"system.hops", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            for (const pipeline::Hop& hop : instance.hops())
              rows.text(std::string(hop_kind_name(hop.kind)))
                  .text(hop.title)
                  .number(hop.count)
                  .number(hop.bytes)
                  .number(hop.lag_records)
                  .number(hop.rejected)
                  .text(hop.why)
                  .text(hop.last_error);
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation tables(Instance& instance) {
  Schema schema = schema_of({{"name", kText},
                             {"layer", kText},
                             {"kind", kText},
                             {"records", kNumber},
                             {"columns", kNumber},
                             {"failed", kText}});
  return {"system.tables", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            for (const pipeline::TableStatus& table : instance.runner().tables())
              rows.text(table.name)
                  .text(std::string(layer_name(table.layer)))
                  .text(table.streaming ? "streaming table" : "materialized view")
                  .number(table.rows)
                  .number(table.schema->num_fields())
                  .text(table.failed);
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation expectations(Instance& instance) {
  Schema schema = schema_of({{"table_name", kText},
                             {"name", kText},
                             {"condition", kText},
                             {"action", kText},
                             {"passed", kNumber},
                             {"failed", kNumber}});
  return {"system.expectations", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            const auto add = [&](const std::string& of, const auto& expectations) {
              for (const pipeline::ExpectationStatus& e : expectations)
                rows.text(of)
                    .text(e.name)
                    .text(e.condition)
                    .text(e.action)
                    .number(e.passed)
                    .number(e.failed);
            };
            for (const auto& topic : instance.runner().topic_expectations())
              add(topic.topic, topic.expectations);
            for (const pipeline::TableStatus& table : instance.runner().tables())
              add(table.name, table.expectations);
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation contracts(Instance& instance) {
  Schema schema = schema_of({{"contract", kText},
                             {"version", kText},
                             {"status", kText},
                             {"owner", kText},
                             {"domain", kText},
                             {"kind", kText},
                             {"name", kText},
                             {"rules", kNumber},
                             {"kept", kNumber},
                             {"judged", kNumber},
                             {"file", kText}});
  return {"system.contracts", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            const auto judged = instance.judge().rules();
            for (const pipeline::Contract& contract : instance.project().contracts)
              for (const pipeline::ContractObject& object : contract.objects) {
                const auto kept = std::ranges::count_if(
                    object.rules, [](const auto& rule) { return rule.condition.empty(); });
                rows.text(contract.id)
                    .text(contract.version)
                    .text(contract.status)
                    .text(contract.owner)
                    .text(contract.domain)
                    .text(object.is_topic ? "topic" : "table")
                    .text(object.target)
                    .number(std::ssize(object.rules) - kept)
                    .number(kept)
                    .number(std::ranges::count_if(judged,
                                                  [&](const auto& rule) {
                                                    return rule.measure->contract == contract.id &&
                                                           !object.is_topic &&
                                                           rule.measure->table == object.target;
                                                  }))
                    .text(object.place);
              }
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

/// What contracts ask of all rows of a table, and what was found.
QueryRelation contract_rules(Instance& instance) {
  auto fields = schema_of({{"contract", kText},
                           {"version", kText},
                           {"table_name", kText},
                           {"name", kText},
                           {"measured", kText},
                           {"must", kText},
                           {"unit", kText},
                           {"state", kText},
                           {"severity", kText},
                           {"since_ms", kNumber},
                           {"judged_ms", kNumber},
                           {"took_ms", kNumber},
                           {"table_version", kNumber},
                           {"error", kText},
                           {"file", kText}})
                    ->fields();
  fields.insert(fields.begin() + 5, arrow::field("value", arrow::float64()));
  Schema schema = arrow::schema(fields);
  return {"system.contract_rules", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            for (const auto& [measure, verdict] : instance.judge().rules())
              rows.text(measure->contract)
                  .text(measure->version)
                  .text(measure->table)
                  .text(measure->name)
                  .text(measure->what())
                  .real(verdict.value)
                  .text(measure->limit.text)
                  .text(measure->percent ? "percent" : "")
                  .text(std::string(name(verdict.state)))
                  .text(measure->severity)
                  .number(verdict.since_ms)
                  .number(verdict.at_ms)
                  .number(verdict.took_ms)
                  .number(verdict.version)
                  .text(verdict.error)
                  .text(measure->place);
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation service_levels(Instance& instance) {
  Schema schema = schema_of({{"contract", kText},
                             {"property", kText},
                             {"value", kText},
                             {"unit", kText},
                             {"element", kText},
                             {"driver", kText},
                             {"file", kText}});
  return {"system.service_levels", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            for (const pipeline::Contract& contract : instance.project().contracts)
              for (const pipeline::ServiceLevel& level : contract.levels)
                rows.text(contract.id)
                    .text(level.property)
                    .text(level.value)
                    .text(level.unit)
                    .text(level.element)
                    .text(level.driver)
                    .text(level.place);
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation topics(Instance& instance) {
  Schema schema = schema_of({{"name", kText},
                             {"relation", kText},
                             {"partitions", kNumber},
                             {"format", kText},
                             {"records", kNumber},
                             {"bytes", kNumber}});
  return {"system.topics", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            const auto hops = instance.hops();
            for (const pipeline::TopicSpec& topic : instance.project().topics) {
              const auto hop =
                  std::ranges::find(hops, "appended." + topic.name, &pipeline::Hop::id);
              rows.text(topic.name)
                  .text(topic.relation)
                  .number(topic.partitions)
                  .text(topic.format)
                  .number(hop->count)
                  .number(hop->bytes);
            }
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

void add_letter(const pipeline::DeadLetter& letter, Rows& rows) {
  rows.number(static_cast<std::int64_t>(letter.id))
      .text(letter.flow)
      .text(letter.reason)
      .text(letter.detail)
      .text(letter.topic)
      .number(letter.partition)
      .number(letter.offset)
      .text(letter.origin)
      .text(letter.bytes)
      .number(letter.time_ms)
      .text(letter.redriven ? "yes" : "no");
}

/// In batches, so that a great many letters need no memory at once.
Status scan_letters(const pipeline::DeadLetters& letters, const Schema& schema,
                    const Visit& visit) {
  constexpr std::size_t kBatchBytes = 4 << 20;
  for (std::uint64_t after = 0;;) {
    Rows rows(schema);
    std::size_t bytes = 0;
    bool more = false;
    TRY(letters.scan(after, [&](const pipeline::DeadLetter& letter) {
      add_letter(letter, rows);
      after = letter.id;
      bytes += letter.bytes.size() + letter.detail.size();
      more = bytes > kBatchBytes;
      return !more;
    }));
    ASSIGN(auto batch, rows.finish());
    TRY(visit(batch));
    if (!more) return {};
  }
}

/// `tailrace.yml` says of the rest; a project without alerts has none.
QueryRelation alerts_of(Instance& instance) {
  Schema schema = schema_of({{"rule", kText},
                             {"state", kText},
                             {"severity", kText},
                             {"labels", kText},
                             {"value", kText},
                             {"summary", kText},
                             {"since_ms", kNumber},
                             {"told_ms", kNumber},
                             {"muted_by", kText}});
  return {"system.alerts", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            if (auto* alerts = instance.alerts()) {
              for (const alerts::Shown& one : alerts->alerts())
                rows.text(one.alert.rule)
                    .text(std::string(alerts::name(one.alert.state)))
                    .text(one.alert.labels.at("severity"))
                    .text(alerts::dump(alerts::json_of(one.alert.labels)))
                    .text(one.alert.seen.value)
                    .text(one.alert.seen.summary)
                    .number(one.alert.since)
                    .number(one.alert.told_at)
                    .text(one.muted_by);
            }
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

/// What was sent, or is to be: the newest first.
QueryRelation alert_messages(Instance& instance) {
  Schema schema = schema_of({{"id", kNumber},
                             {"channel", kText},
                             {"state", kText},
                             {"kind", kText},
                             {"rule", kText},
                             {"title", kText},
                             {"made_ms", kNumber},
                             {"over_ms", kNumber},
                             {"attempts", kNumber},
                             {"said", kText}});
  return {"system.alert_messages", schema, [&instance, schema](const Visit& visit) -> Status {
            Rows rows(schema);
            if (auto* alerts = instance.alerts()) {
              ASSIGN(const auto messages, alerts->messages(alerts::kHistory));
              for (const alerts::Outgoing& one : messages)
                rows.number(one.id)
                    .text(one.channel)
                    .text(one.state)
                    .text(std::string(alerts::name(one.message.kind)))
                    .text(one.message.rule)
                    .text(alerts::title(one.message))
                    .number(one.made)
                    .number(one.over)
                    .number(one.attempts)
                    .text(one.said);
            }
            ASSIGN(auto batch, rows.finish());
            return visit(batch);
          }};
}

QueryRelation dead_letters(Instance& instance) {
  Schema schema = schema_of({{"id", kNumber},
                             {"flow", kText},
                             {"reason", kText},
                             {"detail", kText},
                             {"topic", kText},
                             {"partition", kNumber},
                             {"offset", kNumber},
                             {"origin", kText},
                             {"record", kText},
                             {"time_ms", kNumber},
                             {"redriven", kText}});
  return {"system.dead_letters", schema, [&instance, schema](const Visit& visit) {
            return scan_letters(instance.runner().dead_letters(), schema, visit);
          }};
}

/// Why nothing is read of a table or of what is served.
std::string why_empty(Instance& instance, const std::string& name, bool served) {
  for (const pipeline::Hop& hop : instance.hops()) {
    const bool of_table = hop.kind == pipeline::HopKind::kBronze ||
                          hop.kind == pipeline::HopKind::kSilver ||
                          hop.kind == pipeline::HopKind::kGold;
    const bool is_its = served ? hop.kind == pipeline::HopKind::kServed : of_table;
    if (!is_its || !pipeline::same_name(hop.title, name)) continue;
    if (hop.count > 0 && !served)
      return fmt::format("`{}` has {} rows, which the lake shows from the next checkpoint on", name,
                         hop.count);
    const std::string& why = hop.last_error.empty() ? hop.why : hop.last_error;
    return why.empty() ? why : fmt::format("`{}` is empty: {}", name, why);
  }
  return {};
}

}  // namespace

std::vector<QueryRelation> query_relations(Instance& instance) {
  std::vector<QueryRelation> all = {hops(instance),           tables(instance),
                                    topics(instance),         expectations(instance),
                                    dead_letters(instance),   contracts(instance),
                                    contract_rules(instance), service_levels(instance),
                                    alerts_of(instance),      alert_messages(instance)};
  const auto graph = instance.runner().graph();
  for (const pipeline::Table& table : graph->tables)
    all.push_back({table.name, table.schema,
                   [&instance, name = table.name](const Visit& visit) {
                     return instance.runner().scan_table(name, visit);
                   },
                   [&instance, name = table.name] { return why_empty(instance, name, false); }});
  for (const pipeline::ServingSpec& serving : instance.project().serving) {
    const int index = graph->table_index(serving.table);
    if (index < 0) continue;
    for (const std::string& name : served_names(instance.project(), serving, *graph))
      all.push_back(
          {name, graph->tables[static_cast<std::size_t>(index)].schema,
           [&instance, served = serving.name](const Visit& visit) {
             return instance.runner().scan_served(served, visit);
           },
           [&instance, served = serving.name] { return why_empty(instance, served, true); }});
  }
  return all;
}

}  // namespace tailrace::app
