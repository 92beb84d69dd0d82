-- Silver: one typed row for each record (users_clean), then one row for each user (users). The columns have types
-- already, so there is no text to parse; a postcode is text or a number, a field for each.
CREATE STREAMING TABLE users_clean (
  CONSTRAINT plausible_age EXPECT (age >= 0 AND age <= 120),
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_email EXPECT (email LIKE '%_@_%') ON VIOLATION DROP ROW
)
COMMENT 'Users, typed and cleaned, one row for each record'
AS SELECT
  lower(trim(login.uuid)) AS id,
  trim(name.first) AS first_name,
  trim(name.last) AS last_name,
  CASE WHEN lower(trim(gender)) IN ('female', 'male') THEN lower(trim(gender)) ELSE 'unknown' END AS gender,
  concat_ws(', ', concat_ws(' ', CAST(location.street.number AS STRING), location.street.name),
    location.city, location.state, location.country) AS address,
  coalesce(location.postcode.member0, CAST(location.postcode.member1 AS STRING)) AS post_code,
  lower(trim(email)) AS email,
  login.username AS username,
  TRY_CAST(dob.date AS DATE) AS dob,
  TRY_CAST(registered.date AS TIMESTAMP) AS registered_date,
  phone,
  coalesce(picture.large, picture.medium) AS picture,
  coalesce(upper(nat), 'unknown') AS nationality,
  dob.age AS age,
  coalesce(location.country, 'unknown') AS country,
  coalesce(location.city, 'unknown') AS city,
  partition AS source_partition,
  offset AS source_offset,
  timestamp AS source_timestamp
FROM STREAM users_raw;

-- The first record of a user wins.
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
