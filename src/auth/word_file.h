// Small durable files of what an administrator set: lines of words, replaced whole.
//
//   line:  WORD { ' ' WORD } '\n'      with %XX for '%' and what is not above ' '; "%" is no text
//
// Readable by its owner only, since some hold keys.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace::auth {

using Words = std::vector<std::string>;

/// No lines when there is no file. kDataLoss for what is no line of words.
Result<std::vector<Words>> read_words(const std::string& path);
/// Durable when it returns.
Status write_words(const std::string& path, const std::vector<Words>& lines);

}  // namespace tailrace::auth
