// Whether a reader's schema resolves a writer's (specification, "Schema Resolution"), and every
// reason why not, with types and locations as Avro for Java's SchemaCompatibility tells them.
//
// A pair of types is looked at once: the second time its reasons are those of the first, locations
// included, and a pair that is still being looked at holds no reason. So recursive schemas end, and
// the answer is Java's also where a type is used twice.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/check.h"
#include "schema/avro/avro_schema.h"

namespace tailrace::schema::avro {
namespace {

using Found = std::vector<Incompatibility>;

// Where two schemas differ so often, or lie so deep, the rest is not told.
constexpr std::size_t kMostFound = 10'000;
constexpr int kMaxPairDepth = 2'000;
// Of two unions, branches are tried each with each; so many pairs of named types may fail.
constexpr int kMaxFailed = 50'000;

std::string upper(std::string_view word) {
  std::string made(word);
  for (char& c : made)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return made;
}

bool promotes(Kind reader, Kind writer) {
  switch (reader) {
    case Kind::kLong:
      return writer == Kind::kInt;
    case Kind::kFloat:
      return writer == Kind::kInt || writer == Kind::kLong;
    case Kind::kDouble:
      return writer == Kind::kInt || writer == Kind::kLong || writer == Kind::kFloat;
    case Kind::kBytes:
      return writer == Kind::kString;
    case Kind::kString:
      return writer == Kind::kBytes;
    default:
      return false;
  }
}

class Comparison {
 public:
  Found compare(const Type& reader, const Type& writer) {
    Found found;
    pair(reader, writer, found);
    if (stopped_) return {*stopped_};
    return found;
  }

 private:
  // A step of the location, for as long as it lives.
  class Step {
   public:
    Step(std::string& location, std::string_view word)
        : location_(location), size_(location.size()) {
      location_ += '/';
      location_ += word;
    }
    Step(std::string& location, std::size_t index) : Step(location, std::to_string(index)) {}
    ~Step() { location_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& location_;
    std::size_t size_;
  };

  // Appends the reasons of the pair.
  void pair(const Type& reader, const Type& writer, Found& found) {
    if (stopped_) return;
    const auto [known, is_new] = known_.try_emplace({&reader, &writer});
    if (is_new) {
      Found own;
      if (++depth_ > kMaxPairDepth)
        add(own, "TYPE_MISMATCH", "at path '@' the schemas are nested too deep to be compared", "");
      else
        look(reader, writer, own);
      --depth_;
      known->second = std::move(own);
    }
    const auto& reasons = known->second;
    const std::size_t room = kMostFound - std::min(kMostFound, found.size());
    found.insert(found.end(), reasons.begin(),
                 reasons.begin() + static_cast<std::ptrdiff_t>(std::min(room, reasons.size())));
  }

  // Whether the pair holds; its reasons have locations from here on.
  bool holds(const Type& reader, const Type& writer) {
    if (stopped_) return true;
    Found apart;
    std::string outer;
    outer.swap(location_);
    pair(reader, writer, apart);
    outer.swap(location_);
    if (!apart.empty() && reader.defined && writer.defined && ++failed_ > kMaxFailed)
      stop("TOO_LARGE", "the unions have too many types to be compared");
    return apart.empty();
  }

  void look(const Type& reader, const Type& writer, Found& found) {
    if (reader.kind != writer.kind) return look_different(reader, writer, found);
    switch (reader.kind) {
      case Kind::kArray:
      case Kind::kMap: {
        const Step step(location_, reader.kind == Kind::kArray ? "items" : "values");
        return pair(*reader.element, *writer.element, found);
      }
      case Kind::kFixed:
        look_names(reader, writer, found);
        return look_sizes(*reader.defined, *writer.defined, found);
      case Kind::kEnum:
        look_names(reader, writer, found);
        return look_symbols(*reader.defined, *writer.defined, found);
      case Kind::kRecord:
        look_names(reader, writer, found);
        return look_fields(*reader.defined, writer, found);
      case Kind::kUnion:
        for (std::size_t i = 0; i < writer.branches.size(); ++i) {
          if (stopped_) return;
          const Step step(location_, i);
          if (!holds(reader, *writer.branches[i])) lacks_branch(*writer.branches[i], found);
        }
        return;
      default:
        return;
    }
  }

  void look_different(const Type& reader, const Type& writer, Found& found) {
    if (writer.kind == Kind::kUnion) {
      for (std::size_t i = 0; i < writer.branches.size(); ++i) {
        if (stopped_) return;
        const Step step(location_, i);
        pair(reader, *writer.branches[i], found);
      }
      return;
    }
    if (reader.kind == Kind::kUnion) {
      const auto reads = [&](const Type* branch) { return holds(*branch, writer); };
      if (std::ranges::none_of(reader.branches, reads)) lacks_branch(writer, found);
      return;
    }
    if (promotes(reader.kind, writer.kind)) return;
    add(found, "TYPE_MISMATCH",
        "at path '@' the {reader} schema has a type that does not take the {writer} schema's",
        "reader type: " + upper(kind_name(reader.kind)) +
            " not compatible with writer type: " + upper(kind_name(writer.kind)));
  }

  void look_names(const Type& reader, const Type& writer, Found& found) {
    const auto& aliases = reader.defined->aliases;
    if (reader.defined->name == writer.defined->name) return;
    if (std::ranges::find(aliases, writer.defined->full_name) != aliases.end()) return;
    const Step step(location_, "name");
    add(found, "NAME_MISMATCH", "at path '@' the name has changed, and no alias keeps the old one",
        "expected: " + writer.defined->full_name);
  }

  void look_sizes(const Definition& reader, const Definition& writer, Found& found) {
    if (reader.size == writer.size) return;
    const Step step(location_, "size");
    add(found, "FIXED_SIZE_MISMATCH",
        "at path '@' the {reader} schema's FIXED has another size than the {writer} schema's",
        "expected: " + std::to_string(writer.size) + ", found: " + std::to_string(reader.size));
  }

  void look_symbols(const Definition& reader, const Definition& writer, Found& found) {
    if (reader.default_symbol) return;
    std::set<std::string_view> missing(writer.symbols.begin(), writer.symbols.end());
    for (const auto& symbol : reader.symbols) missing.erase(symbol);
    if (missing.empty()) return;
    std::string list = "[";
    for (const auto symbol : missing) list += (list.size() > 1 ? ", " : "") + std::string(symbol);
    list += "]";
    const Step step(location_, "symbols");
    add(found, "MISSING_ENUM_SYMBOLS",
        "at path '@' the {reader} schema lacks the enum symbols '" + list +
            "' of the {writer} schema",
        list);
  }

  void look_fields(const Definition& reader, const Type& writer, Found& found) {
    const Step step(location_, "fields");
    for (std::size_t i = 0; i < reader.fields.size(); ++i) {
      if (stopped_) return;
      const Step at(location_, i);
      const Field& field = reader.fields[i];
      const Field* written = writers_field(field, writer);
      if (written) {
        const Step type(location_, "type");
        pair(*field.type, *written->type, found);
      } else if (!field.default_value) {
        look_missing(field, writer, found);
      }
    }
  }

  // A field of an enum with a default symbol is compared with the writer's record, as Java does.
  void look_missing(const Field& field, const Type& writer, Found& found) {
    if (field.type->kind == Kind::kEnum && field.type->defined->default_symbol) {
      const Step type(location_, "type");
      return pair(*field.type, writer, found);
    }
    add(found, "READER_FIELD_MISSING_DEFAULT_VALUE",
        "at path '@' the {reader} schema's field '" + field.name +
            "' has no default, and the {writer} schema has no such field",
        field.name);
  }

  // The writer's field of that name or of an alias; more than one end the comparison.
  const Field* writers_field(const Field& field, const Type& writer) {
    const Field* found = find_field(*writer.defined, field.name);
    for (const auto& alias : field.aliases) {
      const Field* other = find_field(*writer.defined, alias);
      if (!other) continue;
      if (found)
        stop("AMBIGUOUS_FIELD", "the reader's field '" + field.name +
                                    "' is more than one of the fields of '" +
                                    writer.defined->full_name + "', by its aliases");
      found = other;
    }
    return found;
  }

  void stop(std::string type, std::string why) {
    if (!stopped_) stopped_ = Incompatibility{std::move(type), "/", why, why};
  }

  void lacks_branch(const Type& writer, Found& found) {
    add(found, "MISSING_UNION_BRANCH",
        "at path '@' the {reader} schema's union lacks a type of the {writer} schema",
        "reader union lacking writer type: " + upper(kind_name(writer.kind)));
  }

  void add(Found& found, std::string type, std::string description, std::string detail) const {
    if (found.size() >= kMostFound) return;
    const std::string location = location_.empty() ? "/" : location_;
    description.replace(description.find('@'), 1, location);
    found.push_back({std::move(type), location, std::move(description), std::move(detail)});
  }

  std::map<std::pair<const Type*, const Type*>, Found> known_;
  std::string location_;
  std::optional<Incompatibility> stopped_;  ///< why the comparison was given up
  int depth_ = 0;
  int failed_ = 0;
};

}  // namespace

std::vector<Incompatibility> AvroSchema::incompatibilities(const ParsedSchema& writer) const {
  CHECK(writer.format() == Format::kAvro);
  return Comparison().compare(root(), static_cast<const AvroSchema&>(writer).root());
}

}  // namespace tailrace::schema::avro
