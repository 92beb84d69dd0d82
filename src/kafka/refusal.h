// Why a request, or one of the things it asks for, is not done.
#pragma once

#include <string>

#include "kafka/error_code.h"

namespace tailrace::kafka {

struct Refusal {
  ErrorCode code;
  std::string why;
};

}  // namespace tailrace::kafka
