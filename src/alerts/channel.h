// A way out for messages: Slack, e-mail, a webhook, PagerDuty, Alertmanager.
//
// Each is made of two parts: a pure function that puts a message into the channel's form, and a
// send that says what became of it. No secret is in what a send says.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alerts/json.h"
#include "alerts/text.h"
#include "net/mail.h"

namespace tailrace::alerts {

/// What became of one try to send.
struct Attempt {
  enum class End {
    kSent,
    kRefused,  ///< for good: sending the same again would end the same way
    kAgain,    ///< it did not arrive, for sure
    kUnknown,  ///< it may have arrived
  };
  End end = End::kSent;
  std::string said = {};        ///< a line
  std::optional<Ms> wait = {};  ///< kAgain: the other side asks to come back after it
  std::string reference = {};   ///< kSent: what later messages of the group need to know
};

/// What a send knows beside the message.
struct Envelope {
  std::int64_t id = 0;         ///< of the message, for good; 0: a test
  std::string reference = {};  ///< of the last one that was sent in its group; empty: there is none
};

class Channel {
 public:
  static std::unique_ptr<Channel> make(const ChannelSpec& spec, Sender sender);
  virtual ~Channel() = default;

  /// One call at a time.
  virtual Attempt send(const Message& message, const Envelope& envelope, std::stop_token stop) = 0;
  /// Whether the other side takes the same message twice as one.
  virtual bool is_idempotent() const { return false; }
  /// At least so long between two messages.
  virtual Ms gap() const { return 0; }
};

/// Block Kit, within Slack's limits: 50 blocks, 3,000 characters a text, 150 a header, 10 fields of
/// 2,000 each; &, < and > are escaped. With the `text` that notifications show.
Json slack_message(const Message& message, const Sender& sender);

/// An Events API v2 event: one incident a group (dedup_key), trigger or resolve; a notice is a
/// change event, without action and key.
Json pagerduty_event(const Message& message, const Sender& sender, const std::string& routing_key);

/// postableAlerts of Alertmanager's API v2. An alert that fires ends by itself after twice its
/// `repeat`, which each repeat moves on.
Json alertmanager_alerts(const Message& message, const Sender& sender, Ms repeat);

/// The payload of Alertmanager's own webhooks, version 4, with a member `tailrace`: kind, project
/// and text.
Json webhook_message(const Message& message, const Sender& sender, const std::string& receiver);

/// HTML and plain text; messages of one group are a thread to mail readers.
net::Mail mail_of(const Message& message, const Sender& sender, const Envelope& envelope,
                  const ChannelSpec& spec);

}  // namespace tailrace::alerts
