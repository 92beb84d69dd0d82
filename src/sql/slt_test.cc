// The text tests of tests/sql (its README says the form) on the engine: parse, bind, run a Circuit,
// compare with what real Spark answered. Also the engine's catalogue: every function's example.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "columns/types.h"
#include "engine/circuit.h"
#include "sql/bind/make.h"
#include "sql/parser.h"
#include "sql/testing/tables.h"

namespace tailrace::sql {
namespace {

struct Block {
  std::string head;
  std::string body;
  std::vector<std::string> expected;
  int line = 0;
};

std::vector<Block> blocks_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<Block> blocks;
  Block block;
  bool answer = false;
  int number = 0;
  const auto finish = [&] {
    if (!block.head.empty()) blocks.push_back(block);
    block = {};
    answer = false;
  };
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty())
      finish();
    else if (line.starts_with("#"))
      continue;
    else if (block.head.empty())
      block.head = line, block.line = number;
    else if (line == "----" && !answer)
      answer = true;
    else if (answer)
      block.expected.push_back(line);
    else
      block.body += (block.body.empty() ? "" : "\n") + line;
  }
  finish();
  return blocks;
}

// Names as they are, types as Spark's simpleString; compared without case and blanks.
std::string plain(std::string text) {
  std::erase(text, ' ');
  return lower(text);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

Result<std::vector<std::string>> answer(const testing::Tables& tables, const std::string& query) {
  ASSIGN(const auto statement, parse_query(query));
  ASSIGN(const auto plan, bind_query(statement, tables));
  ASSIGN(const auto rows, testing::run(plan.flow, tables));
  ASSIGN(auto lines, testing::as_text(*rows, plan.visible_columns));
  std::string header;
  for (int i = 0; i < plan.visible_columns; ++i) {
    const auto& field = *rows->schema()->field(i);
    header += (i > 0 ? " | " : "") + field.name() + " " + spark_name(*field.type());
  }
  std::sort(lines.begin(), lines.end());
  lines.insert(lines.begin(), header);
  return lines;
}

void check_query(const testing::Tables& tables, const Block& block) {
  const auto found = answer(tables, block.body);
  ASSERT_TRUE(found.has_value()) << found.error().what;
  ASSERT_FALSE(block.expected.empty());
  EXPECT_EQ(plain((*found)[0]), plain(block.expected[0]));
  const std::vector<std::string> got(found->begin() + 1, found->end());
  const std::vector<std::string> want(block.expected.begin() + 1, block.expected.end());
  EXPECT_EQ(joined(got), joined(want));
}

void check_error(const testing::Tables& tables, const Block& block) {
  std::istringstream head(block.head);
  std::string word, wanted, place;
  head >> word >> wanted >> place;
  const auto found = answer(tables, block.body);
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().what.find("[" + wanted), std::string::npos) << found.error().what;
  EXPECT_NE(found.error().what.find("query:" + place + ":"), std::string::npos)
      << found.error().what;
}

void check_explain(const testing::Tables& tables, const Block& block) {
  const auto statement = parse_query(block.body);
  ASSERT_TRUE(statement.has_value()) << statement.error().what;
  const auto plan = bind_query(*statement, tables);
  ASSERT_TRUE(plan.has_value()) << plan.error().what;
  EXPECT_EQ(explain(plan->flow), joined(block.expected));
}

TEST(slt, every_file_answers_as_spark_does) {
  for (const auto& entry : std::filesystem::directory_iterator("tests/sql")) {
    if (entry.path().extension() != ".slt") continue;
    testing::Tables tables;
    for (const auto& block : blocks_of(entry.path())) {
      SCOPED_TRACE(entry.path().string() + ":" + std::to_string(block.line) + "\n" + block.body);
      if (block.head.starts_with("table ")) {
        const auto added = tables.add(block.head.substr(6), block.body, block.expected);
        ASSERT_TRUE(added.has_value()) << added.error().what;
      } else if (block.head == "query") {
        check_query(tables, block);
      } else if (block.head.starts_with("error ")) {
        check_error(tables, block);
      } else if (block.head == "explain") {
        check_explain(tables, block);
      } else {
        ADD_FAILURE() << "unknown block " << block.head;
      }
    }
  }
}

TEST(catalogue, every_example_gives_its_result) {
  const auto none = arrow::schema({arrow::field("one", arrow::int32())});
  for (const auto& info : engine::function_catalogue()) {
    if (info.example.empty()) continue;
    SCOPED_TRACE(info.example);
    const auto bound = bind_expression("CAST((" + info.example + ") AS STRING)", none, "example");
    if (!bound) {
      ADD_FAILURE() << bound.error().what;
      continue;
    }
    const auto row = arrow::RecordBatch::Make(
        none, 1, {arrow::MakeArrayFromScalar(arrow::Int32Scalar(0), 1).ValueOrDie()});
    engine::EvalContext context;
    context.now_us = 1'700'000'000'000'000;
    const auto value = engine::evaluate(**bound, *row, context);
    if (!value) {
      ADD_FAILURE() << value.error().what;
      continue;
    }
    const auto& texts = static_cast<const arrow::StringArray&>(**value);
    EXPECT_EQ(texts.IsNull(0) ? "NULL" : texts.GetString(0), info.result);
  }
}

}  // namespace
}  // namespace tailrace::sql
