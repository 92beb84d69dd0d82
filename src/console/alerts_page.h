// Alerts over the API: what the page and `tailrace alerts` ask.
//
//   GET  /api/alerts                     rules, alerts, channels, silences, the newest messages
//   GET  /api/alerts/history?rule&limit  transitions, the newest first
//   POST /api/alerts/silences {matchers, duration, comment}     the silence
//   POST /api/alerts/silences/ID/end {}  ends it
//   POST /api/alerts/test {name}         a marked message through a channel, a rule's, or all
//
// The shapes are spec/console-api.yml's.
#pragma once

#include "alerts/alerts.h"
#include "net/http_server.h"

namespace tailrace::console {

/// `alerts`: null where the project has none: lists are empty, and nothing can be changed (409).
net::Response alerts_response(alerts::Alerts* alerts, const net::Request& request);

}  // namespace tailrace::console
