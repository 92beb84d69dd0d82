// Why a reader's Protobuf schema does not follow a writer's: the differences that Confluent's
// registry calls incompatible, with its types and places ("#/Message/1").
//
// Fields are compared by number, whatever their names, and whether they are in a oneof or not.
// Messages are compared under one name, and so are the messages of other files that fields have,
// where these files differ. Adding and taking away fields, enums and their values, and moving
// messages, are no reasons.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::schema::protobuf {
namespace {

using Found = std::vector<Incompatibility>;

// Where two schemas differ so often, the rest is not told; nor are more pairs of messages of other
// files looked at.
constexpr std::size_t kMostFound = 10'000;
constexpr std::size_t kMostPairs = 100'000;
constexpr int kMaxPairDepth = 500;

enum class Family { kScalar, kMap, kMessage };
enum class Coding { kVarint, kZigzag, kBytes, kFixed32, kFixed64, kFloat, kDouble };

Coding coding_of(std::string_view type) {
  if (type == "sint32" || type == "sint64") return Coding::kZigzag;
  if (type == "string" || type == "bytes") return Coding::kBytes;
  if (type == "fixed32" || type == "sfixed32") return Coding::kFixed32;
  if (type == "fixed64" || type == "sfixed64") return Coding::kFixed64;
  if (type == "float") return Coding::kFloat;
  if (type == "double") return Coding::kDouble;
  return Coding::kVarint;
}

// What a field holds; a message that stands for the entries of a map is that map.
struct Held {
  std::string key;
  std::string type;
  const NamedType* named = nullptr;

  Family family() const {
    if (!key.empty()) return Family::kMap;
    return is_scalar(type) || (named && named->enumeration) ? Family::kScalar : Family::kMessage;
  }
  Coding coding() const { return named && named->enumeration ? Coding::kVarint : coding_of(type); }
};

// One side of the comparison.
struct Side {
  const ProtobufSchema& schema;
  Scope scope;

  const Names& names() const { return schema.names(); }
  Held held(const std::string& key, const std::string& type) const {
    if (!key.empty()) return {key, type, nullptr};
    const NamedType* named = is_scalar(type) ? nullptr : names().type_at(scope.text(), type);
    if (named && named->is_map()) return {named->key->type, named->value->type, nullptr};
    return {"", type, named};
  }
};

// A message's fields by number, in oneofs or not.
struct Fields {
  std::map<std::int32_t, const Field*> by_number;
  std::unordered_map<std::int32_t, const OneOf*> oneof_of;
  std::unordered_map<std::string_view, const OneOf*> oneofs;

  explicit Fields(const Message& message) {
    for (const auto& field : message.fields) by_number[field.number] = &field;
    for (const auto& oneof : message.oneofs) {
      oneofs[oneof.name] = &oneof;
      for (const auto& field : oneof.fields) {
        by_number[field.number] = &field;
        oneof_of[field.number] = &oneof;
      }
    }
  }
  const Field* at(std::int32_t number) const {
    const auto found = by_number.find(number);
    return found == by_number.end() ? nullptr : found->second;
  }
  const OneOf* oneof_at(std::int32_t number) const {
    const auto found = oneof_of.find(number);
    return found == oneof_of.end() ? nullptr : found->second;
  }
};

class Comparison {
 public:
  Comparison(const ProtobufSchema& reader, const ProtobufSchema& writer)
      : reader_{reader, Scope(reader.file().package)},
        writer_{writer, Scope(writer.file().package)} {}

  Found compare() {
    const File& reader = reader_.schema.file();
    const File& writer = writer_.schema.file();
    if (reader.package != writer.package)
      add("PACKAGE_CHANGED",
          "the package at '@' is another in the {reader} schema than in the "
          "{writer} schema");
    messages(reader.messages, writer.messages);
    return std::move(found_);
  }

 private:
  // A step of the place, for as long as it lives; a name's step is one of the scopes as well.
  class Step {
   public:
    Step(Comparison& comparison, std::string_view word, bool is_name = false)
        : comparison_(comparison), size_(comparison.path_.size()), is_name_(is_name) {
      if (size_ > 0) comparison.path_ += '/';
      comparison.path_ += word;
      if (!is_name_) return;
      comparison.reader_.scope.enter(word);
      comparison.writer_.scope.enter(word);
    }
    Step(Comparison& comparison, std::int32_t number) : Step(comparison, std::to_string(number)) {}
    ~Step() {
      comparison_.path_.resize(size_);
      if (!is_name_) return;
      comparison_.reader_.scope.leave();
      comparison_.writer_.scope.leave();
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Comparison& comparison_;
    std::size_t size_;
    bool is_name_;
  };

  void messages(const std::vector<Message>& reader, const std::vector<Message>& writer) {
    std::map<std::string_view, const Message*> readers;
    std::map<std::string_view, const Message*> writers;
    for (const auto& one : reader) readers[one.name] = &one;
    for (const auto& one : writer) writers[one.name] = &one;
    for (const auto& [name, written] : writers) {
      const Step step(*this, name, true);
      const auto read = readers.find(name);
      if (read != readers.end()) {
        message(*read->second, *written);
      } else {
        const NamedType* type = writer_.names().type_at(writer_.scope.text(), std::string(name));
        if (type && !type->is_map())
          add("MESSAGE_REMOVED",
              "the {reader} schema lacks the message at '@' of the {writer} schema");
      }
    }
  }

  void message(const Message& reader, const Message& writer) {
    // A message that is being compared already is not looked into again.
    if (open_.insert(&writer).second) {
      fields(reader, writer);
      open_.erase(&writer);
    }
    messages(reader.messages, writer.messages);
  }

  void fields(const Message& reader, const Message& writer) {
    const Fields readers(reader);
    const Fields writers(writer);
    for (const auto& oneof : reader.oneofs) moved_into(oneof, writers);
    const auto numbers = [&] {
      std::set<std::int32_t> all;
      for (const auto& [number, field] : readers.by_number) all.insert(number);
      for (const auto& [number, field] : writers.by_number) all.insert(number);
      return all;
    }();
    for (const std::int32_t number : numbers) {
      const Field* read = readers.at(number);
      const Field* written = writers.at(number);
      if (!read) {
        removed(number, *written, readers, writers);
      } else if (!written) {
        added(number, *read, readers);
      } else if (const OneOf* oneof = readers.oneof_at(number)) {
        const Step in(*this, oneof->name);
        const Step at(*this, number);
        field(*read, *written);
      } else {
        const Step at(*this, number);
        field(*read, *written);
      }
    }
  }

  // Fields that could stand beside one another, and now cannot.
  void moved_into(const OneOf& oneof, const Fields& writers) {
    std::set<std::pair<const void*, std::int32_t>> origins;
    int from_top = 0;
    for (const auto& field : oneof.fields) {
      if (const OneOf* from = writers.oneof_at(field.number)) {
        // Of two oneofs with one name it is one origin.
        origins.insert({writers.oneofs.at(from->name), 0});
      } else if (writers.at(field.number)) {
        origins.insert({nullptr, field.number});
        ++from_top;
      }
    }
    if (origins.size() < 2) return;
    const Step step(*this, oneof.name);
    if (from_top > 1)
      add("MULTIPLE_FIELDS_MOVED_TO_ONEOF",
          "several fields of the oneof at '@' in the {reader} schema stand outside of a oneof in "
          "the {writer} schema");
    else
      add("FIELD_MOVED_TO_EXISTING_ONEOF",
          "a field of the oneof at '@' in the {reader} schema stands outside of it in the {writer} "
          "schema");
  }

  void removed(std::int32_t number, const Field& written, const Fields& readers,
               const Fields& writers) {
    if (const OneOf* oneof = writers.oneof_at(number)) {
      if (is_gone(*oneof, readers)) return;
      const Step in(*this, oneof->name);
      const Step at(*this, number);
      return add("ONEOF_FIELD_REMOVED",
                 "the {reader} schema lacks the field at '@', which is in a oneof of the {writer} "
                 "schema");
    }
    if (written.label != Label::kRequired) return;
    const Step at(*this, number);
    add("REQUIRED_FIELD_REMOVED",
        "the {reader} schema lacks the field at '@', which the {writer} schema requires");
  }

  // A oneof that is taken away as a whole is no reason.
  static bool is_gone(const OneOf& oneof, const Fields& readers) {
    if (readers.oneofs.contains(oneof.name)) return false;
    return std::ranges::none_of(
        oneof.fields, [&](const Field& field) { return readers.at(field.number) != nullptr; });
  }

  void added(std::int32_t number, const Field& read, const Fields& readers) {
    if (readers.oneof_at(number) || read.label != Label::kRequired) return;
    const Step at(*this, number);
    add("REQUIRED_FIELD_ADDED",
        "the {reader} schema requires the field at '@', which the {writer} schema lacks");
  }

  void field(const Field& reader, const Field& writer) {
    const bool told = reader.label != writer.label && reader.label != Label::kNone &&
                      writer.label != Label::kNone;
    types(reader_.held(reader.key, reader.type), writer_.held(writer.key, writer.type), told);
  }

  void types(const Held& reader, const Held& writer, bool other_label) {
    if (reader.family() != writer.family())
      return add("FIELD_KIND_CHANGED",
                 "the field at '@' of the {reader} schema is of another kind in the {writer} "
                 "schema: scalar, map or message");
    switch (reader.family()) {
      case Family::kScalar:
        if (reader.coding() != writer.coding())
          add("FIELD_SCALAR_KIND_CHANGED",
              "the scalar field at '@' of the {reader} schema is written in another way in the "
              "{writer} schema");
        else if (other_label && reader.coding() != Coding::kBytes)
          add("FIELD_NUMERIC_LABEL_CHANGED",
              "the number at '@' of the {reader} schema has another label in the {writer} schema");
        return;
      case Family::kMap:
        types(reader_.held("", reader.key), writer_.held("", writer.key), false);
        return types(reader_.held("", reader.type), writer_.held("", writer.type), false);
      case Family::kMessage:
        return message_types(reader, writer);
    }
  }

  void other_type() {
    add("FIELD_NAMED_TYPE_CHANGED",
        "the field at '@' of the {reader} schema is another message in the {writer} schema");
  }

  // The name within its package.
  static std::string local_name(const std::string& full, const NamedType& type) {
    const std::string& package = *type.package;
    if (!package.empty() && full.starts_with(package + ".")) return full.substr(package.size() + 1);
    return full;
  }

  void message_types(const Held& reader, const Held& writer) {
    const auto read = reader_.names().find_type(reader_.scope.text(), reader.type);
    const auto written = writer_.names().find_type(writer_.scope.text(), writer.type);
    if (!read || !written) {
      if (reader.type != writer.type) other_type();
      return;
    }
    const NamedType& read_type = *reader_.names().type(*read);
    const NamedType& written_type = *writer_.names().type(*written);
    const std::string name = local_name(*read, read_type);
    if (name != local_name(*written, written_type)) return other_type();
    if (is_one_file(read_type, written_type)) return;
    if (!imported(name, read_type, written_type)) other_type();
  }

  bool is_one_file(const NamedType& reader, const NamedType& writer) const {
    if (reader.import < 0 || writer.import < 0) return reader.import == writer.import;
    return reader_.schema.is_import_of(reader.import, writer_.schema, writer.import);
  }

  // Compares a message of two imports; the reasons are told where that message is. What a pair
  // gave once it gives again.
  bool imported(const std::string& name, const NamedType& reader, const NamedType& writer) {
    const auto [known, is_new] = known_.try_emplace({reader.message, writer.message});
    if (is_new) {
      if (known_.size() > kMostPairs || depth_ >= kMaxPairDepth) {
        add("FIELD_NAMED_TYPE_CHANGED",
            "the messages at '@' of the {reader} and the {writer} schema are nested too deep to be "
            "compared");
        return true;
      }
      Found found;
      const Scope reader_scope = std::exchange(reader_.scope, Scope(*reader.package));
      const Scope writer_scope = std::exchange(writer_.scope, Scope(*writer.package));
      const std::string path = std::exchange(path_, "");
      found_.swap(found);
      ++depth_;
      enter_all(name);
      message(*reader.message, *writer.message);
      --depth_;
      found_.swap(found);
      path_ = path;
      reader_.scope = reader_scope;
      writer_.scope = writer_scope;
      known_[{reader.message, writer.message}] = std::move(found);
    }
    const Found& found = known_[{reader.message, writer.message}];
    const std::size_t room = kMostFound - std::min(kMostFound, found_.size());
    found_.insert(found_.end(), found.begin(),
                  found.begin() + static_cast<std::ptrdiff_t>(std::min(room, found.size())));
    return found.empty();
  }

  // The place and both scopes are those of "A.B".
  void enter_all(std::string_view name) {
    while (!name.empty()) {
      const auto dot = name.find('.');
      const std::string_view part = name.substr(0, dot);
      if (!path_.empty()) path_ += '/';
      path_ += part;
      reader_.scope.enter(part);
      writer_.scope.enter(part);
      name = dot == name.npos ? std::string_view() : name.substr(dot + 1);
    }
  }

  void add(std::string type, std::string description) {
    if (found_.size() >= kMostFound) return;
    const std::string place = "#/" + path_;
    description.replace(description.find('@'), 1, place);
    found_.push_back({std::move(type), place, std::move(description), ""});
  }

  Side reader_;
  Side writer_;
  std::string path_;
  Found found_;
  std::unordered_set<const Message*> open_;
  std::map<std::pair<const Message*, const Message*>, Found> known_;
  int depth_ = 0;
};

}  // namespace

std::vector<Incompatibility> ProtobufSchema::incompatibilities(const ParsedSchema& writer) const {
  CHECK(writer.format() == Format::kProtobuf);
  return Comparison(*this, static_cast<const ProtobufSchema&>(writer)).compare();
}

}  // namespace tailrace::schema::protobuf
