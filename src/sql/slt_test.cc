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

std::string escaped(const std::string& text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += std::string("\\x") + kHex.at(byte >> 4) + kHex.at(byte & 15);
    } else {
      out += c;
    }
  }
  return out;
}

// What a lone expression is: "int 3", "ERROR CLASS".
std::string value_of(const std::string& text) {
  const auto fault = [](const std::string& what) {
    const auto begin = what.find('[');
    const auto end = what.find(']', begin);
    if (begin == std::string::npos || end == std::string::npos) return "FAULT " + what;
    return "ERROR " + what.substr(begin + 1, end - begin - 1);
  };
  const auto none = arrow::schema({arrow::field("one", arrow::int32())});
  const auto bound = bind_expression(text, none, "values");
  if (!bound) return fault(bound.error().what);
  const auto row = arrow::RecordBatch::Make(
      none, 1, {arrow::MakeArrayFromScalar(arrow::Int32Scalar(0), 1).ValueOrDie()});
  engine::EvalContext context;
  context.now_us = 1'700'000'000'000'000;
  const auto shown = engine::evaluate(*as_type(*bound, arrow::utf8()), *row, context);
  if (!shown) return fault(shown.error().what);
  if (!context.errors.empty()) return fault(context.errors[0].what);
  const auto& texts = static_cast<const arrow::StringArray&>(**shown);
  return spark_name(*(*bound)->type) + " " +
         (texts.IsNull(0) ? "NULL" : escaped(texts.GetString(0)));
}

// An error is right when its class begins as Spark's, where that has one; a type without regard to
// case and blanks.
bool same_answer(const std::string& found, const std::string& wanted) {
  if (wanted == "ERROR") return found.starts_with("ERROR ") || found.starts_with("FAULT ");
  if (wanted.starts_with("ERROR ")) {
    const auto kind = [](const std::string& text) {
      return text.substr(0, std::min(text.find('.'), text.size()));
    };
    return found.starts_with("ERROR ") && kind(found) == kind(wanted);
  }
  const auto blank = [](const std::string& text) {
    if (plain(text).starts_with("interval")) {
      const auto value = text.rfind(" INTERVAL '");
      return value == std::string::npos ? text.rfind(' ') : value;
    }
    // The type ends at the first blank outside of <> and ().
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      depth += text[i] == '<' || text[i] == '(' ? 1 : text[i] == '>' || text[i] == ')' ? -1 : 0;
      if (text[i] == ' ' && depth == 0) return i;
    }
    return text.size();
  };
  const auto f = blank(found);
  const auto w = blank(wanted);
  return plain(found.substr(0, f)) == plain(wanted.substr(0, w)) &&
         found.substr(f) == wanted.substr(w);
}

void check_values(const Block& block) {
  std::istringstream lines(block.body);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.rfind(" => ");
    ASSERT_NE(at, std::string::npos) << line;
    const std::string found = value_of(line.substr(0, at));
    const std::string wanted = line.substr(at + 4);
    if (!same_answer(found, wanted))
      ADD_FAILURE() << line.substr(0, at) << "\n  Spark " << wanted << "\n  found " << found;
  }
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
      } else if (block.head == "values") {
        check_values(block);
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
