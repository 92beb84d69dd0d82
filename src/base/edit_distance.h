// How far a name is from another: for the nearest one of a message.
#pragma once

#include <cstddef>
#include <string_view>

namespace tailrace {

/// How many bytes must be put in, taken out or exchanged to make one of the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace tailrace
