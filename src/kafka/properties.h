// Files of properties as Java writes them: NAME=VALUE a line, # before remarks, a backslash at the
// end of a line that goes on and before a character that is meant as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::kafka {

struct Property {
  std::string name;
  std::string value;
  int line = 0;  ///< where it begins, from 1
};

/// In their order; a name may come twice.
std::vector<Property> parse_properties(std::string_view text);

/// Without what is blank around it.
std::string_view trimmed(std::string_view text);

}  // namespace tailrace::kafka
