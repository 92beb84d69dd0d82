// Relations: tables, STREAM, subqueries, joins, watermarks, lateral views; and the words that end
// an alias's place.
#include <algorithm>
#include <array>

#include "sql/parser.h"

namespace tailrace::sql {

bool is_clause_word(const Token& token) {
  static constexpr std::array<std::string_view, 44> kWords = {
      "FROM",        "WHERE",  "GROUP",   "HAVING",     "ORDER",   "LIMIT", "UNION", "EXCEPT",
      "INTERSECT",   "MINUS",  "QUALIFY", "WINDOW",     "LATERAL", "JOIN",  "INNER", "LEFT",
      "RIGHT",       "FULL",   "CROSS",   "NATURAL",    "ANTI",    "SEMI",  "ON",    "USING",
      "WATERMARK",   "OFFSET", "SORT",    "DISTRIBUTE", "CLUSTER", "AND",   "OR",    "NOT",
      "AS",          "THEN",   "WHEN",    "ELSE",       "END",     "ASC",   "DESC",  "NULLS",
      "TABLESAMPLE", "PIVOT",  "UNPIVOT", "SELECT"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return token.is_word(word); });
}

bool is_reserved_word(const Token& token) {
  static constexpr std::array<std::string_view, 22> kWords = {
      "FROM",      "WHERE",   "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT",
      "INTERSECT", "QUALIFY", "JOIN",  "ON",     "USING", "AND",   "OR",    "NOT",
      "AS",        "THEN",    "WHEN",  "ELSE",   "END",   "SELECT"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return token.is_word(word); });
}

Result<RelationPtr> Parser::relation() {
  Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return fail_at(begin(), "The query is nested too deeply.");
  const std::size_t start = begin();
  ASSIGN(auto left, relation_primary());
  for (int joins = 0;; ++joins) {
    Relation::Join join{};
    const std::size_t at = begin();
    if (is_symbol(",")) return unsupported(at, "a comma between relations (write JOIN … ON)");
    ASSIGN(const bool joined, join_type(join));
    if (!joined) break;
    if (joins > kMaxNesting) return fail_at(at, "Too many joins.");
    auto made = std::make_shared<Relation>();
    made->kind = Relation::Kind::kJoin;
    made->join = join;
    if (is_word("LATERAL")) return unsupported(begin(), "a lateral join");
    ASSIGN(made->right, relation_primary());
    made->left = std::move(left);
    TRY(join_condition(*made));
    while (is_words({"LATERAL", "VIEW"})) {
      ASSIGN(auto view, lateral_view());
      made->lateral_views.push_back(std::move(view));
    }
    made->span = since(start);
    left = std::move(made);
  }
  if (is_word("TABLESAMPLE") || is_word("PIVOT") || is_word("UNPIVOT"))
    return unsupported(begin(), peek().text);
  return left;
}

Result<bool> Parser::join_type(Relation::Join& join) {
  const std::size_t start = begin();
  join = Relation::Join::kInner;
  if (take_word("JOIN") || take_words({"INNER", "JOIN"})) return true;
  if (is_words({"LEFT", "SEMI"}) || is_words({"LEFT", "ANTI"}) || is_word("SEMI") ||
      is_word("ANTI")) {
    return unsupported(start, "SEMI and ANTI JOIN");
  }
  if (take_words({"LEFT", "OUTER", "JOIN"}) || take_words({"LEFT", "JOIN"})) {
    join = Relation::Join::kLeft;
    return true;
  }
  for (const auto word : {"RIGHT", "FULL", "CROSS", "NATURAL"}) {
    if (is_word(word)) return unsupported(start, std::string(word) + " JOIN");
  }
  return false;
}

Status Parser::join_condition(Relation& made) {
  if (take_word("ON")) {
    ASSIGN(made.on, expression());
    return {};
  }
  if (take_word("USING")) {
    ASSIGN(made.using_columns, identifier_list());
    return {};
  }
  if (is_word("JOIN") || is_word("WHERE") || is_symbol(")") || is_symbol(";") ||
      peek().kind == Token::Kind::kEnd) {
    return unsupported(begin(), "a join without ON (a cross join)");
  }
  return expected("ON or USING");
}

Result<std::shared_ptr<Relation>> Parser::relation_primary() {
  auto made = std::make_shared<Relation>();
  const std::size_t start = begin();
  if (is_symbol("(")) {
    ++at_;
    if (is_word("SELECT") || is_word("WITH") || is_symbol("(") || is_word("VALUES") ||
        is_word("FROM")) {
      made->kind = Relation::Kind::kSubquery;
      ASSIGN(made->query, query());
    } else {
      ASSIGN(auto inner, relation());
      *made = *inner;
    }
    TRY(need_symbol(")"));
  } else if (is_word("VALUES")) {
    return unsupported(start, "VALUES");
  } else {
    const bool stream =
        is_word("STREAM") && (is_symbol("(", 1) || peek(1).kind == Token::Kind::kQuoted ||
                              (peek(1).kind == Token::Kind::kWord && !is_clause_word(peek(1))));
    if (stream) ++at_;
    made->streaming = stream;
    const bool closed = stream && take_symbol("(");
    ASSIGN(made->name, need_name("a table"));
    if (closed) TRY(need_symbol(")"));
    if (is_symbol("(")) return unsupported(start, "the table function " + made->name.text());
    if (is_words({"TIMESTAMP", "AS"}) || is_words({"VERSION", "AS"}))
      return unsupported(begin(), "time travel");
    if (is_word("WITH") && is_symbol("(", 1))
      return unsupported(begin(), "options of a stream (WITH (…))");
    if (is_words({"IDENTIFIED", "BY"})) return unsupported(begin(), "IDENTIFIED BY");
  }
  TRY(relation_suffix(*made));
  made->span = since(start);
  return made;
}

Status Parser::relation_suffix(Relation& made) {
  if (is_word("WATERMARK")) {
    ASSIGN(made.watermark, watermark());
  }
  const bool as = take_word("AS");
  if (as || peek().kind == Token::Kind::kQuoted ||
      (peek().kind == Token::Kind::kWord && !is_clause_word(peek()))) {
    ASSIGN(made.alias, need_identifier("an alias"));
    if (is_symbol("(")) {
      ASSIGN(made.column_aliases, identifier_list());
    }
    if (is_word("WATERMARK")) {
      return fail_at(
          begin(),
          "Syntax error at or near 'WATERMARK': the alias comes after the WATERMARK clause.");
    }
  }
  while (is_words({"LATERAL", "VIEW"})) {
    ASSIGN(auto view, lateral_view());
    made.lateral_views.push_back(std::move(view));
  }
  return {};
}

Result<WatermarkClause> Parser::watermark() {
  WatermarkClause made;
  const std::size_t start = begin();
  TRY(need_word("WATERMARK"));
  ASSIGN(made.expr, expression());
  if (take_word("AS")) {
    ASSIGN(made.alias, need_identifier("an alias"));
  }
  TRY(need_word("DELAY"));
  TRY(need_word("OF"));
  Span span;
  ASSIGN(made.delay_us, interval_us(span));
  if (made.delay_us < 0)
    return fail_at(span.begin, "The delay of a watermark must not be negative.");
  made.span = since(start);
  return made;
}

Result<LateralView> Parser::lateral_view() {
  LateralView made;
  const std::size_t start = begin();
  at_ += 2;
  made.outer = take_word("OUTER");
  ASSIGN(made.call, name_or_call());
  if (!is_word("AS")) {
    ASSIGN(made.table, need_identifier("a table alias"));
  }
  if (take_word("AS") || peek().kind == Token::Kind::kQuoted ||
      (peek().kind == Token::Kind::kWord && !is_clause_word(peek()))) {
    do {
      ASSIGN(auto column, need_identifier("a column alias"));
      made.columns.push_back(std::move(column));
    } while (take_symbol(","));
  }
  made.span = since(start);
  return made;
}

}  // namespace tailrace::sql
