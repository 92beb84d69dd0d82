// The recursive descent of statement.h: one method a rule of the grammar, on tokens that are all
// cut already.
//
// The first failure is kept and from then on every token is kAbsent, so that all rules end by
// themselves; a rule's value after a failure means nothing.
//
// A sentence shows what Cassandra's parser has read, so each choice here reads as far as its does.
// Most of its choices read the words they ask for: la(k). Some go by a table (ANTLR's DFA), which
// steps over every word it reads, and the stream then has one word more: stepped_over(k). A rule
// that is tried first (attempt) has read what it has read, however it ends.
#pragma once

#include <functional>
#include <initializer_list>

#include "cql_syntax/lexer.h"
#include "cql_syntax/statement.h"

namespace tailrace::cql_syntax {

class Parser {
 public:
  Parser(std::string_view text, const Limits& limits);
  Result<Statement> parse();

 private:
  // State to come back to when an alternative turns out wrong.
  struct Mark {
    std::size_t at;
    std::size_t markers;
  };

  // Tokens (parser.cc).
  Kind la(std::size_t k = 1);
  const Token& token(std::size_t k = 1) const;
  bool is(Kind kind) { return la() == kind; }
  void stepped_over(std::size_t words) { la(words + 1); }
  bool accept(Kind kind);
  bool match(Kind kind);
  bool match(std::initializer_list<Kind> kinds);
  std::string match_text(Kind kind);
  bool failed() const { return failed_; }
  void no_alternative(std::size_t k = 1);
  void mismatched_set();
  void mismatched(std::string_view expected);
  void semantic(std::string sentence);
  void refuse(Code code, std::string sentence);
  std::string with_snippet(std::size_t k, std::string sentence) const;
  std::string shown(const Token& token) const;
  bool enter();
  void leave() { --depth_; }
  bool attempt(const std::function<void()>& rule);
  void back_to(const Mark& mark);
  bool lexer_was_first() const;

  // Names (parse_names.cc).
  bool is_name(Kind kind) const;
  bool is_column(Kind kind) const { return is_name(kind) || kind == Kind::kEmptyQuotedName; }
  bool is_function_name(Kind kind) const;
  bool may_be_called(Kind kind) const { return is_function_name(kind) || kind == Kind::kCast; }
  std::string name_text();
  std::string name(bool or_empty = false);
  std::string name_or_marker(std::string_view of);
  std::string keyspace_name() { return name_or_marker("keyspace"); }
  std::string role_name();
  std::string user_name(bool identity);
  QualifiedName qualified(std::string_view of);
  QualifiedName table_name() { return qualified("table"); }
  QualifiedName function_name();
  std::string simple_function_name();
  QualifiedName type_name();
  std::string non_type_name();
  bool if_exists();
  bool if_not_exists();
  template <typename Item>
  void list(Item&& item);

  // Types and terms (parse_terms.cc).
  Type type();
  Type native_type();
  void check_frozen(const Type& made);
  Type type_in(Type::Kind kind, std::size_t least, std::size_t most);
  std::vector<Type> type_list();
  bool is_native(Kind kind) const { return keyword_class(kind) == KeywordClass::kNative; }
  bool is_constant(Kind kind) const;
  bool begins_type(Kind kind) const;
  bool begins_term(Kind kind) const { return is_name(kind) || begins_unnamed_term(kind); }
  bool begins_unnamed_term(Kind kind) const;
  Expression constant();
  Expression marker();
  Expression int_value();
  Expression term();
  Expression term_product();
  Expression term_group();
  enum class Simple { kNone, kValue, kCall, kTypeHint, kCast };
  Simple chosen(Simple what, std::size_t words);
  Simple undecided(std::size_t k);
  Simple simple_term_ahead();
  Simple parenthesised_ahead();
  Simple qualified_ahead();
  Simple string_in_parentheses_ahead();
  Simple colon_after_string_ahead();
  Expression simple_term();
  Expression value_term();
  Expression hinted_term();
  Expression braced_term();
  Expression user_type_term();
  Expression list_term();
  Expression tuple_term();
  Expression map_term();
  Expression call_term();
  Expression cast_term();
  bool term_goes_on();
  bool plus_is_of_term();
  Expression node(Expression::Kind kind);

  // Selectors (parse_selectors.cc).
  void selectors(std::vector<Selector>& into);
  Selector selector();
  Expression selection();
  Expression selection_product();
  Expression selection_group();
  Expression selection_plain();
  Expression selection_simple();
  bool selection_is_call();
  Expression selection_function();
  Expression selection_of_form(Kind function);
  Expression selection_parenthesised();
  Expression selection_braced();
  Expression modified(Expression receiver);
  Expression modifiers(Expression receiver);
  Expression subscript(Expression receiver);
  bool chain_too_long(std::size_t links);
  bool at_factor() { return is(Kind::kStar) || is(Kind::kSlash) || is(Kind::kPercent); }
  /// Operands and the operators between them, from the left, as long as `goes_on()`.
  template <typename GoesOn>
  Expression operations(Expression (Parser::*operand)(), GoesOn goes_on) {
    Expression left = (this->*operand)();
    std::size_t links = 0;
    while (goes_on()) {
      if (chain_too_long(++links)) break;
      Expression made = node(Expression::Kind::kOperation);
      made.text = token().text;
      accept(la());
      made.items.push_back(std::move(left));
      made.items.push_back((this->*operand)());
      left = std::move(made);
    }
    return left;
  }

  // Relations and rows (parse_relations.cc, parse_data.cc).
  std::vector<Relation> where();
  void relation(std::vector<Relation>& into);
  void column_relation(Relation& made);
  void tuple_relation(Relation& made);
  std::vector<std::string> tuple_of_names();
  bool is_comparison(Kind kind) const;
  Operator comparison();
  Operator contains();
  bool follows_column(Kind kind) const;
  void in_values(Relation& made);
  void in_list(Relation& made);
  Relation condition();
  std::vector<Relation> conditions(bool& if_exists);
  Select select();
  void select_clause(Select& made);
  Ordering ordering();
  Using using_clause();
  void using_objective(Using& made);
  Insert insert();
  Update update();
  Assignment assignment();
  void check_compatible(const std::vector<Assignment>& made);
  void assigned_value(Assignment& made);
  void changed_by(Assignment& made);
  Delete remove();
  Deletion deletion();
  Batch batch();

  // Schema (parse_schema.cc, parse_tables.cc).
  std::vector<Property> properties();
  void property(std::vector<Property>& into);
  void check_property_map(const Expression& map);
  CreateKeyspace create_keyspace();
  AlterKeyspace alter_keyspace();
  CreateTable create_table();
  void table_element(CreateTable& made);
  PrimaryKey primary_key();
  void table_option(TableOptions& made, bool view);
  ClusteringOrder clustering_order();
  Mask mask();
  AlterTable alter_table();
  void alter_column(AlterTable& made);
  void add_columns(AlterTable& made);
  void drop_columns(AlterTable& made);
  std::vector<std::pair<std::string, std::string>> renames();
  CreateType create_type();
  AlterType alter_type();
  CreateIndex create_index();
  IndexTarget index_target();
  CreateView create_view();
  AlterView alter_view();
  CreateTrigger create_trigger();
  DropTrigger drop_trigger();
  CreateFunction create_function();
  CreateAggregate create_aggregate();
  Drop drop(Drop::Kind kind);

  // Access (parse_access.cc).
  RoleStatement role_statement(RoleStatement::Kind kind, bool user);
  void role_option(RoleStatement& made);
  std::vector<std::string> strings_in_braces();
  std::vector<std::string> permissions();
  bool is_permission(Kind kind) const;
  std::string permission();
  bool may_follow_resource(Kind kind) const;
  Resource resource();
  void data_resource(Resource& made);
  void function_resource(Resource& made);
  PermissionStatement permission_statement(bool revoke);
  RoleGrant role_grant(bool revoke);
  ListStatement list_statement();
  IdentityStatement identity_statement(bool drop);
  Describe describe();
  void described(Describe& made);
  void described_by_name(Describe& made);

  // The statement (parse_statement.cc).
  void statement(Statement& made);
  void create_statement(Statement& made);
  void alter_statement(Statement& made);
  void drop_statement(Statement& made);
  void grant_or_revoke(Statement& made);

  std::string_view text_;
  Limits limits_;
  Tokens tokens_;
  std::size_t at_ = 0;       // of tokens_.words
  std::size_t fetched_ = 0;  // the furthest word looked at
  std::size_t depth_ = 0;
  std::size_t terms_ = 0;
  int attempts_ = 0;  // alternatives being tried: no sentences meanwhile
  bool failed_ = false;
  std::optional<Error> error_;
  std::optional<std::string> told_in_attempt_;  // by semantic(), for when the attempt succeeds
  std::vector<std::string> markers_;
};

template <typename Item>
void Parser::list(Item&& item) {
  do {
    item();
  } while (accept(Kind::kComma));
}

}  // namespace tailrace::cql_syntax
