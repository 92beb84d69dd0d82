// Why a request is not done: the error, and a sentence for who asked.
#pragma once

#include <string>

#include "groups/types.h"

namespace tailrace::groups {

struct Refusal {
  ErrorCode error;
  std::string message;
};

}  // namespace tailrace::groups
