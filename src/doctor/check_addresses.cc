// Who asks whom under which name: localhost in a container, listeners that tell the wrong address.
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

struct HostPort {
  std::string host;
  int port = 0;
};

bool is_host_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

/// Every HOST:PORT of a text.
std::vector<HostPort> addresses_in(const std::string& text) {
  std::vector<HostPort> out;
  for (auto colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
    std::size_t from = colon, to = colon + 1;
    while (from > 0 && is_host_char(text[from - 1])) --from;
    while (to < text.size() && std::isdigit(static_cast<unsigned char>(text[to])) != 0) ++to;
    if (from < colon && to > colon + 1 && to - colon < 7)
      out.push_back({text.substr(from, colon - from), std::atoi(text.c_str() + colon + 1)});
  }
  return out;
}

struct Listener {
  std::string name, host;
  int port = 0;
};

std::vector<Listener> listeners_in(const std::string& text) {
  std::vector<Listener> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    std::string one = text.substr(from, comma - from);
    one.erase(0, std::min(one.find_first_not_of(" \t\n"), one.size()));
    const auto scheme = one.find("://");
    const auto colon = one.rfind(':');
    if (scheme != std::string::npos && colon > scheme + 2)
      out.push_back({one.substr(0, scheme), one.substr(scheme + 3, colon - scheme - 3),
                     std::atoi(one.c_str() + colon + 1)});
    from = comma + 1;
  }
  return out;
}

const Site* setting(const Service& kafka, const std::string& name) {
  for (const char* prefix : {"KAFKA_", "KAFKA_CFG_"})
    if (const auto found = kafka.environment.find(prefix + name); found != kafka.environment.end())
      return &found->second;
  return nullptr;
}

/// What a client in another container should write.
std::string inside_address(const Service& kafka) {
  if (const Site* told = setting(kafka, "ADVERTISED_LISTENERS"))
    for (const Listener& one : listeners_in(told->text))
      if (kafka.answers_to(one.host)) return one.host + ":" + std::to_string(one.port);
  return kafka.name + ":9092";
}

int usual_port(Role role) {
  switch (role) {
    case Role::kKafka:
      return 9092;
    case Role::kCassandra:
      return 9042;
    case Role::kPostgres:
      return 5432;
    case Role::kRegistry:
      return 8081;
    case Role::kMySql:
      return 3306;
    case Role::kMinio:
      return 9000;
    case Role::kRedis:
      return 6379;
    default:
      return 0;
  }
}

/// The service that somebody on the host means by this port.
const Service* published_at(const ComposeFile& file, int port) {
  for (const Service& one : file.services)
    for (const Port& door : one.ports)
      if (door.published == port || door.target == port) return &one;
  for (const Service& one : file.services)
    if (usual_port(one.role) == port && port != 0) return &one;
  return nullptr;
}

class Checker {
 public:
  Checker(const ComposeFile& file, Findings& out) : file_(file), out_(out) {}

  void broker(const Service& kafka) {
    const Site* told = setting(kafka, "ADVERTISED_LISTENERS");
    if (told == nullptr) {
      const std::string name = image_parts(kafka.image.text).first;
      const bool shy =
          name == "apache/kafka" || name.ends_with("/cp-kafka") || name.ends_with("/cp-server");
      if (shy && setting(kafka, "ADVERTISED_HOST_NAME") == nullptr)
        add(file_.path, kafka.line, "listener",
            kafka.name + " advertises no address: clients are sent to localhost",
            "set KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://" + kafka.name + ":9092");
      return;
    }
    const auto all = listeners_in(told->text);
    if (!all.empty() &&
        std::ranges::all_of(all, [](const Listener& one) { return is_loopback(one.host); }))
      add(file_.path, told->line, "listener",
          kafka.name + " sends every client to " + all[0].host +
              ", which in a container is that container",
          "advertise one listener as " + kafka.name +
              ":29092 for containers, another as localhost for the host");
    for (const Listener& one : all) {
      if (one.host == "0.0.0.0" || one.host.empty())
        add(file_.path, told->line, "listener",
            kafka.name + " advertises " + one.name + " at no host that a client could connect to",
            "advertise a name; only KAFKA_LISTENERS takes 0.0.0.0");
      const Site* map = setting(kafka, "LISTENER_SECURITY_PROTOCOL_MAP");
      if (map != nullptr && !map->text.starts_with(one.name + ":") &&
          map->text.find("," + one.name + ":") == std::string::npos)
        add(file_.path, map->line, "listener",
            "the listener " + one.name + " of " + kafka.name +
                " has no security protocol: the broker does not start",
            "add " + one.name + ":PLAINTEXT");
    }
  }

  /// A client in a container asks `host:port` for a broker.
  void bootstrap(const std::string& file, int line, const Service& kafka, const HostPort& at) {
    const Site* told = setting(kafka, "ADVERTISED_LISTENERS");
    if (told == nullptr) return;
    const auto all = listeners_in(told->text);
    const auto same = std::ranges::find(all, at.port, &Listener::port);
    const std::string address = at.host + ":" + std::to_string(at.port);
    if (same == all.end() && !all.empty()) {
      if (const Site* listen = setting(kafka, "LISTENERS"))
        for (const Listener& one : listeners_in(listen->text))
          if (one.port == at.port) return;
      add(file, line, "listener", "nobody listens at " + address, "use " + inside_address(kafka));
    } else if (same != all.end() && is_loopback(same->host)) {
      add(file, line, "listener",
          address + " is the host's listener: the broker answers that it is at " + same->host +
              ":" + std::to_string(same->port) + ", which in this container is nobody",
          "use " + inside_address(kafka));
    }
  }

  void local(const std::string& file, int line, const std::string& where, const HostPort& at,
             const Service* self) {
    if (self != nullptr &&
        std::ranges::any_of(self->ports, [&](const Port& port) { return port.target == at.port; }))
      return;
    const Service* other = published_at(file_, at.port);
    if (other == nullptr || other == self) return;
    std::string use = other->name + ":" + std::to_string(at.port);
    if (other->role == Role::kKafka) use = inside_address(*other);
    for (const Port& port : other->ports)
      if (other->role != Role::kKafka && port.published == at.port)
        use = other->name + ":" + std::to_string(port.target);
    add(file, line, "localhost",
        where + ": " + at.host + ":" + std::to_string(at.port) +
            " is asked for, which inside a container is that container, not " + other->name,
        "use " + use);
  }

  void environment(const Service& one) {
    for (const auto& [key, value] : one.environment) {
      if (key.find("LISTENER") != std::string::npos || key.find("JMX") != std::string::npos ||
          key.find("QUORUM_VOTERS") != std::string::npos || key.find("HEALTH") != std::string::npos)
        continue;
      for (const HostPort& at : addresses_in(value.text)) {
        if (is_loopback(at.host)) local(file_.path, value.line, one.name, at, &one);
        if (const Service* other = file_.named(at.host);
            other != nullptr && other != &one && other->role == Role::kKafka)
          bootstrap(file_.path, value.line, *other, at);
      }
    }
  }

  void script(const Script& script, const std::vector<const Service*>& homes) {
    const bool cluster = script.is_spark() && !script.master.text.starts_with("local") &&
                         std::ranges::any_of(file_.services, [](const Service& one) {
                           return one.role == Role::kSpark;
                         });
    for (const Address& address : script.addresses) {
      const bool executors = cluster && address.what.starts_with("Spark");
      if (homes.empty() && !executors) continue;  // it runs on the host
      const Service* home = homes.empty() ? nullptr : homes[0];
      const std::string where = executors && homes.empty()
                                    ? "the executors in " + spark_name()
                                    : "this script, in " + (home ? home->name : "");
      if (is_loopback(address.host))
        local(script.path, address.line, where, {address.host, address.port}, home);
      if (const Service* other = file_.named(address.host);
          other != nullptr && other->role == Role::kKafka)
        bootstrap(script.path, address.line, *other, {address.host, address.port});
    }
  }

 private:
  std::string spark_name() const {
    for (const Service& one : file_.services)
      if (one.role == Role::kSpark && mentions(one.command.text + one.name, "worker"))
        return one.name;
    for (const Service& one : file_.services)
      if (one.role == Role::kSpark) return one.name;
    return "Spark";
  }
  void add(const std::string& file, int line, std::string fault, std::string what,
           std::string remedy) {
    out_.push_back({file, line, std::move(fault), std::move(what), std::move(remedy)});
  }

  const ComposeFile& file_;
  Findings& out_;
};

}  // namespace

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

bool mentions(const std::string& text, const std::string& word) {
  if (word.empty()) return false;
  const auto name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool before = at > 0 && name(text[at - 1]) && name(word.front());
    const std::size_t end = at + word.size();
    const bool after = end < text.size() && name(text[end]) && name(word.back());
    if (!before && !after) return true;
  }
  return false;
}

void check_addresses(const Folder& folder, Findings& out) {
  for (const ComposeFile& file : folder.compose) {
    Checker checker(file, out);
    for (const Service& one : file.services) {
      if (one.role == Role::kKafka) checker.broker(one);
      checker.environment(one);
    }
    for (const Script& script : folder.scripts) {
      std::vector<const Service*> here;
      for (const Service* home : folder.homes(script))
        if (home >= file.services.data() && home < file.services.data() + file.services.size())
          here.push_back(home);
      checker.script(script, here);
    }
  }
}

}  // namespace tailrace::doctor
