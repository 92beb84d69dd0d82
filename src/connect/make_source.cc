// A source of the type that a project names.
#include <fmt/format.h>

#include "connect/source_types.h"

namespace tailrace::connect {

Result<std::unique_ptr<Source>> make_source(const SourceSpec& spec) {
  if (const SourceType* type = find_source_type(spec.type)) return type->make(spec);
  return error(Code::kInvalidArgument,
               fmt::format("ingest {}: no source is called \"{}\"; there are {}", spec.name,
                           spec.type, source_type_names()));
}

}  // namespace tailrace::connect
