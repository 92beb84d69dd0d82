-- Silver: one typed row for each record (users_clean), then one row for each user (users).
CREATE TEMPORARY VIEW users_clean__checked AS WITH parsed AS (
  SELECT
    from_json(value, 'gender STRING,
      name STRUCT<title: STRING, first: STRING, last: STRING>,
      location STRUCT<street: STRUCT<number: INT, name: STRING>, city: STRING, state: STRING, country: STRING,
        postcode: STRING>,
      email STRING,
      login STRUCT<uuid: STRING, username: STRING>,
      dob STRUCT<date: STRING, age: INT>,
      registered STRUCT<date: STRING>,
      phone STRING,
      picture STRUCT<large: STRING, medium: STRING>,
      nat STRING') AS u,
    partition, offset, timestamp
  FROM STREAM users_raw
)
SELECT
  lower(trim(u.login.uuid)) AS id,
  trim(u.name.first) AS first_name,
  trim(u.name.last) AS last_name,
  CASE WHEN lower(trim(u.gender)) IN ('female', 'male') THEN lower(trim(u.gender)) ELSE 'unknown' END AS gender,
  concat_ws(', ', concat_ws(' ', CAST(u.location.street.number AS STRING), u.location.street.name),
    u.location.city, u.location.state, u.location.country) AS address,
  u.location.postcode AS post_code,
  lower(trim(u.email)) AS email,
  u.login.username AS username,
  TRY_CAST(u.dob.date AS DATE) AS dob,
  TRY_CAST(u.registered.date AS TIMESTAMP) AS registered_date,
  u.phone AS phone,
  coalesce(u.picture.large, u.picture.medium) AS picture,
  coalesce(upper(u.nat), 'unknown') AS nationality,
  u.dob.age AS age,
  coalesce(u.location.country, 'unknown') AS country,
  coalesce(u.location.city, 'unknown') AS city,
  partition AS source_partition,
  offset AS source_offset,
  timestamp AS source_timestamp
FROM parsed;

CREATE STREAMING TABLE users_clean
COMMENT 'Users, typed and cleaned, one row for each record'
AS SELECT * FROM STREAM users_clean__checked
WHERE CASE
  WHEN (id IS NULL OR length(id) = 36) IS NOT TRUE THEN raise_error('expectation id_is_uuid of users_clean failed: id IS NULL OR length(id) = 36')
  ELSE (id IS NOT NULL) IS TRUE AND (email LIKE '%_@_%') IS TRUE
END;

CREATE STREAMING TABLE users_clean__quarantine AS
SELECT *, concat_ws(', ',
  CASE WHEN (id IS NOT NULL) IS NOT TRUE THEN 'has_id' END,
  CASE WHEN (email LIKE '%_@_%') IS NOT TRUE THEN 'has_email' END) AS reason
FROM STREAM users_clean__checked
WHERE NOT ((id IS NOT NULL) IS TRUE AND (email LIKE '%_@_%') IS TRUE);

-- The first record of a user wins. A streaming table cannot say this without a watermark, so it is a view.
CREATE MATERIALIZED VIEW users
COMMENT 'Users, one row each: what is served as created_users'
AS SELECT id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, phone, picture,
  nationality, age, country, city, source_timestamp AS created_at
FROM (
  SELECT *,
    ROW_NUMBER() OVER (PARTITION BY id ORDER BY source_timestamp, source_partition, source_offset) AS nth
  FROM users_clean
)
WHERE nth = 1;
