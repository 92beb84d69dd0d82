// The events of AWS's services, in the shapes of its developer guides, as items.
#include "lambda/event.h"

#include <gtest/gtest.h>

#include "lambda/json.h"

namespace tailrace::lambda {
namespace {

constexpr std::string_view kS3 = R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3",
  "awsRegion":"us-east-2","eventTime":"2019-09-03T19:37:27.192Z","eventName":"ObjectCreated:Put",
  "userIdentity":{"principalId":"AWS:AIDAINPONIXQXHT3IKHL2"},
  "requestParameters":{"sourceIPAddress":"205.255.255.255"},
  "responseElements":{"x-amz-request-id":"D82B88E5F771F645"},
  "s3":{"s3SchemaVersion":"1.0","configurationId":"828aa6fc-f7b5-4305-8584-487c791949c1",
  "bucket":{"name":"DOC-EXAMPLE-BUCKET","arn":"arn:aws:s3:::lambda-artifacts-deafc19498e3f2df"},
  "object":{"key":"in+2024/b21b84d653bb07b05b1e6b33684dc11b%2B%C3%BC","size":1305107,
  "eTag":"b21b84d653bb07b05b1e6b33684dc11b","sequencer":"0C0F6F405D6ED209E1"}}}]})";

TEST(S3, a_notification_is_an_item_with_its_key_decoded) {
  const Event event = read_event(kS3);
  ASSERT_EQ(event.source, Source::kS3);
  ASSERT_EQ(event.items.size(), 1U);
  const Item& item = event.items[0];
  const std::string key = "in 2024/b21b84d653bb07b05b1e6b33684dc11b+\xC3\xBC";
  EXPECT_EQ(item.object->key, key);
  EXPECT_EQ(item.object->size, 1305107);
  EXPECT_EQ(item.key, "DOC-EXAMPLE-BUCKET/" + key);
  EXPECT_EQ(item.id, "DOC-EXAMPLE-BUCKET/" + key + "@0C0F6F405D6ED209E1");
  EXPECT_EQ(item.value, "{\"bucket\":\"DOC-EXAMPLE-BUCKET\",\"key\":\"" + key +
                            "\",\"size\":1305107,\"etag\":\"b21b84d653bb07b05b1e6b33684dc11b\","
                            "\"sequencer\":\"0C0F6F405D6ED209E1\",\"event\":\"ObjectCreated:Put\","
                            "\"time\":\"2019-09-03T19:37:27.192Z\",\"region\":\"us-east-2\"}");
}

TEST(S3, an_event_of_the_bus_is_the_same_object_and_its_key_is_not_encoded) {
  const Event event = read_event(
      R"({"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created",
      "source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1",
      "resources":["arn:aws:s3:::bucket"],"detail":{"version":"0","bucket":{"name":"bucket"},
      "object":{"key":"a+b.json","size":5,"etag":"b1946ac92492d2347c6235b4d2611184",
      "version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"617f08299329d189"},
      "reason":"PutObject"}})");
  ASSERT_EQ(event.source, Source::kS3);
  EXPECT_EQ(event.items[0].object->key, "a+b.json");
  EXPECT_EQ(event.items[0].object->version, "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e");
}

TEST(Sqs, each_message_is_an_item_and_a_bad_one_is_refused_alone) {
  const Event event = read_event(
      R"({"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","receiptHandle":"AQEBwJ",
      "body":"Test \"message\".","attributes":{"ApproximateReceiveCount":"1",
      "SentTimestamp":"1545082649183","MessageGroupId":"g1"},"messageAttributes":{},
      "md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs",
      "eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue.fifo","awsRegion":"us-east-2"},
      {"messageId":"2","eventSource":"aws:sqs"},{"eventSource":"aws:sns"},17]})");
  ASSERT_EQ(event.source, Source::kSqs);
  ASSERT_EQ(event.items.size(), 4U);
  EXPECT_TRUE(event.fifo);
  EXPECT_EQ(event.items[0].value, "Test \"message\".");
  EXPECT_EQ(event.items[0].identifier, "059f36b4-87a3-44ab-83d2-661975830a7d");
  EXPECT_EQ(event.items[0].name, "my-queue.fifo");
  EXPECT_EQ(event.items[0].key, "g1");
  EXPECT_FALSE(event.items[0].refused);
  EXPECT_EQ(event.items[1].identifier, "2");
  for (int i = 1; i < 4; ++i) EXPECT_TRUE(event.items[static_cast<std::size_t>(i)].refused) << i;
  EXPECT_EQ(event.items[3].value, "17");
}

TEST(Kinesis, data_is_decoded_and_the_partition_key_is_the_key) {
  const Event event = read_event(
      R"({"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1",
      "sequenceNumber":"49590338271490256608559692538361571095921575989136588898",
      "data":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","approximateArrivalTimestamp":1545084650.987},
      "eventSource":"aws:kinesis","eventVersion":"1.0",
      "eventID":"shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
      "eventName":"aws:kinesis:record","awsRegion":"us-east-2",
      "eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"},
      {"kinesis":{"partitionKey":"2","sequenceNumber":"49","data":"***"},
      "eventSource":"aws:kinesis"}]})");
  ASSERT_EQ(event.source, Source::kKinesis);
  EXPECT_EQ(event.items[0].value, "Hello, this is a test.");
  EXPECT_EQ(event.items[0].key, "1");
  EXPECT_EQ(event.items[0].name, "lambda-stream");
  EXPECT_EQ(event.items[0].identifier, "49590338271490256608559692538361571095921575989136588898");
  ASSERT_TRUE(event.items[1].refused);
  EXPECT_EQ(event.items[1].refused->detail, "kinesis.data is not base64");
  EXPECT_EQ(event.items[1].identifier, "49");
}

TEST(Sns, the_message_is_the_payload) {
  const Event event = read_event(
      R"({"Records":[{"EventVersion":"1.0",
      "EventSubscriptionArn":"arn:aws:sns:us-east-2:123456789012:sns-lambda:21be56ed-a058-49f5-8c98",
      "EventSource":"aws:sns","Sns":{"SignatureVersion":"1","Timestamp":"2019-01-02T12:45:07.000Z",
      "Signature":"tcc6faL2yUC6dgZdmrwh1Y4cGa","MessageId":"95df01b4-ee98-5cb9-9903-4c221d41eb5e",
      "Message":"Hello from SNS!","MessageAttributes":{"Test":{"Type":"String","Value":"TestString"}},
      "Type":"Notification","TopicArn":"arn:aws:sns:us-east-2:123456789012:sns-lambda",
      "Subject":"TestInvoke"}}]})");
  ASSERT_EQ(event.source, Source::kSns);
  EXPECT_EQ(event.items[0].value, "Hello from SNS!");
  EXPECT_EQ(event.items[0].id, "95df01b4-ee98-5cb9-9903-4c221d41eb5e");
  EXPECT_EQ(event.items[0].name, "sns-lambda");
}

TEST(EventBridge, the_detail_is_the_payload_and_the_rest_its_metadata) {
  const Event event = read_event(
      R"({"version":"0","id":"fe8d3c65-xmpl-c5c3-2c87-81584709a377",
      "detail-type":"RDS DB Instance Event",
      "source":"aws.rds","account":"123456789012","time":"2020-04-28T07:20:20Z","region":"us-east-2",
      "resources":[],"detail":{"EventCategories":["backup"], "Price": 1.10}})");
  ASSERT_EQ(event.source, Source::kEventBridge);
  EXPECT_EQ(event.items[0].value, R"({"EventCategories":["backup"], "Price": 1.10})");
  EXPECT_EQ(event.items[0].type, "RDS DB Instance Event");
  EXPECT_EQ(event.items[0].name, "aws.rds");
  const auto metadata = Json::parse(event.items[0].metadata);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(text_at(*metadata, {"region"}), "us-east-2");
  EXPECT_FALSE(metadata->find("detail"));
}

TEST(Requests, of_both_formats_and_a_balancer_are_their_bodies) {
  const Event first = read_event(
      R"({"resource":"/{proxy+}","path":"/path/to/resource","httpMethod":"POST",
      "headers":{"Accept":"*/*","authorization":"Bearer secret-token"},"body":"eyJ0ZXN0IjoiYm9keSJ9",
      "requestContext":{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","httpMethod":"POST",
      "requestTime":"09/Apr/2015:12:34:56 +0000"},"isBase64Encoded":true})");
  ASSERT_EQ(first.source, Source::kApiV1);
  EXPECT_EQ(first.items[0].value, R"({"test":"body"})");
  EXPECT_EQ(first.items[0].id, "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
  EXPECT_EQ(first.items[0].metadata.find("secret-token"), std::string::npos);
  const Event second = read_event(
      R"({"version":"2.0","routeKey":"$default","rawPath":"/my/path","rawQueryString":"a=1",
      "headers":{"content-type":"application/x-ndjson"},"requestContext":{"accountId":"123456789012",
      "http":{"method":"POST","path":"/my/path","protocol":"HTTP/1.1"},"requestId":"id",
      "time":"12/Mar/2020:19:03:58 +0000"},"body":"{\"a\":1}\n\n{\"a\":2}\r\n","isBase64Encoded":false})");
  ASSERT_EQ(second.source, Source::kApiV2);
  ASSERT_EQ(second.items.size(), 2U);
  EXPECT_EQ(second.items[1].value, R"({"a":2})");
  EXPECT_NE(second.items[0].id, second.items[1].id);
  const Event third = read_event(
      R"({"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-2:1:x"}},
      "httpMethod":"GET","path":"/lambda","queryStringParameters":{"query":"1234ABCD"},
      "headers":{"x-amzn-trace-id":"Root=1-5c536348-3d683b8b04734faae651f476"},"body":"",
      "isBase64Encoded":false})");
  ASSERT_EQ(third.source, Source::kAlb);
  ASSERT_TRUE(third.items[0].refused);
  EXPECT_EQ(third.items[0].refused->detail, "the request has no body");
}

TEST(DynamoDb, the_keys_are_the_key) {
  const Event event = read_event(
      R"({"Records":[{"eventID":"7de3041dd709b024af6f29e4fa13d34c","eventName":"INSERT",
      "eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{
      "ApproximateCreationDateTime":1479499740,"Keys":{"Id":{"N":"101"}},
      "NewImage":{"Id":{"N":"101"}},"SequenceNumber":"13021600000000001596893679","SizeBytes":112},
      "eventSourceARN":"arn:aws:dynamodb:us-west-2:1:table/Sales/stream/2016-11-16T20:42:48.104"}]})");
  ASSERT_EQ(event.source, Source::kDynamoDb);
  EXPECT_EQ(event.items[0].key, R"({"Id":{"N":"101"}})");
  EXPECT_EQ(event.items[0].name, "Sales");
  EXPECT_EQ(event.items[0].identifier, "13021600000000001596893679");
}

TEST(Kafka, records_of_every_partition_are_items) {
  const Event event = read_event(
      R"({"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:1:cluster/vpc/751d",
      "bootstrapServers":"b-2.demo:9092","records":{"mytopic-0":[{"topic":"mytopic","partition":0,
      "offset":15,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"YQ==",
      "value":"SGVsbG8=","headers":[]}],"mytopic-1":[{"topic":"mytopic","partition":1,"offset":3,
      "value":"IQ=="},{"topic":"mytopic","partition":1,"offset":4,"value":"?"}]}})");
  ASSERT_EQ(event.source, Source::kKafka);
  ASSERT_EQ(event.items.size(), 3U);
  EXPECT_EQ(event.items[0].value, "Hello");
  EXPECT_EQ(event.items[0].key, "a");
  EXPECT_EQ(event.items[0].id, "mytopic-0@15");
  EXPECT_FALSE(event.items[1].key);
  EXPECT_TRUE(event.items[2].refused);
}

TEST(Plain, any_other_json_is_one_item_as_it_is) {
  for (const char* text : {R"({"key1": "value1"})", "[1, 2]", "7", R"({"Records":[]})",
                           R"({"Records":[{"eventSource":"my:own"}]})", R"({"records":{}})"}) {
    const Event event = read_event(text);
    ASSERT_EQ(event.source, Source::kPlain) << text;
    ASSERT_EQ(event.items.size(), 1U);
    EXPECT_EQ(event.items[0].value, text);
    EXPECT_FALSE(event.items[0].refused);
  }
  EXPECT_TRUE(read_event("{").items[0].refused);
}

}  // namespace
}  // namespace tailrace::lambda
