// What a failure of PostgreSQL's is to us: its SQLSTATE (PostgreSQL's appendix A) to a Code, and
// its words to a sentence.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::postgres {

/// "" (the connection itself failed) is kUnavailable.
Code code_of(std::string_view sqlstate);

/// The SQLSTATE in a message of libpq's at verbosity VERBOSE or SQLSTATE ("FATAL:  28P01: …");
/// empty where there is none.
std::string_view sqlstate_in(std::string_view message);

/// A message on one line, without LOCATION, SQLSTATE and the words that only say it is an error.
std::string sentence(std::string_view message);

/// The text with the password of `url` (and of `password=…` in it) blanked.
std::string without_password(std::string text, std::string_view url);

}  // namespace tailrace::postgres
