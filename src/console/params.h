// Parameters of a request's query, checked.
#pragma once

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_server.h"

namespace tailrace::console {

/// A misspelt parameter is an error, and so is one that comes twice unless it is `repeated`.
tailrace::Status only_params(const net::Request& request,
                             std::initializer_list<std::string_view> known,
                             std::initializer_list<std::string_view> repeated = {});

/// A parameter that is a whole number from `least` to `most`, or what counts without it.
template <typename Number>
Result<Number> number_of(const net::Request& request, std::string_view name, Number least,
                         Number most, Number otherwise) {
  auto text = request.param(name);
  if (!text) return otherwise;
  Number number = 0;
  auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  bool whole = end == text->data() + text->size() && failed == std::errc();
  if (whole && number >= least && number <= most) return number;
  return error(Code::kInvalidArgument, std::string(name) + " must be a number from " +
                                           std::to_string(least) + " to " + std::to_string(most));
}

/// One of `words`, or what counts without it.
Result<std::string> word_of(const net::Request& request, std::string_view name,
                            std::initializer_list<std::string_view> words,
                            std::string_view otherwise);

}  // namespace tailrace::console
