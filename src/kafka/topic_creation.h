// A topic made as CreateTopics makes it: checked, with its settings, told to who wants to know.
#pragma once

#include <functional>
#include <optional>

#include "kafka/messages/create_topics_request.h"
#include "kafka/messages/create_topics_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {

class Broker;

/// Asked before partitions are made; false: they are too many.
using MayMake = std::function<bool(std::int32_t partitions)>;

/// Why it is not made; nothing when it is, or could be (`validate_only`), and `answer` tells what
/// it has. On a thread that may wait for the disk.
std::optional<Refusal> create_topic(Broker& broker,
                                    const CreateTopicsRequest::CreatableTopic& asked,
                                    bool validate_only,
                                    CreateTopicsResponse::CreatableTopicResult& answer,
                                    const MayMake& may_make = {});

}  // namespace tailrace::kafka
