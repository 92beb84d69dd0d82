// Contracts of a project: what the standard takes, what becomes of their rules, and every way in
// which a project may not keep one.
#include "pipeline/contracts/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "pipeline/contracts/measures.h"
#include "pipeline/contracts/rules.h"
#include "pipeline/graph.h"
#include "pipeline/spark_project.h"

namespace tailrace::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kHead =
    "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.2.0\nstatus: active\n";

class ContractTest : public testing::Test {
 protected:
  ContractTest() {
    std::string pattern = testing::TempDir() + "contractXXXXXX";
    folder_ = mkdtemp(pattern.data());
    write("spark-pipeline.yml",
          "name: p\nstorage: file:///tmp/p\nlibraries:\n  - glob: {include: transformations/**}\n");
    write("tailrace.yml",
          "topics:\n  events: {format: json, retention: 7d}\n"
          "  sales: {format: avro, schema: sales.avsc}\n"
          "serving: {orders: {key: [id]}}\n");
    write("sales.avsc",
          R"({"type": "record", "name": "Sale", "fields": [{"name": "shop", "type": "string"},
             {"name": "amount", "type": ["null", "double"]}]})");
    write("transformations/orders.sql",
          "CREATE STREAMING TABLE orders AS SELECT CAST(key AS BIGINT) AS id, value AS status,\n"
          "  CAST(get_json_object(value, '$.p') AS DECIMAL(10, 2)) AS price,\n"
          "  named_struct('city', value, 'zip', key) AS place, timestamp AS at\n"
          "FROM STREAM events;\n");
  }
  ~ContractTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  /// A contract of the standard's head and `rest`; six lines are before its own.
  void contract(const std::string& rest) { write("contracts/c.yml", kHead + rest); }
  /// Of the table orders, with these properties.
  void properties(const std::string& list) {
    contract("schema:\n- name: orders\n  properties:\n" + list);
  }
  std::string load_error() {
    const auto project = load_project(folder_);
    return project ? "" : project.error().what;
  }
  /// Why the project does not run, or "".
  std::string graph_error() {
    project_ = *load_project(folder_);
    const auto types = declared_topic_types(project_);
    EXPECT_TRUE(types) << types.error().what;
    auto graph = make_graph(project_, *types);
    if (!graph) return graph.error().what;
    graph_ = std::move(*graph);
    return "";
  }
  std::vector<std::string> findings(Finding::Level level) {
    EXPECT_EQ(graph_error(), "");
    std::vector<std::string> found;
    for (const Finding& finding : contract_findings(project_, graph_))
      if (finding.level == level) found.push_back(finding.what);
    return found;
  }
  /// "name: condition (action)" of the table's expectations.
  std::vector<std::string> expectations() {
    EXPECT_EQ(graph_error(), "");
    std::vector<std::string> found;
    for (const engine::Expectation& one : graph_.flows[0].plan.expectations)
      found.push_back(one.name + ": " + one.text + " " +
                      std::string(one.action == engine::Expectation::Action::kWarn   ? "warn"
                                  : one.action == engine::Expectation::Action::kDrop ? "drop"
                                                                                     : "fail"));
    return found;
  }

  /// What is asked of all rows together.
  std::vector<std::string> measures() {
    EXPECT_EQ(graph_error(), "");
    const auto taken = taken_measures(project_, graph_);
    EXPECT_TRUE(taken) << taken.error().what;
    std::vector<std::string> lines;
    for (const Measure& measure : *taken) lines.push_back(measure_line(measure));
    return lines;
  }

  std::string folder_;
  Project project_;
  Graph graph_;
};

TEST_F(ContractTest, an_unknown_key_names_place_and_nearest) {
  properties("  - name: id\n    requierd: true\n");
  EXPECT_EQ(load_error(),
            "contracts/c.yml:10:5: unknown key `requierd` of a property; did you mean `required`?");
}

TEST_F(ContractTest, all_faults_of_a_file_are_told) {
  write("contracts/c.yml",
        "apiVersion: v2.2.2\nkind: DataContract\nid: [a]\nversion: 1.0\nserver: []\n"
        "schema: [{name: t, logicalType: string}]\nservers: [{server: s, type: kafk}]\n");
  const std::string said = load_error();
  EXPECT_THAT(said, HasSubstr("c.yml:1:13: `apiVersion: v2.2.2` is none of: v3.1.0"));
  EXPECT_THAT(said, HasSubstr("c.yml:3:5: `id` is text"));
  EXPECT_THAT(said, HasSubstr("c.yml:4:10: `version` is text: put it in quotes"));
  EXPECT_THAT(said, HasSubstr("c.yml:5:1: unknown key `server` of a contract; did you mean "
                              "`servers`?"));
  EXPECT_THAT(said, HasSubstr("`logicalType: string` is not in the standard; there are: object"));
  EXPECT_THAT(said, HasSubstr("`type: kafk` is not in the standard; did you mean `kafka`?"));
  EXPECT_THAT(said, HasSubstr("c.yml:1:1: `status` of a contract is missing"));
}

TEST_F(ContractTest, options_of_a_type_are_of_that_type) {
  properties(
      "  - {name: id, logicalType: integer, logicalTypeOptions: {minLength: 3}}\n"
      "  - {name: status, logicalType: string, logicalTypeOptions: {minLength: -1}}\n"
      "  - {name: price, logicalTypeOptions: {minimum: 3}}\n");
  const std::string said = load_error();
  EXPECT_THAT(said, HasSubstr("unknown key `minLength` of logicalTypeOptions of a number"));
  EXPECT_THAT(said, HasSubstr("`minLength` is 0 or more"));
  EXPECT_THAT(said, HasSubstr("`logicalTypeOptions` need a `logicalType`"));
}

TEST_F(ContractTest, a_rule_has_one_operator_and_what_its_type_needs) {
  properties(
      "  - name: id\n    quality:\n    - {metric: nullValues}\n"
      "    - {metric: nullValues, mustBe: 0, mustNotBe: 1}\n    - {type: sql, mustBe: 0}\n"
      "    - {type: custom, engine: soda}\n    - {type: library, mustBe: 0}\n");
  const std::string said = load_error();
  EXPECT_THAT(said, HasSubstr("c.yml:11:7: the rule says not what its value must be"));
  EXPECT_THAT(said, HasSubstr("`mustNotBe` is a second operator"));
  EXPECT_THAT(said, HasSubstr("`query` of a quality rule is missing"));
  EXPECT_THAT(said, HasSubstr("`implementation` of a quality rule is missing"));
  EXPECT_THAT(said, HasSubstr("`metric` of a quality rule is missing"));
}

TEST_F(ContractTest, aliases_that_multiply_are_refused_soon) {
  std::string anchors = "customProperties:\n- property: x\n  value:\n  - &p0 {name: a}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string one = "*p" + std::to_string(i - 1);
    anchors += "  - &p" + std::to_string(i) + " {name: a, properties: [" + one;
    for (int j = 0; j < 9; ++j) anchors += ", " + one;
    anchors += "]}\n";
  }
  contract(anchors + "schema: [{name: orders, properties: [*p11]}]\n");
  EXPECT_THAT(load_error(), HasSubstr("more than 200000 values"));
}

TEST_F(ContractTest, an_alias_of_itself_is_refused) {
  contract("schema:\n- name: o\n  properties: [&p {name: p, properties: [*p]}]\n");
  EXPECT_THAT(load_error(), Not(IsEmpty()));
}

TEST_F(ContractTest, an_id_is_one_contracts) {
  properties("  - name: id\n");
  write("contracts/d.yml", std::string(kHead));
  EXPECT_EQ(load_error(), "contracts/d.yml: contract `orders` is also in contracts/c.yml");
}

TEST_F(ContractTest, columns_are_compared_with_the_sql) {
  properties(
      "  - {name: id, logicalType: string}\n  - {name: statu}\n"
      "  - {name: price, physicalType: 'DECIMAL(12, 2)'}\n"
      "  - {name: place, logicalType: object, properties: [{name: town}]}\n"
      "  - {name: at, logicalType: timestamp, physicalType: TIMESTAMP}\n");
  const std::string said = graph_error();
  EXPECT_THAT(said, HasSubstr("contracts/c.yml:9:5: `id` of table orders is BIGINT, the contract "
                              "says string"));
  EXPECT_THAT(said, HasSubstr("c.yml:10:5: table orders has no column `statu`; did you mean "
                              "`status`?"));
  EXPECT_THAT(said, HasSubstr("`price` of table orders is DECIMAL(10,2), the contract says "
                              "DECIMAL(12, 2)"));
  EXPECT_THAT(said, HasSubstr("`place` of table orders has no column `town`"));
  EXPECT_THAT(said, Not(HasSubstr("`at`")));
}

TEST_F(ContractTest, an_object_that_is_nowhere_names_the_nearest) {
  contract("schema: [{name: order}]\n");
  EXPECT_EQ(graph_error(),
            "contracts/c.yml:6:10: there is no topic or table `order`; did you mean `orders`?");
}

TEST_F(ContractTest, columns_are_compared_with_a_topics_schema) {
  contract(
      "schema:\n- name: Sales\n  physicalName: sales\n  physicalType: topic\n  properties:\n"
      "  - {name: shop, logicalType: integer}\n  - {name: amont}\n");
  const std::string said = graph_error();
  EXPECT_THAT(said, HasSubstr("`shop` of topic sales is STRING, the contract says integer"));
  EXPECT_THAT(said, HasSubstr("topic sales has no column `amont`; did you mean `amount`?"));
}

TEST_F(ContractTest, a_primary_key_is_the_key_of_the_serving) {
  properties("  - {name: status, primaryKey: true}\n");
  EXPECT_THAT(graph_error(), HasSubstr("c.yml:9:5: the primary key of orders is (status), but "
                                       "orders is served by the key (id), "));
  properties("  - {name: id, primaryKey: true}\n");
  EXPECT_EQ(graph_error(), "");
}

TEST_F(ContractTest, retention_is_not_another_than_the_topics) {
  const std::string object = "schema: [{name: events, physicalType: topic}]\n";
  contract(object + "slaProperties: [{property: retention, value: 3, unit: y}]\n");
  EXPECT_THAT(graph_error(),
              HasSubstr("c.yml:7:17: the contract says retention 3 y, topic events keeps its "
                        "records for 7 days; write `retention.ms: 94608000000`"));
  contract(object + "slaProperties: [{property: retention, value: 168, unit: h}]\n");
  EXPECT_EQ(graph_error(), "");
  contract(object + "slaProperties: [{property: retention, value: long}]\n");
  EXPECT_THAT(graph_error(), HasSubstr("retention `long ` is not understood"));
  contract(object +
           "slaProperties: [{property: retention, value: 3, unit: y, element: other.id}]\n");
  EXPECT_EQ(graph_error(), "");
}

TEST_F(ContractTest, what_a_schema_says_of_rows_becomes_expectations) {
  properties(
      "  - {name: id, primaryKey: true, logicalType: integer,\n"
      "     logicalTypeOptions: {minimum: 1, format: i32, multipleOf: 5}}\n"
      "  - {name: status, logicalType: string,\n"
      "     logicalTypeOptions: {maxLength: 9, pattern: \"^a'b\\\\d\"}}\n"
      "  - {name: place, properties: [{name: zip, required: true}]}\n"
      "  - {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: '2020-01-01'}}\n");
  EXPECT_THAT(
      expectations(),
      ElementsAre("id_key: `id` IS NOT NULL drop", "id_minimum: `id` IS NULL OR `id` >= 1 drop",
                  "id_format: `id` IS NULL OR `id` BETWEEN -2147483648 AND 2147483647 drop",
                  "id_multipleOf: `id` IS NULL OR `id` % 5 = 0 drop",
                  "status_maxLength: `status` IS NULL OR length(`status`) <= 9 drop",
                  "status_pattern: `status` IS NULL OR `status` RLIKE '^a\\'b\\\\d' drop",
                  "place_zip_required: `place` IS NULL OR `place`.`zip` IS NOT NULL drop",
                  "at_minimum: `at` IS NULL OR `at` >= TIMESTAMP '2020-01-01' drop"));
}

TEST_F(ContractTest, quality_rules_that_allow_no_row_become_expectations) {
  properties(
      "  - name: status\n    quality:\n"
      "    - {id: there, metric: nullValues, mustBe: 0, severity: error}\n"
      "    - {metric: missingValues, arguments: {missingValues: [null, '', N/A]}, mustBe: 0}\n"
      "    - {id: known, metric: invalidValues, arguments: {validValues: [new, paid]},\n"
      "       mustBeLessThan: 1, severity: critical}\n"
      "    - {id: some, metric: invalidValues, arguments: {pattern: '^x'}, mustBeLessThan: 5,\n"
      "       severity: error}\n"
      "  quality:\n"
      "  - {id: cheap, type: sql, mustBe: 0,\n"
      "     query: 'SELECT COUNT(*) FROM {object} WHERE (price > 5 OR id < 0) AND id <> 7'}\n"
      "  - {id: own, type: sql, query: 'select count(1) from orders where price < 0', mustBe: 0,\n"
      "     severity: info, customProperties: [{property: onViolation, value: drop}]}\n");
  EXPECT_THAT(
      expectations(),
      ElementsAre("there: `status` IS NOT NULL drop",
                  "status_missingValues: `status` IS NOT NULL AND `status` NOT IN ('', 'N/A') warn",
                  "known: `status` IS NULL OR (`status` IN ('new', 'paid')) fail",
                  "cheap: NOT coalesce(( (price > 5 OR id < 0) AND id <> 7), false) warn",
                  "own: NOT coalesce(( price < 0), false) drop"));
  EXPECT_THAT(findings(Finding::Level::kKept), IsEmpty());
  EXPECT_THAT(measures(), ElementsAre("some of orders: rows that break `status` IS NULL OR "
                                      "(`status` RLIKE '^x'), mustBeLessThan: 5"));
}

TEST_F(ContractTest, what_is_of_all_rows_is_measured) {
  properties(
      "  - {name: id, unique: true, primaryKey: true}\n  - name: status\n    quality:\n"
      "    - {metric: duplicateValues, mustBeLessThan: 2, unit: percent}\n"
      "    - {metric: nullValues, mustBeBetween: [9, 1]}\n"
      "    - {metric: missingValues, mustNotBe: 0}\n"
      "  - {name: place, properties: [{name: zip, unique: true}]}\n"
      "  quality:\n  - {metric: rowCount, mustBeGreaterThan: 5}\n"
      "  - {metric: duplicateValues, mustBe: 0, arguments: {properties: [id, status]}}\n"
      "  - {id: sum, type: sql, query: 'SELECT sum(price) FROM {object}', mustBeGreaterThan: 0.5}\n"
      "  - {id: few, type: sql, query: 'SELECT count(*) FROM orders WHERE id < 0', mustBe: 3}\n");
  EXPECT_THAT(expectations(), ElementsAre("id_key: `id` IS NOT NULL drop"));
  EXPECT_THAT(findings(Finding::Level::kKept), IsEmpty());
  const std::string twice = " that occur more than once";
  EXPECT_THAT(
      measures(),
      ElementsAre("id_unique of orders: values of `id`" + twice + ", mustBe: 0",
                  "status_duplicateValues of orders: values of `status`" + twice +
                      ", in percent of rows, mustBeLessThan: 2",
                  "status_nullValues of orders: rows that break `status` IS NOT NULL, "
                  "mustBeBetween: 9 and 1",
                  "status_missingValues of orders: rows that break `status` IS NOT NULL, "
                  "mustNotBe: 0",
                  "place_zip_unique of orders: values of `place.zip`" + twice + ", mustBe: 0",
                  "rowCount of orders: rows, mustBeGreaterThan: 5",
                  "duplicateValues of orders: values of `id`, `status`" + twice + ", mustBe: 0",
                  "sum of orders: SELECT sum(price) FROM `orders`, mustBeGreaterThan: 0.5",
                  "few of orders: SELECT count(*) FROM orders WHERE id < 0, mustBe: 3"));
}

TEST_F(ContractTest, a_primary_key_of_several_columns_is_unique_as_a_whole) {
  write("tailrace.yml", "topics:\n  events: {format: json}\n");
  write("transformations/orders.sql",
        "CREATE STREAMING TABLE orders AS SELECT CAST(key AS BIGINT) AS id, value AS status\n"
        "FROM STREAM events;\n");
  properties(
      "  - {name: id, primaryKey: true, primaryKeyPosition: 2}\n"
      "  - {name: status, primaryKey: true, primaryKeyPosition: 1}\n");
  EXPECT_THAT(measures(), ElementsAre("primary_key_unique of orders: values of `status`, `id` that "
                                      "occur more than once, mustBe: 0"));
}

TEST_F(ContractTest, foreign_keys_are_measured_within_the_contract) {
  write("transformations/shops.sql",
        "CREATE STREAMING TABLE shops AS SELECT CAST(key AS BIGINT) AS number, value AS word\n"
        "FROM STREAM events;\n");
  const std::string shops =
      "- name: shop\n  physicalName: shops\n  properties:\n  - {name: no, physicalName: number}\n"
      "  - {name: word}\n";
  contract(
      "schema:\n- name: orders\n  properties:\n"
      "  - {name: id, relationships: [{to: shop.no}]}\n  - {name: status}\n"
      "  relationships: [{from: [orders.id, orders.status], to: [shop.no, shop.word]}]\n" +
      shops);
  EXPECT_THAT(findings(Finding::Level::kKept), IsEmpty());
  EXPECT_THAT(
      measures(),
      ElementsAre("id_reference of orders: SELECT count(*) FROM `orders` AS c LEFT JOIN (SELECT "
                  "DISTINCT `number` AS k0, 1 AS found FROM `shops`) AS p ON c.`id` = p.k0 WHERE "
                  "c.`id` IS NOT NULL AND p.found IS NULL, mustBe: 0",
                  "reference of orders: SELECT count(*) FROM `orders` AS c LEFT JOIN (SELECT "
                  "DISTINCT `number` AS k0, `word` AS k1, 1 AS found FROM `shops`) AS p ON c.`id` "
                  "= p.k0 AND c.`status` = p.k1 WHERE c.`id` IS NOT NULL AND c.`status` IS NOT "
                  "NULL AND p.found IS NULL, mustBe: 0"));
  contract(
      "schema:\n- name: orders\n  properties:\n  - name: id\n    relationships:\n"
      "    - {to: shop.nr}\n    - {to: stock.no}\n    - {to: /schema/s/properties/no}\n"
      "  relationships: [{from: [orders.id, orders.status], to: [shop.no, shop.word]},\n"
      "                  {from: [orders.id], to: [shop.no, shop.word]}]\n" +
      shops);
  EXPECT_THAT(measures(), IsEmpty());
  EXPECT_THAT(findings(Finding::Level::kKept),
              ElementsAre(HasSubstr("id_reference: there is no property `shop.nr`"),
                          HasSubstr("id_reference_2: the contract has no object `stock`"),
                          HasSubstr("id_reference_3: `/schema/s/properties/no` is looked for by"),
                          HasSubstr("reference: the object has no property `status`"),
                          HasSubstr("reference_2: `from` and `to` are of different length")));
}

TEST_F(ContractTest, what_is_neither_of_a_row_nor_measured_is_kept_and_named) {
  properties(
      "  - name: status\n    quality:\n    - {type: text, description: good}\n"
      "    - {type: custom, engine: soda, implementation: x}\n"
      "    - {metric: rowCount, mustBe: 1}\n    - {metric: nullValues, mustBe: few}\n"
      "  quality:\n  - {metric: nullValues, mustBe: 1}\n"
      "  - {metric: rowCount, mustBe: 1, unit: percent}\n"
      "  - {metric: duplicateValues, mustBe: 0}\n"
      "  - {id: odd, metric: duplicateValues, mustBe: 0, arguments: {properties: [nme]}}\n"
      "  - {id: other, type: sql, query: 'SELECT TOP 1 price FROM {object}', mustBe: 0}\n"
      "  - {id: word, type: sql, query: 'SELECT max(status) FROM {object}', mustBe: 0}\n");
  EXPECT_THAT(measures(), IsEmpty());
  EXPECT_THAT(
      findings(Finding::Level::kKept),
      ElementsAre(HasSubstr("status_text: it is a text for people"),
                  HasSubstr("status_custom: it is for soda"),
                  HasSubstr("status_rowCount: rowCount is of an object"),
                  HasSubstr("status_nullValues: what it compares with is no number"),
                  HasSubstr("nullValues: nullValues is of a property, not of the whole object"),
                  HasSubstr("rowCount: rowCount has no percent"),
                  HasSubstr("duplicateValues of an object needs arguments: {properties: [NAME]}"),
                  HasSubstr("odd: the object has no property `nme`"), HasSubstr("other: "),
                  HasSubstr("word: the first column of its query is no number")));
}

TEST_F(ContractTest, the_nearest_judge_every_counts_and_a_schedule_is_a_cron) {
  const auto every = [](const std::string& time) {
    return "customProperties: [{property: judgeEvery, value: " + time + "}]";
  };
  contract("schema:\n- name: orders\n  " + every("5m") + "\n  quality:\n" +
           "  - {metric: rowCount, mustBe: 1}\n  - {metric: rowCount, mustBe: 1, " + every("10s") +
           "}\n  - {metric: rowCount, mustBe: 1, schedule: 0 20 * * *, scheduler: cron}\n"
           "  - {metric: rowCount, mustBe: 1, schedule: nightly, scheduler: airflow}\n");
  EXPECT_THAT(measures(), ElementsAre("rowCount of orders: rows, mustBe: 1; every 5m",
                                      "rowCount_2 of orders: rows, mustBe: 1; every 10s",
                                      "rowCount_3 of orders: rows, mustBe: 1; at 0 20 * * * UTC",
                                      "rowCount_4 of orders: rows, mustBe: 1; every 5m"));
  contract("schema:\n- name: orders\n  quality:\n  - {metric: rowCount, mustBe: 1, " +
           every("soon") + "}\n");
  EXPECT_THAT(graph_error(), HasSubstr("rule rowCount: judgeEvery `soon` is no time: write 30s"));
  contract(
      "schema:\n- name: orders\n  quality:\n"
      "  - {metric: rowCount, mustBe: 1, schedule: 0 99 * * *, scheduler: cron}\n");
  EXPECT_THAT(graph_error(), HasSubstr("rule rowCount: schedule `0 99 * * *`: "));
}

TEST_F(ContractTest, what_a_topic_is_asked_of_all_its_records_is_named) {
  contract(
      "schema:\n- name: sales\n  properties:\n  - {name: shop, unique: true}\n"
      "  - name: amount\n    quality:\n    - {metric: nullValues, mustBeLessThan: 5}\n"
      "  quality:\n  - {metric: rowCount, mustBeGreaterThan: 1}\n");
  EXPECT_THAT(measures(), IsEmpty());
  EXPECT_THAT(findings(Finding::Level::kKept),
              testing::IsSupersetOf(
                  {HasSubstr("kept, not evaluated: shop_unique: it is of all records together: ask "
                             "it of the table that reads the topic"),
                   HasSubstr("in part: amount_nullValues: such records are counted; the limit "
                             "`mustBeLessThan: 5` of all is judged of tables alone"),
                   HasSubstr("kept, not evaluated: rowCount: it is of all records together")}));
}

TEST_F(ContractTest, the_nearest_on_violation_counts) {
  const std::string warn = "customProperties: [{property: onViolation, value: warn}]";
  contract("schema:\n- name: orders\n  " + warn +
           "\n  properties:\n  - {name: id, required: true}\n  - {name: status, required: true, "
           "customProperties: [{property: onViolation, value: fail}]}\n");
  EXPECT_THAT(expectations(), ElementsAre("id_required: `id` IS NOT NULL warn",
                                          "status_required: `status` IS NOT NULL fail"));
  EXPECT_THAT(findings(Finding::Level::kWarning),
              ElementsAre("contracts/c.yml:10:5: `id` of table orders is required, and may be "
                          "null: nulls are counted, not kept out"));
}

TEST_F(ContractTest, a_condition_that_cannot_be_bound_names_its_rule) {
  properties(
      "  - {name: id}\n  quality:\n  - {id: bad, type: sql, mustBe: 0,\n"
      "     query: 'SELECT COUNT(*) FROM {object} WHERE nothing = 1'}\n");
  EXPECT_THAT(graph_error(), HasSubstr("contracts/c.yml:11:5: rule bad:1:"));
  EXPECT_THAT(graph_error(), HasSubstr("UNRESOLVED_COLUMN"));
}

TEST_F(ContractTest, a_topics_rules_are_of_its_records) {
  contract(
      "schema:\n- name: sales\n  properties:\n  - {name: shop, logicalType: string, "
      "logicalTypeOptions: {minLength: 2}}\n  - {name: amount, required: true}\n");
  EXPECT_EQ(graph_error(), "");
  std::vector<std::string> rules;
  for (const TopicRelation& topic : graph_.topics)
    for (const engine::Expectation& one : topic.expectations)
      rules.push_back(topic.topic + "." + one.name + ": " + one.text);
  EXPECT_THAT(rules, ElementsAre("sales.shop_minLength: `value` IS NULL OR (`value`.`shop` IS NULL "
                                 "OR length(`value`.`shop`) >= 2)",
                                 "sales.amount_required: `value` IS NULL OR (`value`.`amount` IS "
                                 "NOT NULL)"));
}

TEST_F(ContractTest, a_topic_without_a_schema_is_not_compared_and_says_so) {
  contract("schema: [{name: events, properties: [{name: x, required: true}]}]\n");
  EXPECT_THAT(findings(Finding::Level::kWarning),
              ElementsAre(HasSubstr("c.yml:6:10: the columns of topic events are not compared")));
}

TEST_F(ContractTest, the_same_rules_go_to_spark) {
  write("contracts/c.yml",
        std::string(kHead) +
            "schema:\n- name: orders\n  properties:\n  - {name: id, required: true}\n"
            "- name: sales\n  properties:\n  - {name: amount, required: true}\n");
  ASSERT_EQ(graph_error(), "");
  const auto files = spark_project(project_, "/tmp/out", *declared_topic_types(project_));
  ASSERT_TRUE(files) << files.error().what;
  std::string all;
  for (const WrittenFile& file : *files) all += file.text;
  EXPECT_THAT(all, HasSubstr("WHERE (`id` IS NOT NULL) IS TRUE"));
  EXPECT_THAT(all, HasSubstr("orders__quarantine"));
  EXPECT_THAT(all, HasSubstr(".where(\"(`value` IS NULL OR (`value`.`amount` IS NOT NULL)) IS "
                             "TRUE\")"));
  EXPECT_THAT(all, HasSubstr("@dp.table(name=\"sales__quarantine\")"));
}

TEST_F(ContractTest, the_owner_is_the_team_and_its_owners) {
  contract(
      "team:\n  name: shop\n  members:\n  - {username: a, role: Owner, dateOut: '2020-01-01'}\n"
      "  - {username: b, role: Data Owner}\n  - {username: c}\nschema: [{name: orders}]\n"
      "slaProperties: [{property: latency, value: 4, unit: d, element: orders.at}]\n");
  ASSERT_EQ(graph_error(), "");
  EXPECT_EQ(contract_line(project_.contracts[0]),
            "contract orders 1.2.0 (active, owner shop (b)): table orders, 0 rules");
  EXPECT_EQ(level_text(project_.contracts[0].levels[0]), "latency 4 d of orders.at");
}

TEST_F(ContractTest, a_damaged_contract_is_an_error_or_a_contract) {
  const std::string whole =
      std::string(kHead) +
      R"(team: {name: shop, members: [{username: a, role: Owner, dateOut: '2020-01-01'}]}
servers: [{server: s, type: kafka, host: h, roles: [{role: r}]}]
slaProperties: [{property: retention, value: 7, unit: d, element: events}]
customProperties: [{property: onViolation, value: drop}]
schema:
- name: orders
  quality:
  - {type: sql, query: 'SELECT count(*) FROM {object} WHERE {property} > 3', mustBe: 0}
  - {metric: duplicateValues, arguments: {properties: [id]}, mustBeBetween: [0, 5]}
  - {metric: rowCount, mustNotBe: 1.5, schedule: '0 20 * * *', scheduler: cron,
     customProperties: [{property: judgeEvery, value: 5m}]}
  relationships: [{from: [orders.id, orders.status], to: [orders.status, orders.id]}]
  properties:
  - {name: id, primaryKey: true, unique: true, relationships: [{to: orders.status}],
     logicalType: integer, logicalTypeOptions: {minimum: 1}}
  - {name: status, quality: [{metric: missingValues, arguments: {missingValues: [null, 'x']},
     mustBeLessThan: 1, severity: error}]}
  - {name: place, logicalType: object, logicalTypeOptions: {required: [zip]},
     properties: [{name: zip, logicalType: string, logicalTypeOptions: {pattern: '^a'}}]}
- {name: events, physicalType: topic, properties: [{name: l, items: {name: i, required: true}}]}
)";
  const std::vector<std::string> pieces = {"null",  "[]",     "{}",     "~",      "- ",   ": ",
                                           "[",     "}",      "'",      "\n",     "  ",   "&a ",
                                           "*a",    "1.5",    "true",   "!!str ", "name", "type",
                                           "items", "{a: b}", "[null]", "'\\'",   "#"};
  const char* asked = std::getenv("TAILRACE_FUZZ_ROUNDS");
  std::mt19937_64 random(5);
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  int taken = 0;
  for (int round = asked ? std::atoi(asked) : 400; round > 0; --round) {
    std::string text = whole;
    for (std::size_t i = 1 + below(3); i > 0; --i) {
      const std::size_t at = below(text.size());
      const std::size_t end = text.find_first_of(" ,:]}\n", at);
      const std::size_t cut = below(3) == 0 || end == std::string::npos ? below(4) : end - at;
      text.replace(at, cut, below(5) == 0 ? "" : pieces[below(pieces.size())]);
    }
    write("contracts/c.yml", text);
    const auto project = load_project(folder_);
    if (!project) continue;
    ++taken;
    const auto graph = make_graph(*project, *declared_topic_types(*project));
    if (!graph) continue;
    contract_findings(*project, *graph);
    const auto measures = taken_measures(*project, *graph);
    for (std::size_t i = 0; measures && i < measures->size(); ++i)
      EXPECT_FALSE(measure_line((*measures)[i]).empty());
  }
  EXPECT_GT(taken, 0);
}

TEST(counted_rows, takes_one_count_of_one_table_only) {
  EXPECT_EQ(counted_rows("SELECT count(*) FROM t WHERE (a OR b) AND c", "t"), " (a OR b) AND c");
  for (const char* other :
       {"SELECT count(*) FROM t", "SELECT count(a) FROM t WHERE a",
        "SELECT count(*) FROM u WHERE a", "SELECT count(DISTINCT a) FROM t WHERE a",
        "SELECT count(*) FROM t WHERE a GROUP BY b", "SELECT count(*) FROM t JOIN u ON a WHERE a",
        "SELECT count(*) + 1 FROM t WHERE a", "SELECT count(*) FROM t x WHERE x.a",
        "SELECT count(*) FROM t WHERE a LIMIT 3", "nonsense"})
    EXPECT_EQ(counted_rows(other, "t"), "") << other;
}

}  // namespace
}  // namespace tailrace::pipeline
