// A schema and what it imports, linked by libprotobuf: what its names mean as descriptors, and
// whether it is one that protoc would compile.
//
// Two things are looser than protoc, as registries have them: a type is found in any file at hand,
// whether the file that uses it imports it or not; and an import that is not at hand is no error
// as long as no type is missing, so custom options may stay unread.
#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/schema.h"

namespace tailrace::schema::protobuf {

class Linked {
 public:
  /// `text` is of a .proto file; so are the references' texts. kInvalidArgument with line and
  /// column, and with the name of the reference that is at fault.
  static Result<std::unique_ptr<const Linked>> make(std::string_view text,
                                                    std::span<const Reference> references);

  const google::protobuf::FileDescriptor& file() const { return *file_; }

 private:
  Linked() = default;

  google::protobuf::DescriptorPool pool_;
  const google::protobuf::FileDescriptor* file_ = nullptr;
};

/// libprotobuf's own log says nothing from now on; what it has to say comes as errors.
void silence_library();

}  // namespace tailrace::schema::protobuf
