// Calls that are made when no lock is held any more: answers lead into other parts and back.
#pragma once

#include <functional>
#include <vector>

namespace tailrace::kafka {

using Calls = std::vector<std::move_only_function<void()>>;

inline void call_all(Calls& calls) {
  for (auto& call : calls) call();
}

}  // namespace tailrace::kafka
