// What went into and out of one partition since it was opened.
#pragma once

#include "base/metrics.h"

namespace tailrace::log {

/// The log counts what is appended; who serves readers and writers counts the rest.
struct Traffic {
  Counter messages_in;  ///< offsets given out
  Counter bytes_in;
  Counter bytes_out;
  Counter produce_requests;
  Counter failed_produce_requests;
  Counter fetch_requests;
  Counter failed_fetch_requests;

  void add(const Traffic& other) {
    messages_in.add(other.messages_in.value());
    bytes_in.add(other.bytes_in.value());
    bytes_out.add(other.bytes_out.value());
    produce_requests.add(other.produce_requests.value());
    failed_produce_requests.add(other.failed_produce_requests.value());
    fetch_requests.add(other.fetch_requests.value());
    failed_fetch_requests.add(other.failed_fetch_requests.value());
  }
};

}  // namespace tailrace::log
