-- Bronze: the record in the columns of its schema. A version of the schema that has more makes this table wider.
CREATE STREAMING TABLE users_raw
COMMENT 'Records of the topic users_created, in the columns of their schema'
AS SELECT value.*, partition, offset, timestamp
FROM STREAM users_created;
