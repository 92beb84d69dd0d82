// What a flow waits for whose groups come out only when the watermark has passed them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/plan.h"

namespace tailrace::pipeline {

/// One sentence naming the time it waits for; empty when the flow holds nothing back.
std::string waits_for(const engine::FlowPlan& plan, std::optional<std::int64_t> watermark_us);

}  // namespace tailrace::pipeline
