// A WebSocket's messages: one record each. We connect, subscribe, and connect again when it ends.
//
// The protocol knows no place to go on from: what a server sends while we are not connected, or
// died before it was written, is lost; nothing is doubled. While the log cannot take more nothing
// is read, pings are not answered either, and a server may end the connection.
#pragma once

#include <string>
#include <vector>

#include "connect/source_types.h"

namespace tailrace::connect {

/// `use: websocket`
extern const SourceType kWebsocketSource;

/// What `send` says: the elements of a list of JSON values, else the text itself; none of "".
std::vector<std::string> websocket_greetings(const std::string& send);

}  // namespace tailrace::connect
