// Writes statements as canonical text: words, lists and clauses into one string.
#pragma once

#include "cql_syntax/statement.h"

namespace tailrace::cql_syntax {

class Printer {
 public:
  void write(const Statement& statement);
  void write(const Expression& expression);
  void write(const Type& type);
  void write(const Select& made);
  void where(const std::vector<Relation>& relations, std::string_view word);
  std::string take() { return std::move(text_); }

 private:
  template <typename List, typename Write>
  void join(const List& list, std::string_view between, Write&& write_one);
  void name(std::string_view name) { text_ += print_name(name); }
  void names(const std::vector<std::string>& names);
  void qualified(const QualifiedName& name);
  void function(const std::optional<std::string>& keyspace, std::string_view name);
  void function(const QualifiedName& name) { function(name.keyspace, name.name); }
  void type_name(std::string_view name);
  void string(std::string_view text);
  void role(std::string_view name) { string(name); }
  void condition(bool given, std::string_view words);
  void terms(const std::vector<Expression>& list);
  void types(const std::vector<Type>& list);
  void pairs(const Expression& map);
  void constant(const Expression& expression);
  void composite(const Expression& expression);
  void selectors(const std::vector<Selector>& list);
  void relation(const Relation& relation);
  void conditions(bool if_exists, const std::vector<Relation>& relations);
  void options(const Using& options);
  void properties(const std::vector<Property>& list);
  void property(const Property& made);
  void primary_key(const PrimaryKey& key);
  void table_options(const TableOptions& options);
  void column(const Column& column);
  void mask(const Mask& mask);
  void fields(const std::vector<Field>& fields);
  void renames(const std::vector<std::pair<std::string, std::string>>& renamed);
  void role_options(const RoleStatement& made);
  void resource(const Resource& resource);
  void permissions(const std::vector<std::string>& list);

  void write(const Insert& made);
  void write(const Update& made);
  void write(const Assignment& made);
  void write(const Delete& made);
  void write(const Batch& made);
  void write(const Truncate& made);
  void write(const Use& made);
  void write(const CreateKeyspace& made);
  void write(const AlterKeyspace& made);
  void write(const CreateTable& made);
  void write(const AlterTable& made);
  void write(const CreateType& made);
  void write(const AlterType& made);
  void write(const CreateIndex& made);
  void write(const CreateView& made);
  void write(const AlterView& made);
  void write(const CreateTrigger& made);
  void write(const DropTrigger& made);
  void write(const CreateFunction& made);
  void write(const CreateAggregate& made);
  void write(const Drop& made);
  void write(const RoleStatement& made);
  void write(const PermissionStatement& made);
  void write(const RoleGrant& made);
  void write(const ListStatement& made);
  void write(const IdentityStatement& made);
  void write(const Describe& made);

  std::string text_;
};

template <typename List, typename Write>
void Printer::join(const List& list, std::string_view between, Write&& write_one) {
  bool first = true;
  for (const auto& item : list) {
    if (!first) text_ += between;
    first = false;
    write_one(item);
  }
}

}  // namespace tailrace::cql_syntax
