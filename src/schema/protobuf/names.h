// What the names in a schema mean: the types and custom options of its file and of all it imports.
//
// A name is looked for in the innermost scope first, then outwards, each time whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/protobuf/element.h"

namespace tailrace::schema::protobuf {

/// A message or an enum.
struct NamedType {
  const Message* message = nullptr;
  const Enum* enumeration = nullptr;
  const std::string* package = nullptr;
  /// The import it comes from; -1 for the schema's own file.
  int import = -1;
  /// Of the message that stands for the entries of a map, in a schema that came as a descriptor.
  const Field* key = nullptr;
  const Field* value = nullptr;

  bool is_map() const { return key && value; }
};

/// Where a name is used: "a.b" and the messages around it.
class Scope {
 public:
  explicit Scope(std::string package) : text_(std::move(package)) {}

  void enter(std::string_view name) {
    sizes_.push_back(text_.size());
    if (!text_.empty()) text_ += '.';
    text_ += name;
  }
  void leave() {
    text_.resize(sizes_.back());
    sizes_.pop_back();
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::size_t> sizes_;
};

class Names {
 public:
  Names() = default;
  /// What is not defined here is looked for in `base`, which must outlive this.
  explicit Names(const Names* base) : base_(base) {}
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  /// `file` must outlive this. What is added later takes the place of what has its name.
  void add(const File& file, int import);

  /// By the full name, without a dot in front.
  const NamedType* type(const std::string& full_name) const;
  const Field* extension(const std::string& full_name) const;

  /// The full name of what `name` means in a scope.
  std::optional<std::string> find_type(std::string_view scope, std::string_view name) const;
  std::optional<std::string> find_extension(std::string_view scope, std::string_view name) const;

  /// The type that `name` means in a scope; null when there is none.
  const NamedType* type_at(std::string_view scope, std::string_view name) const;

 private:
  void add_message(const Message& message, const std::string& above, const File& file, int import);
  void add_extends(const std::vector<Extend>& extends, const std::string& above);

  const Names* base_ = nullptr;
  std::unordered_map<std::string, NamedType> types_;
  std::unordered_map<std::string, const Field*> extensions_;
};

}  // namespace tailrace::schema::protobuf
