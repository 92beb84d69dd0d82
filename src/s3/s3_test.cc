// S3's answers and notifications as its documentation and MinIO's have them, keys from every place,
// and a client against a server that refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "net/http_server.h"
#include "s3/client.h"
#include "s3/notification.h"
#include "s3/profile.h"
#include "s3/queue.h"

namespace tailrace::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, with encoding-type=url
constexpr const char* kListing = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>amzn-s3-demo-bucket</Name><Prefix/>
  <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
  <KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
  <EncodingType>url</EncodingType>
  <Contents><Key>my+image%2B%01.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
    <ETag>"fba9dede5f27731c9771645a39863328"</ETag><Size>434234</Size>
    <StorageClass>STANDARD</StorageClass></Contents>
  <Contents><Key>a/&#xFC;</Key><LastModified>2009-10-12T17:50:31.000Z</LastModified>
    <ETag>&quot;e-2&quot;</ETag><Size>5368709120000</Size></Contents>
</ListBucketResult>)";

TEST(Answers, a_listing_has_its_objects_and_where_it_goes_on) {
  const auto listing = read_listing(kListing);
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->objects.size(), 2U);
  EXPECT_EQ(listing->objects[0].key, "my image+\x01.jpg");
  EXPECT_EQ(listing->objects[0].etag, "fba9dede5f27731c9771645a39863328");
  EXPECT_EQ(listing->objects[0].size_bytes, 434234);
  EXPECT_EQ(listing->objects[0].modified, "2009-10-12T17:50:30.000Z");
  EXPECT_EQ(listing->objects[1].key, "a/ü");
  EXPECT_EQ(listing->objects[1].etag, "e-2");
  EXPECT_EQ(listing->objects[1].size_bytes, 5368709120000);
  EXPECT_EQ(listing->next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(Answers, what_is_no_listing_is_data_loss) {
  EXPECT_EQ(read_listing("<html>sign in</html>").error().code, Code::kDataLoss);
  EXPECT_EQ(read_listing("<ListBucketResult><Contents>").error().code, Code::kDataLoss);
  EXPECT_EQ(read_listing("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
                .error()
                .code,
            Code::kDataLoss);
}

TEST(Answers, a_documents_own_entities_are_not_expanded) {
  const auto why = read_refusal(
      "<!DOCTYPE e [<!ENTITY a \"aaaa\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
      "<Error><Code>&a;</Code><Message>&f;</Message></Error>");
  EXPECT_THAT(why.code, Not(HasSubstr("aaaa")));
  EXPECT_THAT(why.message, Not(HasSubstr("root")));
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
constexpr const char* kAmazons = R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3",
 "awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:Put",
 "userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},
 "requestParameters":{"sourceIPAddress":"127.0.0.1"},
 "s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule",
  "bucket":{"name":"amzn-s3-demo-bucket","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},
   "arn":"arn:aws:s3:::amzn-s3-demo-bucket"},
  "object":{"key":"red+flower%2B.jpg","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e",
   "versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]})";

TEST(Notification, amazons_record_is_read_and_its_key_decoded) {
  const auto news = read_notification(kAmazons);
  ASSERT_TRUE(news) << news.error().what;
  ASSERT_EQ(news->size(), 1U);
  EXPECT_EQ(news->front().bucket, "amzn-s3-demo-bucket");
  EXPECT_EQ(news->front().object.key, "red flower+.jpg");
  EXPECT_EQ(news->front().object.etag, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(news->front().object.size_bytes, 1024);
  EXPECT_EQ(news->front().version, "096fKKXTRTtl3on89fVO.nfljtsv6qko");
}

// https://min.io/docs/minio/linux/administration/monitoring/publish-events-to-webhook.html
TEST(Notification, minios_webhook_is_read) {
  const auto news = read_notification(
      R"({"EventName":"s3:ObjectCreated:Put","Key":"images/in/a.json","Records":[{
      "eventVersion":"2.0","eventSource":"minio:s3","eventName":"s3:ObjectCreated:Put",
      "eventTime":"2026-11-22T17:41:03.123Z","s3":{"bucket":{"name":"images"},
      "object":{"key":"in%2Fa.json","size":2,"eTag":"99914b932bd37a50b983c5e7c90ae93b"}}}]})");
  ASSERT_TRUE(news) << news.error().what;
  ASSERT_EQ(news->size(), 1U);
  EXPECT_EQ(news->front().object.key, "in/a.json");
}

TEST(Notification, a_message_of_sns_is_unwrapped) {
  std::string inner;
  for (const char c : std::string(kAmazons))
    inner += c == '"' ? "\\\"" : c == '\n' ? " " : std::string(1, c);
  const auto news =
      read_notification(R"({"Type":"Notification","TopicArn":"arn","Message":")" + inner + "\"}");
  ASSERT_TRUE(news) << news.error().what;
  EXPECT_EQ(news->size(), 1U);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
TEST(Notification, eventbridges_key_is_taken_as_it_is) {
  const auto news = read_notification(
      R"({"version":"0","detail-type":"Object Created","source":"aws.s3",
      "time":"2021-11-12T00:00:00Z","detail":{"version":"0","bucket":{"name":"b"},
      "object":{"key":"a+b%41","size":5,"etag":"b1946ac92492d2347c6235b4d2611184",
      "version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"},"reason":"PutObject"}})");
  ASSERT_TRUE(news) << news.error().what;
  ASSERT_EQ(news->size(), 1U);
  EXPECT_EQ(news->front().object.key, "a+b%41");
}

TEST(Notification, removals_and_test_events_say_nothing_and_other_texts_are_refused) {
  std::string removed = kAmazons;
  removed.replace(removed.find("ObjectCreated:Put"), 17, "ObjectRemoved:Del");
  EXPECT_TRUE(read_notification(removed)->empty());
  EXPECT_TRUE(
      read_notification(R"({"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"})")->empty());
  EXPECT_TRUE(read_notification(R"({"Records":[{"eventName":1}]})")->empty());
  EXPECT_FALSE(read_notification(""));
  EXPECT_FALSE(read_notification("[]"));
  EXPECT_FALSE(read_notification("no JSON"));
  EXPECT_FALSE(read_notification("{}"));
  EXPECT_FALSE(read_notification(R"({"Records":[{"eventName":"ObjectCreated:Put"}]})"));
}

TEST(Profile, a_section_has_its_settings_and_no_others) {
  const char* text =
      "# comment\n[default]\naws_access_key_id = A\n[work]\n aws_access_key_id=no\n"
      "aws_access_key_id = AKIA=B \r\ns3 =\n  max_queue_size = 1\n; c\nregion = eu-west-1\n[x]\n";
  const auto work = section_of(text, "work");
  ASSERT_TRUE(work);
  EXPECT_EQ(work->at("aws_access_key_id"), "AKIA=B");
  EXPECT_EQ(work->at("region"), "eu-west-1");
  EXPECT_FALSE(work->contains("max_queue_size"));
  EXPECT_TRUE(section_of(text, "x"));
  EXPECT_FALSE(section_of(text, "y"));
}

Environment environment(std::map<std::string, std::string> values) {
  values.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
  return [values = std::move(values)](const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? "" : found->second;
  };
}

TEST(Credentials, given_keys_come_before_the_environments_before_a_profiles) {
  const std::string file = testing::TempDir() + "s3_credentials";
  std::ofstream(file) << "[default]\naws_access_key_id = P\naws_secret_access_key = S\n";
  const auto both = environment({{"AWS_ACCESS_KEY_ID", "E"},
                                 {"AWS_SECRET_ACCESS_KEY", "S"},
                                 {"AWS_SHARED_CREDENTIALS_FILE", file}});
  EXPECT_EQ((*Credentials({"G", "S"}, both).keys())->access_key, "G");
  EXPECT_EQ((*Credentials({}, both).keys())->access_key, "E");
  EXPECT_EQ(
      (*Credentials({}, environment({{"AWS_SHARED_CREDENTIALS_FILE", file}})).keys())->access_key,
      "P");
  EXPECT_FALSE(Credentials({}, environment({})).keys()->has_value());
  const auto none =
      Credentials({}, environment({{"AWS_PROFILE", "work"}, {"AWS_SHARED_CREDENTIALS_FILE", file}}))
          .keys();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, HasSubstr("AWS_PROFILE is work"));
}

/// Answers as the metadata services of EC2 and ECS do.
class Metadata : public testing::Test {
 protected:
  net::Response answer(const net::Request& request) {
    net::Response response;
    const std::string role = "/latest/meta-data/iam/security-credentials/";
    const bool has_token = request.header("x-aws-ec2-metadata-token") == "T0";
    const std::string keys = R"({"AccessKeyId":"I)" + std::to_string(++asked_) +
                             R"(","SecretAccessKey":"S","Token":"t",)"
                             R"("Expiration":"2026-11-22T18:00:00Z"})";
    if (request.method == "PUT" && request.path == "/latest/api/token")
      response.body = "T0";
    else if (request.path == role && has_token)
      response.body = "reader";
    else if (request.path == role + "reader" && has_token)
      response.body = keys;
    else if (request.path == "/ecs" && request.header("authorization") == "hush")
      response.body = keys;
    else
      response.status = 401;
    return response;
  }

  std::atomic<int> asked_ = 0;
  rt::ManualClock clock_{TimestampMs(1'795'368'600'000)};  // 17:30 of that day
  std::unique_ptr<net::HttpServer> server_ =
      std::move(*net::HttpServer::start({}, [this](const net::Request& r) { return answer(r); }));
};

TEST_F(Metadata, an_instances_keys_are_fetched_anew_before_they_end) {
  std::string url = server_->url();
  Credentials credentials({},
                          environment({{"AWS_EC2_METADATA_DISABLED", "false"},
                                       {"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}}),
                          clock_);
  const auto first = credentials.keys();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->session_token, "t");
  clock_.advance(std::chrono::minutes(24));
  EXPECT_EQ((*credentials.keys())->access_key, (*first)->access_key);
  clock_.advance(std::chrono::minutes(2));
  EXPECT_NE((*credentials.keys())->access_key, (*first)->access_key);
}

TEST_F(Metadata, a_containers_keys_need_its_token) {
  const std::string url = server_->url() + "/ecs";
  const auto with = environment(
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush"}});
  EXPECT_TRUE(Credentials({}, with, clock_).keys()->has_value());
  const auto refused =
      Credentials({}, environment({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}), clock_).keys();
  EXPECT_FALSE(refused);
  const auto elsewhere =
      environment({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys"},
                   {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush"}});
  EXPECT_EQ(Credentials({}, elsewhere, clock_).keys().error().code, Code::kInvalidArgument);
}

/// A bucket that answers what its keys are called.
class Refusing : public testing::Test {
 protected:
  static net::Response answer(const net::Request& request) {
    net::Response response;
    const auto slash = request.path.rfind('/');
    response.status = std::atoi(request.path.substr(slash + 1).c_str());
    response.body = "<Error><Code>Why</Code><Message>because</Message></Error>";
    return response;
  }

  std::unique_ptr<net::HttpServer> server_ = std::move(*net::HttpServer::start({}, answer));
  Client client_{{.bucket = "inbox", .endpoint = server_->url()},
                 std::make_shared<Credentials>(net::AwsKeys{"A", "hush"})};
};

TEST_F(Refusing, an_error_names_object_operation_and_reason) {
  const auto refused = client_.get({.key = "in/403"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kPermissionDenied);
  EXPECT_EQ(refused.error().what, "s3://inbox/in/403: GetObject: Why: because");
  EXPECT_EQ(client_.get({.key = "404"}).error().code, Code::kNotFound);
  EXPECT_EQ(client_.get({.key = "412"}).error().code, Code::kAborted);
  EXPECT_EQ(client_.get({.key = "503"}).error().code, Code::kUnavailable);
  EXPECT_EQ(client_.get({.key = "400"}).error().code, Code::kFailedPrecondition);
  EXPECT_FALSE(client_.head("404")->has_value());
  EXPECT_TRUE(client_.remove("404"));
}

std::uint64_t counted(const std::string& series) {
  MetricsText out;
  write_metrics(out);
  const std::string text = out.finish(), line = "\n" + series + " ";
  const auto at = text.find(line);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + line.size()));
}

TEST_F(Refusing, requests_are_counted_by_operation_and_what_became_of_them) {
  const std::string get = "tailrace_s3_requests_total{operation=\"GetObject\",outcome=";
  const auto before = [&](const char* outcome) { return counted(get + '"' + outcome + "\"}"); };
  const auto ok = before("ok"), none = before("not_found"), refused = before("refused"),
             away = before("unavailable");
  const auto bytes = counted("tailrace_s3_received_bytes_total");
  EXPECT_TRUE(client_.get({.key = "200"}));
  EXPECT_FALSE(client_.get({.key = "404"}));
  EXPECT_FALSE(client_.get({.key = "403"}));
  EXPECT_FALSE(client_.get({.key = "503"}));
  server_.reset();
  EXPECT_FALSE(client_.get({.key = "200"}));
  EXPECT_EQ(before("ok"), ok + 1);
  EXPECT_EQ(before("not_found"), none + 1);
  EXPECT_EQ(before("refused"), refused + 1);
  EXPECT_EQ(before("unavailable"), away + 2);
  EXPECT_GT(counted("tailrace_s3_received_bytes_total"), bytes);
  EXPECT_GE(counted("tailrace_s3_request_duration_seconds_count{operation=\"GetObject\"}"), 5U);
}

TEST(Address, faults_are_named_before_anything_is_asked) {
  EXPECT_TRUE(check_address(BucketAddress{.bucket = "my-bucket.x"}));
  EXPECT_FALSE(check_address(BucketAddress{.bucket = ""}));
  EXPECT_FALSE(check_address(BucketAddress{.bucket = "a b c"}));
  EXPECT_FALSE(check_address(BucketAddress{.bucket = "bucket", .endpoint = "minio:9000"}));
  EXPECT_TRUE(check_address(QueueAddress{.url = "https://sqs.eu-west-1.amazonaws.com/1/q"}));
  EXPECT_FALSE(check_address(QueueAddress{.url = "arn:aws:sqs:eu-west-1:1:q"}));
}

}  // namespace
}  // namespace tailrace::s3
