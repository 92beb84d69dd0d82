// A serialized FileDescriptorProto as elements: the other form in which clients register schemas.
#pragma once

#include <string_view>

#include "base/result.h"
#include "schema/protobuf/element.h"

namespace tailrace::schema::protobuf {

/// Options that libprotobuf's descriptor.proto knows come in its order, then Confluent's metadata;
/// other custom options are left out, as the registry does. kInvalidArgument when the bytes are no
/// descriptor, or one that no text can say.
Result<File> read_descriptor(std::string_view bytes);

}  // namespace tailrace::schema::protobuf
