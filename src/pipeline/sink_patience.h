// How long a run that ends by itself waits for the database behind `serving`.
#pragma once

#include <functional>
#include <stop_token>

#include "pipeline/serving_sink.h"

namespace tailrace::pipeline {

/// Calls `ready`, which waits until the sink has its tables or is told to stop; kUnavailable when
/// that takes two minutes.
Status load_sink_once(const ServingSink& sink,
                      const std::function<Result<bool>(const std::stop_token&)>& ready);

/// All that was sent is there; kUnavailable when the database has been away for two minutes.
Status await_sink(const ServingSink& sink);

}  // namespace tailrace::pipeline
