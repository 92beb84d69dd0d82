#include "schema/protobuf/linker.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <deque>
#include <optional>
#include <unordered_map>

#include "base/check.h"
#include "schema/protobuf/known_files.h"

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;

constexpr const char* kOwnName = "default";  // as registries call a schema that has no name
constexpr int kMaxImportDepth = 500;

std::string place(int line, int column) {
  return std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": ";
}

// The first error of a text.
class SyntaxErrors final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (!what_.empty()) return;
    what_ = (line < 0 ? "" : place(line, column)) + message;
  }
  const std::string& what() const { return what_; }

 private:
  std::string what_;
};

// The first error of a file that is linked.
class LinkErrors final : public pb::DescriptorPool::ErrorCollector {
 public:
  explicit LinkErrors(const pb::compiler::SourceLocationTable& places) : places_(places) {}

  void AddError(const std::string& /*file*/, const std::string& element,
                const pb::Message* descriptor, ErrorLocation location,
                const std::string& message) override {
    if (!what_.empty()) return;
    int line = 0;
    int column = 0;
    if (places_.Find(descriptor, location, &line, &column)) what_ = place(line, column);
    what_ += element.empty() || element == kOwnName ? message : element + ": " + message;
  }
  const std::string& what() const { return what_; }

 private:
  const pb::compiler::SourceLocationTable& places_;
  std::string what_;
};

struct Parsed {
  pb::FileDescriptorProto file;
  pb::compiler::SourceLocationTable places;
};

Status parse(const std::string& name, std::string_view text, Parsed& made) {
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  SyntaxErrors errors;
  pb::io::Tokenizer tokens(&input, &errors);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.RecordSourceLocationsTo(&made.places);
  made.file.set_name(name);
  if (parser.Parse(&tokens, &made.file) && errors.what().empty()) return {};
  return error(Code::kInvalidArgument, errors.what());
}

// Finds the first field, extension or method whose type no file defines.
class MissingTypes {
 public:
  explicit MissingTypes(const Parsed& parsed) : parsed_(parsed) {}

  std::string first(const pb::FileDescriptor& file) {
    for (int i = 0; i < file.message_type_count(); ++i)
      message(*file.message_type(i), parsed_.file.message_type(i));
    for (int i = 0; i < file.extension_count(); ++i)
      field(*file.extension(i), parsed_.file.extension(i));
    for (int i = 0; i < file.service_count(); ++i)
      for (int k = 0; k < file.service(i)->method_count(); ++k)
        method(*file.service(i)->method(k), parsed_.file.service(i).method(k));
    return what_;
  }

 private:
  void message(const pb::Descriptor& one, const pb::DescriptorProto& proto) {
    for (int i = 0; i < one.field_count(); ++i) field(*one.field(i), proto.field(i));
    for (int i = 0; i < one.extension_count(); ++i) field(*one.extension(i), proto.extension(i));
    for (int i = 0; i < one.nested_type_count(); ++i)
      message(*one.nested_type(i), proto.nested_type(i));
  }

  void field(const pb::FieldDescriptor& one, const pb::FieldDescriptorProto& proto) {
    using Location = pb::DescriptorPool::ErrorCollector;
    if (one.message_type() && one.message_type()->is_placeholder())
      missing(proto, Location::TYPE, proto.type_name());
    if (one.type() == pb::FieldDescriptor::TYPE_ENUM && one.enum_type()->is_placeholder())
      missing(proto, Location::TYPE, proto.type_name());
    if (one.is_extension() && one.containing_type()->is_placeholder())
      missing(proto, Location::EXTENDEE, proto.extendee());
  }

  void method(const pb::MethodDescriptor& one, const pb::MethodDescriptorProto& proto) {
    using Location = pb::DescriptorPool::ErrorCollector;
    if (one.input_type()->is_placeholder())
      missing(proto, Location::INPUT_TYPE, proto.input_type());
    if (one.output_type()->is_placeholder())
      missing(proto, Location::OUTPUT_TYPE, proto.output_type());
  }

  void missing(const pb::Message& proto, pb::DescriptorPool::ErrorCollector::ErrorLocation location,
               const std::string& name) {
    if (!what_.empty()) return;
    int line = 0;
    int column = 0;
    if (parsed_.places.Find(&proto, location, &line, &column)) what_ = place(line, column);
    what_ += "\"" + name + "\" is not defined";
  }

  const Parsed& parsed_;
  std::string what_;
};

class Linking {
 public:
  Linking(pb::DescriptorPool& pool, std::span<const Reference> references) : pool_(pool) {
    for (const auto& one : references) texts_[one.name] = one.text;
    pool_.AllowUnknownDependencies();
    pool_.InternalDontEnforceDependencies();
  }

  Result<const pb::FileDescriptor*> link(const Parsed& own, bool with_all_known) {
    if (with_all_known)
      for (const auto& one : known_files()) TRY(add(one.path, 0));
    for (const auto& path : own.file.dependency()) TRY(add(path, 0));
    // A reference that no import names may still define what is used.
    for (const auto& [path, text] : texts_) TRY(add(path, 0));
    return build(own);
  }

 private:
  enum class State { kOpen, kDone };

  Status add(const std::string& path, int depth) {
    const auto [state, is_new] = states_.try_emplace(path, State::kOpen);
    if (!is_new) {
      if (state->second == State::kDone) return {};
      return error(Code::kInvalidArgument, "\"" + path + "\" imports itself");
    }
    const auto given = texts_.find(path);
    const KnownFile* known = given == texts_.end() ? known_file(path) : nullptr;
    if (given == texts_.end() && !known) {
      states_[path] = State::kDone;
      return {};
    }
    if (depth > kMaxImportDepth)
      return error(Code::kInvalidArgument,
                   "more than " + std::to_string(kMaxImportDepth) + " files import one another");
    const auto done = known ? add_known(*known, depth) : add_text(path, given->second, depth);
    if (!done) return std::unexpected(done.error().in("\"" + path + "\""));
    states_[path] = State::kDone;
    return {};
  }

  Status add_text(const std::string& path, std::string_view text, int depth) {
    Parsed parsed;
    TRY(parse(path, text, parsed));
    return add_parsed(parsed, depth);
  }

  Status add_known(const KnownFile& known, int depth) {
    static const std::deque<Parsed> files = [] {
      std::deque<Parsed> made;
      for (const auto& one : known_files()) CHECK(parse(one.path, one.text, made.emplace_back()));
      return made;
    }();
    return add_parsed(files[static_cast<std::size_t>(&known - known_files().data())], depth);
  }

  Status add_parsed(const Parsed& parsed, int depth) {
    for (const auto& import : parsed.file.dependency()) TRY(add(import, depth + 1));
    TRY(build(parsed));
    return {};
  }

  Result<const pb::FileDescriptor*> build(const Parsed& parsed) {
    LinkErrors errors(parsed.places);
    const auto* file = pool_.BuildFileCollectingErrors(parsed.file, &errors);
    if (!file) return error(Code::kInvalidArgument, errors.what());
    const std::string missing = MissingTypes(parsed).first(*file);
    if (!missing.empty()) return error(Code::kNotFound, missing);
    return file;
  }

  pb::DescriptorPool& pool_;
  std::unordered_map<std::string, std::string_view> texts_;
  std::unordered_map<std::string, State> states_;
};

}  // namespace

void silence_library() {
  static const bool done = (pb::SetLogHandler(nullptr), true);
  (void)done;
}

Result<std::unique_ptr<const Linked>> Linked::make(std::string_view text,
                                                   std::span<const Reference> references) {
  silence_library();
  Parsed own;
  TRY(parse(kOwnName, text, own));
  std::optional<Error> why;
  for (const bool with_all_known : {false, true}) {
    std::unique_ptr<Linked> made(new Linked);
    auto file = Linking(made->pool_, references).link(own, with_all_known);
    if (file) {
      made->file_ = *file;
      return made;
    }
    if (!why) why = file.error();
    if (file.error().code != Code::kNotFound) break;
  }
  return error(Code::kInvalidArgument, why->what);
}

}  // namespace tailrace::schema::protobuf
