// Queries: WITH, SELECT, UNION, ORDER BY, LIMIT.
#include "sql/parser.h"

namespace tailrace::sql {

Result<std::vector<Cte>> Parser::ctes() {
  std::vector<Cte> made;
  if (!take_word("WITH")) return made;
  if (is_word("RECURSIVE")) return unsupported(begin(), "WITH RECURSIVE");
  do {
    Cte cte;
    ASSIGN(cte.name, need_identifier("a name"));
    if (is_symbol("(")) {
      ASSIGN(cte.columns, identifier_list());
    }
    take_word("AS");
    TRY(need_symbol("("));
    ASSIGN(cte.query, query());
    TRY(need_symbol(")"));
    made.push_back(std::move(cte));
  } while (take_symbol(","));
  return made;
}

Result<QueryPtr> Parser::query() {
  Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return fail_at(begin(), "The query is nested too deeply.");
  const std::size_t start = begin();
  ASSIGN(auto with, ctes());
  ASSIGN(auto made, query_term());
  int depth = 0;
  while (is_word("UNION") || is_word("EXCEPT") || is_word("INTERSECT") || is_word("MINUS")) {
    if (!take_word("UNION"))
      return unsupported(begin(), lower(peek().text) == "minus" ? "MINUS" : peek().text);
    auto combined = std::make_shared<Query>();
    combined->union_distinct = !take_word("ALL");
    if (combined->union_distinct) take_word("DISTINCT");
    if (is_word("BY")) return unsupported(begin(), "UNION BY NAME");
    ASSIGN(auto right, query_term());
    combined->span = since(start);
    const bool flat = !made->select && !made->limit && made->order.empty() && made->ctes.empty() &&
                      made->union_distinct == combined->union_distinct;
    if (!flat && ++depth > kMaxNesting)
      return fail_at(start, "The query is nested too deeply: too many kinds of UNION in a row.");
    if (flat)
      combined->branches = std::move(made->branches);
    else
      combined->branches.push_back(made);
    combined->branches.push_back(std::move(right));
    made = std::move(combined);
  }
  TRY(order_and_limit(*made));
  if (!made->ctes.empty() && !with.empty())
    return unsupported(start, "WITH inside a parenthesised WITH");
  if (!with.empty()) made->ctes = std::move(with);
  made->span = since(start);
  if (is_symbol("|>")) return unsupported(begin(), "pipe syntax");
  return made;
}

Result<std::shared_ptr<Query>> Parser::query_term() {
  const std::size_t start = begin();
  auto made = std::make_shared<Query>();
  if (take_symbol("(")) {
    ASSIGN(auto inner, query());
    TRY(need_symbol(")"));
    *made = *inner;
  } else {
    if (is_word("FROM") || is_word("TABLE"))
      return unsupported(start, "a query that begins with " + peek().text);
    if (is_word("VALUES")) return unsupported(start, "VALUES");
    ASSIGN(made->select, select());
  }
  made->span = since(start);
  return made;
}

Status Parser::order_and_limit(Query& made) {
  const std::size_t start = begin();
  if (is_words({"SORT", "BY"}) || is_words({"DISTRIBUTE", "BY"}) || is_words({"CLUSTER", "BY"})) {
    return unsupported(start, peek().text + " BY in a query");
  }
  if (take_words({"ORDER", "BY"})) {
    if (!made.order.empty() || made.limit)
      return unsupported(start, "ORDER BY over a query that has its own");
    do {
      ASSIGN(auto item, order_item());
      made.order.push_back(std::move(item));
    } while (take_symbol(","));
  }
  if (take_word("LIMIT")) {
    if (!take_word("ALL")) {
      ASSIGN(const auto limit, need_integer("a number of rows"));
      made.limit = made.limit ? std::min(*made.limit, limit) : limit;
    }
  }
  if (is_word("OFFSET")) return unsupported(begin(), "OFFSET");
  return {};
}

Result<OrderItem> Parser::order_item() {
  OrderItem item;
  ASSIGN(item.expr, expression());
  if (take_word("DESC"))
    item.descending = true;
  else
    take_word("ASC");
  item.nulls_first = !item.descending;
  if (take_words({"NULLS", "FIRST"}))
    item.nulls_first = true;
  else if (take_words({"NULLS", "LAST"}))
    item.nulls_first = false;
  return item;
}

Result<std::shared_ptr<const Select>> Parser::select() {
  auto made = std::make_shared<Select>();
  const std::size_t start = begin();
  TRY(need_word("SELECT"));
  if (take_word("DISTINCT"))
    made->distinct = true;
  else
    take_word("ALL");
  TRY(select_list(*made));
  if (take_word("FROM")) {
    ASSIGN(made->from, relation());
  }
  if (take_word("WHERE")) {
    ASSIGN(made->where, expression());
  }
  if (take_words({"GROUP", "BY"})) {
    if (is_word("ROLLUP") || is_word("CUBE") || is_word("GROUPING"))
      return unsupported(begin(), peek().text);
    made->group_by_all = take_word("ALL");
    if (!made->group_by_all) {
      do {
        ASSIGN(auto group, expression());
        made->group_by.push_back(std::move(group));
      } while (take_symbol(","));
    }
    if (is_word("WITH") && (is_word("ROLLUP", 1) || is_word("CUBE", 1)))
      return unsupported(begin(), "WITH ROLLUP or CUBE");
  }
  if (take_word("HAVING")) {
    ASSIGN(made->having, expression());
  }
  if (is_word("WINDOW")) return unsupported(begin(), "WINDOW clause");
  if (take_word("QUALIFY")) {
    ASSIGN(made->qualify, expression());
  }
  made->span = since(start);
  return made;
}

Status Parser::select_list(Select& made) {
  do {
    SelectItem item;
    ASSIGN(item.expr, expression());
    if (take_word("AS")) {
      if (is_symbol("(")) {
        ASSIGN(item.aliases, identifier_list());
      } else {
        ASSIGN(item.alias, need_identifier("an alias"));
      }
    } else if (peek().kind == Token::Kind::kQuoted ||
               (peek().kind == Token::Kind::kWord && !is_clause_word(peek()))) {
      item.alias = tokens_[at_++].text;
    }
    made.items.push_back(std::move(item));
  } while (take_symbol(","));
  return {};
}

}  // namespace tailrace::sql
