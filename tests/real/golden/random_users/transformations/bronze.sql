-- Bronze: every record as it came. `users_created` is the topic's relation, declared in tailrace.yml:
-- key STRING, value STRING, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP.
CREATE STREAMING TABLE users_raw
COMMENT 'Records of the topic users_created, as they came'
AS SELECT key, value, topic, partition, offset, timestamp
FROM STREAM users_created;
