#include "pipeline/spark_statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <vector>

#include "pipeline/names.h"

namespace tailrace::pipeline {
namespace {

using Action = engine::Expectation::Action;
using Kind = sql::Statement::Kind;
using sql::ExpectationClause;
using Clauses = std::vector<ExpectationClause>;
using sql::Span;
using sql::Statement;

struct Edit {
  Span span;
  std::string text;
};

/// `source` from `span.begin` to `span.end` with the edits, which do not overlap, made.
std::string edited(const sql::Source& source, Span span, std::vector<Edit> edits) {
  std::ranges::sort(edits, {}, [](const Edit& edit) { return edit.span.begin; });
  std::string out;
  std::size_t at = span.begin;
  for (const Edit& edit : edits) {
    if (edit.span.begin < at || edit.span.end > span.end) continue;
    out += source.slice({at, edit.span.begin});
    out += edit.text;
    at = edit.span.end;
  }
  return out + std::string(source.slice({at, span.end}));
}

/// What is blanked, with the space after it.
std::vector<Edit> blanks(const Statement& statement) {
  std::vector<Edit> edits;
  for (Span span : statement.not_plain) {
    while (span.end < statement.source->text.size() && statement.source->text[span.end] == ' ')
      ++span.end;
    edits.push_back({span, ""});
  }
  return edits;
}

/// The list of columns without the expectations; nothing when no column is left.
std::string column_list(const Statement& statement) {
  std::string out;
  for (const sql::ColumnDefinition& column : statement.columns)
    out += (out.empty() ? "" : ", ") + std::string(statement.source->slice(column.span));
  return out.empty() ? out : "(" + out + ")";
}

/// With `USING delta` Spark refuses the second run (DELTA_CANNOT_CHANGE_PROVIDER); Delta is the
/// default already.
std::string without_delta(std::string head, const Statement& statement) {
  if (!same_name(statement.format, "delta")) return head;
  static const std::regex kUsing("\\bUSING\\s+`?delta`?\\s*", std::regex::icase);
  return std::regex_replace(head, kUsing, "", std::regex_constants::format_first_only);
}

/// The statement up to its query (all of it without one), as open Spark takes it.
std::string head_text(const Statement& statement) {
  const std::size_t end = statement.query ? statement.query->span.begin : statement.span.end;
  std::vector<Edit> edits = blanks(statement);
  if (!statement.expectations.empty()) {
    Span list = statement.element_list;
    const std::string columns = column_list(statement);
    if (columns.empty())
      while (list.begin > 0 && statement.source->text[list.begin - 1] == ' ') --list.begin;
    edits.push_back({list, columns});
  }
  return without_delta(edited(*statement.source, {statement.span.begin, end}, std::move(edits)),
                       statement);
}

bool ends_in_word(std::string_view text, std::string_view word) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text.size() > word.size() && same_name(text.substr(text.size() - word.size()), word);
}

std::string quoted(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  if (!name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
      std::ranges::all_of(name, plain))
    return std::string(name);
  std::string out = "`";
  for (const char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
  return out + "`";
}

/// A name beside another one: db.t and "__quarantine" give db.t__quarantine.
std::string beside(const sql::Name& name, std::string_view suffix) {
  std::string out;
  for (std::size_t i = 0; i + 1 < name.parts.size(); ++i) out += quoted(name.parts[i]) + ".";
  return out + quoted(name.parts.back() + std::string(suffix));
}

std::string string_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

std::vector<const ExpectationClause*> with_action(const Clauses& clauses, Action action) {
  std::vector<const ExpectationClause*> out;
  for (const ExpectationClause& clause : clauses)
    if (clause.action == action) out.push_back(&clause);
  return out;
}

std::string conjunction(const std::vector<const ExpectationClause*>& clauses) {
  std::string out;
  for (const ExpectationClause* clause : clauses)
    out += fmt::format("{}({}) IS TRUE", out.empty() ? "" : " AND ", clause->text);
  return out;
}

/// The table of the rows that broke a DROP ROW expectation; nothing without such.
std::string quarantine(const Statement& table, std::string_view create,
                       const std::string& relation) {
  const std::string dropped = dropped_rows(table.expectations);
  if (dropped.empty()) return "";
  return fmt::format(";\n\n{}\nSELECT *, {}\nFROM {}\nWHERE {}", create,
                     reason_column(table.expectations), relation, dropped);
}

Result<std::string> checked_dataset(const Statement& table) {
  const bool streaming = table.kind == Kind::kStreamingTable;
  const std::string head = head_text(table);
  const std::string target = beside(table.name, "__quarantine");
  if (!table.query) {
    if (with_action(table.expectations, Action::kDrop).empty()) return head;
    return fmt::format("{};\n\nCREATE STREAMING TABLE {}", head, target);
  }
  if (!ends_in_word(head, "as"))
    return error(Code::kUnimplemented,
                 table.place() + ": not supported yet: expectations on a query in parentheses");
  const std::string view = quoted(table.name.parts.back() + "__checked");
  const std::string relation = (streaming ? "STREAM " : "") + view;
  const std::string create =
      fmt::format("CREATE {} {} AS", streaming ? "STREAMING TABLE" : "MATERIALIZED VIEW", target);
  return fmt::format("CREATE TEMPORARY VIEW {} AS {};\n\n{}SELECT * FROM {}\nWHERE {}{}", view,
                     table.source->slice(table.query->span), head, relation,
                     kept_rows(table.expectations, table.name.text()),
                     quarantine(table, create, relation));
}

Result<std::string> checked_flow(const Statement& flow, const Statement& table) {
  const std::string head = head_text(flow);
  if (!ends_in_word(head, "name"))
    return error(Code::kUnimplemented,
                 flow.place() + ": not supported yet: expectations on a query in parentheses");
  const std::string view = quoted(flow.name.parts.back() + "__checked");
  const std::string relation = "STREAM " + view;
  const std::string create = fmt::format("CREATE FLOW {} AS INSERT INTO {} BY NAME",
                                         quoted(flow.name.parts.back() + "__quarantine"),
                                         beside(flow.target, "__quarantine"));
  return fmt::format("CREATE TEMPORARY VIEW {} AS {};\n\n{}SELECT * FROM {}\nWHERE {}{}", view,
                     flow.source->slice(flow.query->span), head, relation,
                     kept_rows(table.expectations, table.name.text()),
                     quarantine(table, create, relation));
}

bool checks_rows(const Statement& table) {
  return std::ranges::any_of(table.expectations,
                             [](const auto& clause) { return clause.action != Action::kWarn; });
}

}  // namespace

std::string kept_rows(const Clauses& clauses, const std::string& name) {
  const auto drop = with_action(clauses, Action::kDrop);
  const auto fail = with_action(clauses, Action::kFail);
  const std::string holds = drop.empty() ? "true" : conjunction(drop);
  if (fail.empty()) return holds;
  std::string out = "CASE";
  for (const ExpectationClause* clause : fail) {
    const std::string message =
        fmt::format("expectation {} of {} failed: {}", clause->name, name, clause->text);
    out += fmt::format("\n  WHEN ({}) IS NOT TRUE THEN raise_error({})", clause->text,
                       string_literal(message));
  }
  return out + "\n  ELSE " + holds + "\nEND";
}

std::string dropped_rows(const Clauses& clauses) {
  const auto drop = with_action(clauses, Action::kDrop);
  return drop.empty() ? "" : "NOT (" + conjunction(drop) + ")";
}

std::string reason_column(const Clauses& clauses) {
  std::string out = "concat_ws(', '";
  for (const ExpectationClause* clause : with_action(clauses, Action::kDrop))
    out += fmt::format(",\n  CASE WHEN ({}) IS NOT TRUE THEN {} END", clause->text,
                       string_literal(clause->name));
  return out + ") AS reason";
}

Result<std::string> spark_statement(const Statement& statement, const Statement* target) {
  if (target && checks_rows(*target)) return checked_flow(statement, *target);
  if (checks_rows(statement)) return checked_dataset(statement);
  const std::string head = head_text(statement);
  if (!statement.query) return head;
  return head +
         std::string(statement.source->slice({statement.query->span.begin, statement.span.end}));
}

}  // namespace tailrace::pipeline
