// What Cassandra 5.0.9 answered to terms and select clauses (testdata/answers.tsv; README.md says
// how it was asked). TAILRACE_CQL_TERMS names another file of the same form.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>

#include "base/check.h"
#include "base/hex.h"
#include "cql_syntax/statement.h"
#include "cql_terms/selection.h"
#include "cql_types/text.h"
#include "cql_types/type_parser.h"

namespace tailrace::cql_terms {
namespace {

using cql_schema::ColumnKind;
using cql_types::Kind;
using cql_types::Part;
using cql_types::Type;

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == by)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::vector<std::string> fields_of(const std::string& line) {
  auto fields = split(line, '\t');
  for (auto& field : fields) {
    std::string plain;
    for (std::size_t i = 0; i < field.size(); ++i) {
      const bool escape = field[i] == '\\' && i + 1 < field.size();
      if (escape) ++i;
      plain += !escape ? field[i] : field[i] == 't' ? '\t' : field[i] == 'n' ? '\n' : field[i];
    }
    field = plain;
  }
  return fields;
}

// The sign of NaN is the processor's.
std::string without_sign(const std::string& hex) {
  if (hex == "0xfff8000000000000") return "0x7ff8000000000000";
  return hex == "0xffc00000" ? "0x7fc00000" : hex;
}

std::string digits(Part value) {
  return value ? without_sign("0x" + encode_hex(*value)) : "null";
}

std::string without_signs(const std::string& answer) {
  std::string out;
  for (const auto& line : split(answer, '\n'))
    for (bool first = true; const auto& value : split(line, '|')) {
      out += first ? (out.empty() ? "" : "\n") : "|";
      out += without_sign(value);
      first = false;
    }
  return out;
}

// Types as the protocol tells them: nothing is frozen.
std::string wire_text(const Type& type) {
  std::vector<std::string> parts;
  for (const auto& part : type.parameters) parts.push_back(wire_text(*part));
  const auto inner = fmt::format("{}", fmt::join(parts, ", "));
  switch (type.kind) {
    case Kind::kList:
      return "list<" + inner + ">";
    case Kind::kSet:
      return "set<" + inner + ">";
    case Kind::kMap:
      return "map<" + inner + ">";
    case Kind::kTuple:
      return "tuple<" + inner + ">";
    case Kind::kVector:
      return fmt::format("vector<{}, {}>", inner, type.dimension);
    case Kind::kUserType:
      return type.name;
    default:
      return to_cql(type);
  }
}

// Signatures come in no order: how many, the first and the last when they are sorted.
std::string without_order(const std::string& sentence) {
  const std::string_view colon = "signatures: ";
  const auto at = sentence.find(colon);
  const auto end = sentence.rfind(')');
  if (at == std::string::npos) return sentence;
  const auto begin = at + colon.size();
  std::string listed = ", " + sentence.substr(begin, end - begin);
  std::vector<std::string> all;
  const std::string_view between = ", system.";
  for (std::size_t from = 0; from != std::string::npos;) {
    const auto next = listed.find(between, from + between.size());
    all.push_back(listed.substr(from + between.size(), next == std::string::npos
                                                           ? std::string::npos
                                                           : next - from - between.size()));
    from = next;
  }
  std::sort(all.begin(), all.end());
  return fmt::format("{}{}: {} … {}{}", sentence.substr(0, begin), all.size(), all.front(),
                     all.back(), sentence.substr(end));
}

std::string refusal(const cql_types::Failure& failure) {
  return fmt::format("!{:#06x} {}", static_cast<int>(failure.code), without_order(failure.message));
}

std::string columns_text(const std::vector<ColumnSpec>& columns) {
  std::vector<std::string> out;
  for (const auto& one : columns) out.push_back(one.name + " " + wire_text(*one.type));
  return fmt::format("{}", fmt::join(out, "|"));
}

class Answers {
 public:
  explicit Answers(const std::string& file) : in_(file) {
    CHECK(in_.is_open());
    keyspace_ = std::make_shared<cql_schema::Keyspace>();
    keyspace_->name = "terms";
  }

  // Reads all lines; what differs goes to `differences`.
  void replay() {
    for (std::string line; std::getline(in_, line);) {
      const auto fields = fields_of(line);
      if (fields[0] == "type" || fields[0] == "column" || fields[0] == "row")
        define(fields);
      else
        compare(fields);
    }
  }

  std::vector<std::string> differences;
  std::map<std::string, int> asked;

 private:
  struct Row {
    std::vector<Part> values;
    std::vector<std::vector<CellTime>> times;
  };

  void define(const std::vector<std::string>& fields) {
    if (fields[0] == "type") {
      std::vector<std::string> names;
      std::vector<TypePtr> types;
      for (const auto& field : {"street text", "zip int", "tags frozen<list<text>>"}) {
        const std::string_view text = field;
        names.emplace_back(text.substr(0, text.find(' ')));
        types.push_back(cql_types::parse_type(text.substr(text.find(' ') + 1)).value());
      }
      EXPECT_EQ(fields[2], "street text, zip int, tags frozen<list<text>>");
      keyspace_->types[fields[1]] =
          cql_types::user_type("terms", fields[1], std::move(names), std::move(types), false);
    } else if (fields[0] == "column") {
      add_column(fields);
    } else {
      Row row;
      for (const auto& value : split(fields[2], ';'))
        row.values.push_back(value == "null" ? std::nullopt
                                             : Part(bytes_.emplace_back(bytes(value))));
      for (const auto& cells : split(fields[3], ';')) {
        row.times.emplace_back();
        if (cells.empty()) continue;
        for (const auto& cell : split(cells, ',')) row.times.back().push_back({std::stoll(cell)});
      }
      rows_.push_back(std::move(row));
    }
  }

  void add_column(const std::vector<std::string>& fields) {
    auto& table = tables_[fields[1]];
    if (!table) {
      table = std::make_shared<cql_schema::Table>();
      table->keyspace = "terms";
      table->name = fields[1];
      keyspace_->tables[fields[1]] = table;
    }
    cql_schema::Column column;
    column.name = fields[2];
    column.type = cql_types::parse_type(fields[3], "terms", [&](auto, auto name) {
                    return keyspace_->types.at(std::string(name));
                  }).value();
    if (fields[4] == "partition_key") {
      column.kind = ColumnKind::kPartitionKey;
      ++table->partition_columns;
    } else if (fields[4] == "clustering") {
      column.kind = ColumnKind::kClustering;
      column.descending = fields[5] == "desc";
      ++table->clustering_columns;
    } else if (fields[4] == "static") {
      column.kind = ColumnKind::kStatic;
    }
    table->columns.push_back(std::move(column));
  }

  static std::string bytes(std::string_view hex) {
    return cql_types::from_text(*cql_types::native_type(Kind::kBlob), hex.substr(2), 0).value();
  }

  Scope scope() {
    auto schema = std::make_shared<cql_schema::Schema>();
    schema->keyspaces["terms"] = keyspace_;
    markers_.clear();
    return {schema, "terms", &markers_, &names_};
  }

  void compare(const std::vector<std::string>& fields) {
    ++asked[fields[0]];
    const auto wanted = without_signs(fields.back());
    std::string told;
    if (fields[0] == "term")
      told = term(fields[1], fields[2]);
    else if (fields[0] == "select")
      told = selected(fields[1]);
    else
      told = prepared(fields[1]);
    if (told != wanted)
      differences.push_back(fmt::format("{} {}\n  Cassandra: {}\n  ours:      {}",
                                        fields.size() > 3 ? fields[1] : "",
                                        fields[fields.size() - 2], wanted, told));
  }

  std::string term(const std::string& column, const std::string& expression) {
    const auto statement = cql_syntax::parse(
        fmt::format("INSERT INTO terms.v (k, {}) VALUES (0, {})", column, expression));
    if (!statement) return "!0x2000 " + statement.error().what;
    names_ = statement->markers;
    const auto& insert = std::get<cql_syntax::Insert>(statement->body);
    const auto term = prepare(insert.values[1], spec("v", column), scope());
    if (!term) return refusal(term.error());
    const auto value = (*term)->bind(bindings_);
    if (!value) return refusal(value.error());
    // A collection of no cells is none.
    const Type& type = *spec("v", column).type;
    const bool none = cql_types::is_collection(type.kind) && type.is_multi_cell() &&
                      value->bytes == std::string_view("\0\0\0\0", 4);
    return value->is_null() || none ? "null" : digits(stored(type, value->bytes));
  }

  // As a table gives it back: a user type of cells has all its fields.
  std::string_view stored(const Type& type, std::string_view bytes) {
    if (type.kind != Kind::kUserType || !type.is_multi_cell()) return bytes;
    auto& out = bytes_.emplace_back();
    bool any = false;
    cql_types::TupleReader reader(bytes);
    for (std::size_t i = 0; i < type.parameters.size(); ++i) {
      Part part;
      if (!reader.next(part)) part.reset();
      any |= part.has_value();
      cql_types::append_part(out, part);
    }
    return any ? std::string_view(out) : bytes;
  }

  std::string prepared(const std::string& text) {
    const auto statement = cql_syntax::parse(text);
    if (!statement) return "!0x2000 " + statement.error().what;
    names_ = statement->markers;
    const auto made = scope();
    if (const auto* select = std::get_if<cql_syntax::Select>(&statement->body)) {
      const auto selection = cql_terms::select(*select, *tables_.at("t"), made);
      if (!selection) return refusal(selection.error());
      return columns_text(markers_);
    }
    const auto& insert = std::get<cql_syntax::Insert>(statement->body);
    for (std::size_t i = 0; i < insert.values.size(); ++i) {
      const auto term = prepare(insert.values[i], spec("v", insert.columns[i]), made);
      if (!term) return refusal(term.error());
    }
    return columns_text(markers_);
  }

  std::string selected(const std::string& text) {
    const auto statement = cql_syntax::parse(text);
    if (!statement) return "!0x2000 " + statement.error().what;
    const auto& select = std::get<cql_syntax::Select>(statement->body);
    const auto& table = *tables_.at("t");
    names_ = statement->markers;
    const auto selection = cql_terms::select(select, table, scope());
    if (!selection) return refusal(selection.error());
    if (select.distinct)
      if (const auto checked = check_distinct(**selection, table, true); !checked)
        return refusal(checked.error());
    std::vector<std::string> rows;
    if (const auto done = evaluate(select, **selection, rows); !done) return refusal(done.error());
    std::string told = columns_text(*(*selection)->columns());
    for (const auto& row : rows) told += "\n" + row;
    return told;
  }

  Outcome<void> evaluate(const cql_syntax::Select& select, const Selection& selection,
                         std::vector<std::string>& out) {
    const bool grouped = !select.group_by.empty();
    const bool aggregates = selection.has_aggregates();
    const auto evaluation = selection.evaluate(bindings_);
    TRY(evaluation->begin());
    std::string bytes;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const bool first = i == 0 || !same_partition(rows_[i - 1], rows_[i]);
      if (aggregates && grouped && first && i > 0) TRY(evaluation->end_group(bytes));
      const bool only_first = select.distinct || (grouped && !aggregates);
      if (!only_first || first) {
        const auto input = row_of(selection, rows_[i]);
        TRY(evaluation->row(input, bytes));
      }
      take_rows(selection, bytes, out);
    }
    if (aggregates) TRY(evaluation->end_group(bytes));
    take_rows(selection, bytes, out);
    return {};
  }

  static bool same_partition(const Row& a, const Row& b) {
    return a.values[0] == b.values[0] && a.values[1] == b.values[1];
  }

  static std::vector<InputValue> row_of(const Selection& selection, const Row& row) {
    std::vector<InputValue> input;
    for (const auto& fetched : selection.fetched()) {
      const auto at = static_cast<std::size_t>(fetched.column);
      input.push_back({row.values[at], fetched.cells ? std::span<const CellTime>(row.times[at])
                                                     : std::span<const CellTime>()});
    }
    return input;
  }

  static void take_rows(const Selection& selection, std::string& bytes,
                        std::vector<std::string>& out) {
    cql_types::TupleReader reader(bytes);
    while (!reader.rest().empty()) {
      std::vector<std::string> values;
      for (std::size_t i = 0; i < selection.columns()->size(); ++i) {
        Part part;
        CHECK(reader.next(part));
        values.push_back(digits(part));
      }
      out.push_back(fmt::format("{}", fmt::join(values, "|")));
    }
    bytes.clear();
  }

  ColumnSpec spec(const std::string& table, const std::string& name) {
    for (const auto& column : tables_.at(table)->columns)
      if (column.name == name) return {"terms", table, name, column.type};
    return {};
  }

  std::ifstream in_;
  std::shared_ptr<cql_schema::Keyspace> keyspace_;
  std::map<std::string, std::shared_ptr<cql_schema::Table>> tables_;
  std::vector<Row> rows_;
  std::list<std::string> bytes_;
  std::vector<ColumnSpec> markers_;
  std::vector<std::string> names_;
  cql_types::TimeuuidSource timeuuids_{7};
  Bindings bindings_{{}, 1'600'000'000'000'000, &timeuuids_, [] { return std::uint64_t{5}; }};
};

TEST(cassandra, answers_are_ours_to_the_letter) {
  const char* file = std::getenv("TAILRACE_CQL_TERMS");
  Answers answers(file ? file : "src/cql_terms/testdata/answers.tsv");
  answers.replay();
  EXPECT_GT(answers.asked["term"], 100);
  EXPECT_GT(answers.asked["select"], 100);
  const char* permitted = std::getenv("TAILRACE_CQL_TERMS_MAY_DIFFER");
  const auto all = answers.asked["term"] + answers.asked["select"];
  const auto most = permitted ? all * std::atoi(permitted) / 1'000 : 0;
  if (std::cmp_less_equal(answers.differences.size(), most)) return;
  for (const auto& difference : answers.differences) ADD_FAILURE() << difference;
}

}  // namespace
}  // namespace tailrace::cql_terms
