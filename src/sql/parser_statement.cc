// Statements: CREATE of every kind, SET, and the shell's own.
#include "sql/parser.h"

namespace tailrace::sql {

Result<Statement> Parser::statement() {
  Statement made;
  made.source = source_;
  const std::size_t start = begin();
  if (take_word("CREATE")) {
    TRY(create(made));
  } else if (take_word("SET")) {
    TRY(set(made));
  } else {
    for (const auto word : {"USE", "INSERT", "SELECT", "WITH", "DECLARE", "DROP", "ALTER",
                            "REFRESH", "MERGE", "FROM"}) {
      if (is_word(word)) {
        return error(Code::kInvalidArgument, source_->place(start) +
                                                 ": a pipeline's SQL holds CREATE … and SET "
                                                 "statements only; Unsupported plan " +
                                                 word + " parsed from SQL query");
      }
    }
    return expected("CREATE or SET");
  }
  made.span = since(start);
  return made;
}

Result<Statement> Parser::shell_statement() {
  Statement made;
  made.source = source_;
  const std::size_t start = begin();
  if (take_words({"SHOW", "TABLES"})) {
    made.kind = Statement::Kind::kShowTables;
  } else if (take_word("DESCRIBE") || take_word("DESC")) {
    take_word("TABLE");
    made.kind = Statement::Kind::kDescribe;
    ASSIGN(made.name, need_name("a table name"));
  } else if (is_word("SELECT") || is_word("WITH") || is_symbol("(") || is_word("EXPLAIN")) {
    made.kind = take_word("EXPLAIN") ? Statement::Kind::kExplain : Statement::Kind::kSelect;
    ASSIGN(made.query, query());
  } else {
    return expected("SELECT, SHOW TABLES, DESCRIBE or EXPLAIN");
  }
  made.span = since(start);
  take_symbol(";");
  if (peek().kind != Token::Kind::kEnd) return expected("the end of the statement");
  return made;
}

Status Parser::create(Statement& made) {
  const std::size_t or_start = begin();
  if (take_words({"OR", "REFRESH"})) {
    made.or_refresh = true;
    made.plain_spark = false;
    made.not_plain.push_back(since(or_start));
  } else if (take_words({"OR", "REPLACE"})) {
    made.or_replace = true;
  }
  const std::size_t what = begin();
  if (is_words({"STREAMING", "TABLE"}) || is_words({"MATERIALIZED", "VIEW"})) {
    if (made.or_replace)
      return fail_at(or_start,
                     "Syntax error at or near 'OR': OR REPLACE is for views; expected OR REFRESH.");
    return create_dataset(made);
  }
  if (made.or_refresh) return expected("STREAMING TABLE or MATERIALIZED VIEW");
  if (is_words({"GLOBAL", "TEMPORARY"})) return unsupported(what, "CREATE GLOBAL TEMPORARY VIEW");
  if (is_word("TEMPORARY") || is_word("TEMP") || is_word("VIEW")) return create_view(made);
  if (is_word("FLOW")) return create_flow(made);
  for (const auto word : {"FUNCTION", "TABLE", "LIVE", "SINK"}) {
    if (is_word(word)) return unsupported(what, std::string("CREATE ") + word + " in a pipeline");
  }
  return expected("STREAMING TABLE, MATERIALIZED VIEW, TEMPORARY VIEW, VIEW or FLOW");
}

Status Parser::create_dataset(Statement& made) {
  made.kind =
      is_word("STREAMING") ? Statement::Kind::kStreamingTable : Statement::Kind::kMaterializedView;
  at_ += 2;
  if (take_words({"IF", "NOT", "EXISTS"})) made.if_not_exists = true;
  ASSIGN(made.name, need_name("a name"));
  if (is_symbol("(")) TRY(elements(made));
  TRY(create_options(made));
  if (is_words({"FLOW", "AUTO"})) return unsupported(begin(), "AUTO CDC");
  const std::size_t as = begin();
  if (take_word("AS")) {
    ASSIGN(made.query, query());
  } else if (made.kind == Statement::Kind::kMaterializedView) {
    if (peek().kind != Token::Kind::kEnd && !is_symbol(";")) return expected("AS and a query");
    return error(Code::kInvalidArgument, source_->place(as) +
                                             ": Unable to find query for CREATE MATERIALIZED VIEW "
                                             "statement: add AS SELECT …");
  }
  return {};
}

Status Parser::create_options(Statement& made) {
  bool taken = true;
  while (taken) TRY(dataset_option(made, taken));
  return {};
}

Status Parser::dataset_option(Statement& made, bool& taken) {
  const std::size_t start = begin();
  taken = true;
  if (take_word("USING")) {
    ASSIGN(made.format, need_identifier("a format"));
  } else if (take_words({"PARTITIONED", "BY"})) {
    ASSIGN(made.partition_by, identifier_list());
  } else if (take_words({"CLUSTER", "BY"})) {
    ASSIGN(made.cluster_by, identifier_list());
  } else if (take_word("COMMENT")) {
    ASSIGN(made.comment, need_string("a string"));
  } else if (take_word("TBLPROPERTIES")) {
    TRY(properties(made.properties));
  } else if (is_word("LOCATION")) {
    return error(Code::kInvalidArgument, source_->place(start) +
                                             ": Specifying location is not supported for a "
                                             "pipeline's tables; the lake's folder decides");
  } else if (is_word("OPTIONS")) {
    return error(Code::kInvalidArgument, source_->place(start) +
                                             ": Options are not supported for CREATE STREAMING "
                                             "TABLE statements.");
  } else if (is_word("SCHEDULE")) {
    return unsupported(start, "SCHEDULE");
  } else {
    taken = false;
  }
  return {};
}

Status Parser::properties(std::map<std::string, std::string>& made) {
  TRY(need_symbol("("));
  do {
    std::string key;
    if (peek().kind == Token::Kind::kString) {
      ASSIGN(key, need_string("a key"));
    } else {
      ASSIGN(auto name, need_name("a property's key"));
      key = name.text();
    }
    take_symbol("=");
    if (peek().kind == Token::Kind::kString) {
      ASSIGN(made[key], need_string("a value"));
    } else if (is_symbol(",") || is_symbol(")") || peek().kind == Token::Kind::kEnd) {
      return expected("a value of the property " + key);
    } else {
      made[key] = lower(tokens_[at_++].text);
    }
  } while (take_symbol(","));
  return need_symbol(")");
}

Status Parser::elements(Statement& made) {
  const std::size_t start = begin();
  TRY(need_symbol("("));
  do {
    if (is_word("CONSTRAINT") && !is_symbol(",", 1) && is_word("EXPECT", 2)) {
      ASSIGN(auto clause, expectation());
      made.expectations.push_back(std::move(clause));
      made.plain_spark = false;
    } else if (is_word("CONSTRAINT") || is_word("CHECK") || is_words({"PRIMARY", "KEY"}) ||
               is_words({"FOREIGN", "KEY"})) {
      return error(Code::kInvalidArgument,
                   source_->place(begin()) +
                       ": Pipeline datasets do not currently support column constraints. Please "
                       "remove any CHECK, UNIQUE, PK, and FK constraints (CONSTRAINT name EXPECT "
                       "(condition) is taken)");
    } else {
      ASSIGN(auto column, column_definition());
      made.columns.push_back(std::move(column));
    }
  } while (take_symbol(","));
  TRY(need_symbol(")"));
  made.element_list = since(start);
  return {};
}

Result<ExpectationClause> Parser::expectation() {
  ExpectationClause made;
  const std::size_t start = begin();
  TRY(need_word("CONSTRAINT"));
  ASSIGN(made.name, need_identifier("the expectation's name"));
  TRY(need_word("EXPECT"));
  TRY(need_symbol("("));
  const std::size_t condition = begin();
  ASSIGN(made.condition, expression());
  made.condition_span = since(condition);
  made.text = source_->slice(made.condition_span);
  TRY(need_symbol(")"));
  if (take_words({"ON", "VIOLATION"})) {
    if (take_words({"DROP", "ROW"})) {
      made.action = engine::Expectation::Action::kDrop;
    } else if (take_words({"FAIL", "UPDATE"})) {
      made.action = engine::Expectation::Action::kFail;
    } else {
      return expected("DROP ROW or FAIL UPDATE");
    }
  }
  made.span = since(start);
  return made;
}

Result<ColumnDefinition> Parser::column_definition() {
  ColumnDefinition made;
  const std::size_t start = begin();
  ASSIGN(made.name, need_identifier("a column name or CONSTRAINT"));
  const bool typed = !is_symbol(",") && !is_symbol(")") && !is_word("COMMENT");
  if (typed) {
    take_symbol(":");
    ASSIGN(made.type, type());
  }
  while (!is_symbol(",") && !is_symbol(")")) {
    if (take_words({"NOT", "NULL"})) {
      made.not_null = true;
    } else if (take_word("COMMENT")) {
      ASSIGN(made.comment, need_string("a comment"));
    } else if (is_words({"GENERATED", "ALWAYS"})) {
      return unsupported(begin(), "GENERATED ALWAYS AS");
    } else {
      return expected("',' or ')'");
    }
  }
  made.span = since(start);
  return made;
}

Status Parser::create_view(Statement& made) {
  const bool temporary = take_word("TEMPORARY") || take_word("TEMP");
  made.kind = temporary ? Statement::Kind::kTemporaryView : Statement::Kind::kView;
  TRY(need_word("VIEW"));
  if (take_words({"IF", "NOT", "EXISTS"})) made.if_not_exists = true;
  ASSIGN(made.name, need_name("a view's name"));
  if (is_symbol("(")) TRY(elements(made));
  while (true) {
    if (take_word("COMMENT")) {
      ASSIGN(made.comment, need_string("a comment"));
    } else if (take_word("TBLPROPERTIES")) {
      TRY(properties(made.properties));
    } else {
      break;
    }
  }
  TRY(need_word("AS"));
  ASSIGN(made.query, query());
  return {};
}

Status Parser::create_flow(Statement& made) {
  made.kind = Statement::Kind::kFlow;
  TRY(need_word("FLOW"));
  ASSIGN(made.name, need_name("a flow's name"));
  if (take_word("COMMENT")) {
    ASSIGN(made.comment, need_string("a comment"));
  }
  TRY(need_word("AS"));
  if (is_words({"AUTO", "CDC"})) return unsupported(begin(), "AUTO CDC");
  TRY(need_word("INSERT"));
  TRY(need_word("INTO"));
  if (is_word("ONCE")) return unsupported(begin(), "INSERT INTO ONCE");
  take_word("TABLE");
  ASSIGN(made.target, need_name("the table to insert into"));
  const std::size_t by = begin();
  if (!take_words({"BY", "NAME"})) {
    return error(Code::kInvalidArgument,
                 source_->place(by) +
                     ": Only INSERT INTO by name flows supported: write INSERT "
                     "INTO " +
                     made.target.text() + " BY NAME …");
  }
  ASSIGN(made.query, query());
  return {};
}

// SET key = value: everything to the semicolon is the value, as Spark takes it.
Status Parser::set(Statement& made) {
  made.kind = Statement::Kind::kSet;
  const std::size_t start = begin();
  while (!is_symbol("=") && !is_symbol(";") && peek().kind != Token::Kind::kEnd) ++at_;
  made.key = source_->slice(since(start));
  while (made.key.ends_with(" ")) made.key.pop_back();
  if (begin() == start) return expected("a key");
  TRY(need_symbol("="));
  const std::size_t value = begin();
  while (!is_symbol(";") && peek().kind != Token::Kind::kEnd) ++at_;
  made.value = source_->slice({value, std::max(value, end_of_last())});
  return {};
}

}  // namespace tailrace::sql
