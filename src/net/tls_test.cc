// TLS over the frame server on real sockets, with certificates that the openssl command makes.
#include "net/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>

#include "net/frame_client.h"
#include "net/frame_server.h"
#include "net/tls_socket.h"

namespace tailrace::net {
namespace {

using namespace std::chrono_literals;

std::string frame(std::string_view body) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(body);
}

Result<std::size_t> frame_length(std::string_view head) {
  std::uint32_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  return sizeof size + ntohl(size);
}

/// Answers each frame with itself, or with the client's subject when it asks "who".
class Echo final : public FrameSession {
 public:
  explicit Echo(Peer peer) : peer_(std::move(peer)) {}
  void serve(std::string_view request, Reply reply) override {
    const auto body = request.substr(4);
    Manner manner;
    if (body == "late") manner.delay = 50ms;
    if (body == "pause") manner.pause = 50ms;
    if (body == "last") manner.close_after = true;
    reply.send(Outgoing(frame(body == "who" ? peer_.subject : body)), manner);
  }

 private:
  Peer peer_;
};

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("tls_{}", ::getpid());
    std::filesystem::create_directories(folder_);
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
    sign("server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    sign("client", "/C=CH/O=A, B/OU=x+OU=y/emailAddress=a@b.c/CN=al\\\\ice",
         "extendedKeyUsage=clientAuth");
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout no.key -out no.pem");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static void openssl(const std::string& words) {
    const auto line = fmt::format("cd {} && openssl {} 2>>log", folder_.string(), words);
    ASSERT_EQ(std::system(line.c_str()), 0) << line << text("log");
  }
  static void sign(const std::string& name, const std::string& subject, const std::string& more) {
    std::ofstream(folder_ / (name + ".ext")) << more;
    openssl(
        fmt::format("req -newkey rsa:2048 -nodes -multivalue-rdn -subj '{1}' -keyout {0}.key "
                    "-out {0}.csr",
                    name, subject));
    openssl(
        fmt::format("x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
                    "-extfile {0}.ext -out {0}.pem",
                    name));
  }
  static std::string text(const std::string& name) {
    std::ostringstream out;
    out << std::ifstream(folder_ / name).rdbuf();
    return out.str();
  }
  static TlsIdentity identity(const std::string& name) {
    return {text(name + ".pem"), text(name + ".key"), {}};
  }

  static std::unique_ptr<FrameServer> serve(ClientCertificates clients) {
    TlsServerConfig tls{identity("server"), text("ca.pem"), clients, {}};
    FrameServerConfig config;
    config.name = "test";
    config.tls = Tls::server(tls).value();
    config.length = frame_length;
    config.open = [](const Peer& peer) { return std::make_unique<Echo>(peer); };
    return FrameServer::start(std::move(config)).value();
  }
  static Result<TlsSocket> reach(const FrameServer& server, const TlsClientConfig& config,
                                 const std::string& host = "127.0.0.1") {
    ASSIGN(const auto tls, Tls::client(config));
    return TlsSocket::connect(fmt::format("{}:{}", host, server.port()), 5s, tls);
  }
  static std::string ask(TlsSocket& socket, std::string_view body) {
    if (auto sent = socket.send(frame(body)); !sent) return sent.error().what;
    return receive(socket);
  }
  static std::string receive(TlsSocket& socket) {
    std::uint32_t size = 0;
    auto got = socket.receive(reinterpret_cast<char*>(&size), sizeof size);
    std::string body(got ? ntohl(size) : 0, '\0');
    if (got) got = socket.receive(body.data(), body.size());
    return got ? body : "ended";
  }

  inline static std::filesystem::path folder_;
};

TEST_F(TlsTest, a_client_that_trusts_the_authority_is_answered) {
  const auto server = serve(ClientCertificates::kIgnored);
  for (const auto* host : {"127.0.0.1", "localhost"}) {
    auto client = reach(*server, {.trusted = text("ca.pem")}, host);
    ASSERT_TRUE(client) << client.error().what;
    EXPECT_EQ(ask(*client, "hello"), "hello");
    const std::string large(3 << 20, 'x');
    EXPECT_EQ(ask(*client, large), large);
    EXPECT_EQ(ask(*client, "who"), "");
  }
}

TEST_F(TlsTest, a_client_that_trusts_another_authority_says_why_it_leaves) {
  const auto server = serve(ClientCertificates::kIgnored);
  const auto client = reach(*server, {.trusted = text("no.pem")});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::kPermissionDenied);
  EXPECT_NE(client.error().what.find("unable to get local issuer certificate"), std::string::npos)
      << client.error().what;
}

TEST_F(TlsTest, a_certificate_of_another_host_is_refused) {
  TlsServerConfig config{identity("client"), {}, ClientCertificates::kIgnored, {}};
  FrameServerConfig frames;
  frames.tls = Tls::server(config).value();
  frames.length = frame_length;
  frames.open = [](const Peer& peer) { return std::make_unique<Echo>(peer); };
  const auto server = FrameServer::start(std::move(frames)).value();
  EXPECT_FALSE(reach(*server, {.trusted = text("ca.pem")}));
}

TEST_F(TlsTest, a_subject_is_told_as_java_writes_it) {
  const auto server = serve(ClientCertificates::kRequired);
  auto client = reach(*server, {.identity = identity("client"), .trusted = text("ca.pem")});
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(ask(*client, "who"),
            "CN=al\\\\ice,1.2.840.113549.1.9.1=#16056140622e63,OU=x+OU=y,O=A\\, B,C=CH");
}

TEST_F(TlsTest, who_must_show_a_certificate_and_does_not_is_not_served) {
  const auto server = serve(ClientCertificates::kRequired);
  for (const auto& config :
       {TlsClientConfig{.trusted = text("ca.pem")},
        TlsClientConfig{.identity = identity("no"), .trusted = text("ca.pem")}}) {
    auto client = reach(*server, config);
    // In TLS 1.3 a client learns of it with the first answer.
    EXPECT_TRUE(!client || ask(*client, "hello") == "ended");
  }
  const auto wanted = serve(ClientCertificates::kWanted);
  auto client = reach(*wanted, {.trusted = text("ca.pem")});
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(ask(*client, "who"), "");
}

TEST_F(TlsTest, handshakes_that_never_end_hold_up_nobody) {
  const auto server = serve(ClientCertificates::kIgnored);
  std::vector<TlsSocket> silent;
  for (int i = 0; i < 50; ++i) {
    auto one = TlsSocket::connect(fmt::format("127.0.0.1:{}", server->port()), 5s, nullptr);
    ASSERT_TRUE(one);
    ASSERT_TRUE(one->send(std::string_view("\x16\x03\x01\x02\x00", 5)));
    silent.push_back(std::move(*one));
  }
  auto client = reach(*server, {.trusted = text("ca.pem")});
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(ask(*client, "hello"), "hello");
}

TEST(TlsSocketTest, an_ipv6_address_stands_in_brackets) {
  FrameServerConfig config;
  config.host = "::1";
  config.name = "test";
  config.length = frame_length;
  config.open = [](const Peer& peer) { return std::make_unique<Echo>(peer); };
  const auto server = FrameServer::start(std::move(config)).value();
  EXPECT_TRUE(TlsSocket::connect(fmt::format("[::1]:{}", server->port()), 5s, nullptr));
  for (const auto* text : {"::1:80", "[::1]", ":80", "host", "host:port"})
    EXPECT_EQ(TlsSocket::connect(text, 5s, nullptr).error().code, Code::kInvalidArgument) << text;
}

TEST_F(TlsTest, a_client_without_tls_is_closed) {
  const auto server = serve(ClientCertificates::kIgnored);
  auto plain = TlsSocket::connect(fmt::format("127.0.0.1:{}", server->port()), 5s, nullptr);
  ASSERT_TRUE(plain);
  ASSERT_TRUE(plain->send(frame("hello")));
  std::string rest(64, '\0');
  EXPECT_FALSE(plain->receive(rest.data(), rest.size()));
}

TEST_F(TlsTest, a_connection_ends_with_a_goodbye_after_its_last_answer) {
  const auto server = serve(ClientCertificates::kIgnored);
  auto client = reach(*server, {.trusted = text("ca.pem")});
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(ask(*client, "late"), "late");
  EXPECT_EQ(ask(*client, "pause"), "pause");
  EXPECT_EQ(ask(*client, "last"), "last");
  char one = 0;
  const auto end = client->receive(&one, 1);
  ASSERT_FALSE(end);
  EXPECT_NE(end.error().what.find("closed the connection"), std::string::npos) << end.error().what;
}

TEST_F(TlsTest, an_answer_that_is_late_or_pauses_holds_back_what_comes_after_it) {
  const auto server = serve(ClientCertificates::kIgnored);
  for (const auto* word : {"late", "pause"}) {
    auto client = reach(*server, {.trusted = text("ca.pem")});
    ASSERT_TRUE(client) << client.error().what;
    const auto from = std::chrono::steady_clock::now();
    ASSERT_TRUE(client->send(frame(word) + frame("next")));
    EXPECT_EQ(receive(*client), word);
    EXPECT_EQ(receive(*client), "next");
    EXPECT_GE(std::chrono::steady_clock::now() - from, 50ms);
  }
}

TEST_F(TlsTest, only_the_protocols_that_are_enabled_are_spoken) {
  TlsServerConfig config{identity("server"), {}, ClientCertificates::kIgnored, {{"TLSv1.3"}, {}}};
  FrameServerConfig frames;
  frames.tls = Tls::server(config).value();
  frames.length = frame_length;
  frames.open = [](const Peer& peer) { return std::make_unique<Echo>(peer); };
  const auto server = FrameServer::start(std::move(frames)).value();
  TlsClientConfig older{.trusted = text("ca.pem")};
  older.options.protocols = {"TLSv1.2"};
  EXPECT_FALSE(reach(*server, older));
  older.options.protocols = {"TLSv1.2", "TLSv1.3"};
  EXPECT_TRUE(reach(*server, older));
  config.options.protocols = {"TLSv1"};
  EXPECT_FALSE(Tls::server(config));
}

TEST_F(TlsTest, a_pkcs12_file_is_read_with_its_password_only) {
  openssl(
      "pkcs12 -export -in server.pem -inkey server.key -certfile ca.pem -passout pass:secret "
      "-out server.p12");
  const auto store = read_pkcs12(text("server.p12"), "secret");
  ASSERT_TRUE(store) << store.error().what;
  EXPECT_TRUE(Tls::server({store->identity, store->trusted, ClientCertificates::kRequired, {}}));
  EXPECT_FALSE(read_pkcs12(text("server.p12"), "wrong"));
  EXPECT_FALSE(read_pkcs12("nonsense", "secret"));
  EXPECT_NE(read_pkcs12("\xfe\xed\xfe\xed\1\2", "").error().what.find("JKS"), std::string::npos);
}

TEST_F(TlsTest, a_key_under_a_password_is_read_with_it_and_never_told) {
  openssl("rsa -aes256 -in server.key -passout pass:sesame -out locked.key");
  TlsServerConfig config{{text("server.pem"), text("locked.key"), "sesame"}, {}, {}, {}};
  EXPECT_TRUE(Tls::server(config));
  config.identity.key_password = "guessed";
  const auto failed = Tls::server(config);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what.find("guessed"), std::string::npos);
  config.identity.key = text("client.key");
  EXPECT_FALSE(Tls::server(config));
}

/// What a client's connection came to: what it was answered, then why it ended.
class Heard final : public FrameListener {
 public:
  void connected() override { link->send(frame("hello")); }
  void received(std::string_view frame) override { tell(std::string(frame.substr(4))); }
  void closed(const Error& why) override {
    tell(std::string(code_name(why.code)) + ": " + why.what);
  }
  std::string wait() { return told.get_future().get(); }

  std::shared_ptr<FrameLink> link;
  std::promise<std::string> told;

 private:
  void tell(std::string what) {
    if (std::exchange(done_, true)) return;
    told.set_value(std::move(what));
  }
  bool done_ = false;
};

TEST_F(TlsTest, a_client_of_frames_trusts_as_the_blocking_one_does) {
  const auto server = serve(ClientCertificates::kIgnored);
  FrameClient client({.name = "test", .length = frame_length});
  const auto heard = [&](const std::string& trusted, const std::string& host) {
    const auto listener = std::make_shared<Heard>();
    const auto tls = Tls::client({.trusted = text(trusted)}).value();
    client.post([&] { listener->link = client.connect(host, server->port(), tls, 5s, listener); });
    return listener->wait();
  };
  EXPECT_EQ(heard("ca.pem", "localhost"), "hello");
  EXPECT_EQ(heard("ca.pem", "127.0.0.1"), "hello");
  EXPECT_EQ(heard("no.pem", "localhost"),
            "PERMISSION_DENIED: TLS handshake: unable to get local issuer certificate");
}

}  // namespace
}  // namespace tailrace::net
