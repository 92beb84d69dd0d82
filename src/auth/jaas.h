// A login module's options out of sasl.jaas.config, as Java's login configuration writes them:
//
//   MODULE required NAME="VALUE" NAME=VALUE … ;
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::auth {

struct LoginModule {
  std::string module;  ///< "org.apache.kafka.common.security.plain.PlainLoginModule"
  std::map<std::string, std::string> options;
};

/// kInvalidArgument says what is missing, never a value.
Result<LoginModule> parse_jaas(std::string_view text);

}  // namespace tailrace::auth
