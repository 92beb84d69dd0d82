// Values as YAML text, as PyYAML's safe dumper writes them.
#pragma once

#include "jinja/python.h"

namespace tailrace::jinja {

/// yaml.dump(data, default_flow_style=False, sort_keys=True, indent=2).
Result<Value> yaml_dump(const List& arguments, const Object::Named& named);

}  // namespace tailrace::jinja
