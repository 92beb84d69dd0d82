// Keys and values of streams groups' records (KIP-1071) as messages, and back: for
// group_records.cc.
#pragma once

#include "groups/streams_records.h"
#include "kafka/messages/streams_group_current_member_assignment_key.h"
#include "kafka/messages/streams_group_current_member_assignment_value.h"
#include "kafka/messages/streams_group_member_metadata_key.h"
#include "kafka/messages/streams_group_member_metadata_value.h"
#include "kafka/messages/streams_group_metadata_key.h"
#include "kafka/messages/streams_group_metadata_value.h"
#include "kafka/messages/streams_group_target_assignment_member_key.h"
#include "kafka/messages/streams_group_target_assignment_member_value.h"
#include "kafka/messages/streams_group_target_assignment_metadata_key.h"
#include "kafka/messages/streams_group_target_assignment_metadata_value.h"
#include "kafka/messages/streams_group_topology_key.h"
#include "kafka/messages/streams_group_topology_value.h"

namespace tailrace::kafka {

StreamsGroupMetadataKey message(const groups::StreamsGroupMetadataKey& key);
StreamsGroupMemberMetadataKey message(const groups::StreamsGroupMemberMetadataKey& key);
StreamsGroupTargetAssignmentMetadataKey message(
    const groups::StreamsGroupTargetAssignmentMetadataKey& key);
StreamsGroupTargetAssignmentMemberKey message(
    const groups::StreamsGroupTargetAssignmentMemberKey& key);
StreamsGroupCurrentMemberAssignmentKey message(
    const groups::StreamsGroupCurrentMemberAssignmentKey& key);
StreamsGroupTopologyKey message(const groups::StreamsGroupTopologyKey& key);

groups::StreamsGroupMetadataKey plain(const StreamsGroupMetadataKey& key);
groups::StreamsGroupMemberMetadataKey plain(const StreamsGroupMemberMetadataKey& key);
groups::StreamsGroupTargetAssignmentMetadataKey plain(
    const StreamsGroupTargetAssignmentMetadataKey& key);
groups::StreamsGroupTargetAssignmentMemberKey plain(
    const StreamsGroupTargetAssignmentMemberKey& key);
groups::StreamsGroupCurrentMemberAssignmentKey plain(
    const StreamsGroupCurrentMemberAssignmentKey& key);
groups::StreamsGroupTopologyKey plain(const StreamsGroupTopologyKey& key);

StreamsGroupMetadataValue message(const groups::StreamsGroupMetadataValue& value);
StreamsGroupMemberMetadataValue message(const groups::StreamsGroupMemberMetadataValue& value);
StreamsGroupTargetAssignmentMetadataValue message(
    const groups::StreamsGroupTargetAssignmentMetadataValue& value);
StreamsGroupTargetAssignmentMemberValue message(
    const groups::StreamsGroupTargetAssignmentMemberValue& value);
StreamsGroupCurrentMemberAssignmentValue message(
    const groups::StreamsGroupCurrentMemberAssignmentValue& value);
StreamsGroupTopologyValue message(const groups::StreamsTopology& value);

groups::StreamsGroupMetadataValue plain(const StreamsGroupMetadataValue& value);
groups::StreamsGroupMemberMetadataValue plain(const StreamsGroupMemberMetadataValue& value);
groups::StreamsGroupTargetAssignmentMetadataValue plain(
    const StreamsGroupTargetAssignmentMetadataValue& value);
groups::StreamsGroupTargetAssignmentMemberValue plain(
    const StreamsGroupTargetAssignmentMemberValue& value);
groups::StreamsGroupCurrentMemberAssignmentValue plain(
    const StreamsGroupCurrentMemberAssignmentValue& value);
groups::StreamsTopology plain(const StreamsGroupTopologyValue& value);

}  // namespace tailrace::kafka
