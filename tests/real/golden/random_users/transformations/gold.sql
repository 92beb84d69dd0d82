-- Gold: what is asked of the users. Every ORDER BY ends in columns that decide, so that any engine gives the same rows.
CREATE MATERIALIZED VIEW users_by_country_gender
AS SELECT country, gender, count(*) AS users
FROM users
GROUP BY country, gender;

-- A minute comes out once, when the watermark has passed its end; later rows of that minute are late.
CREATE STREAMING TABLE signups_per_minute
AS SELECT window.start AS minute, country, count(*) AS signups
FROM STREAM users_clean WATERMARK source_timestamp DELAY OF INTERVAL 10 SECONDS
GROUP BY window(source_timestamp, '1 minute'), country;

CREATE MATERIALIZED VIEW age_by_nationality
AS SELECT nationality, count(age) AS users, round(avg(age), 2) AS avg_age, min(age) AS min_age, max(age) AS max_age,
  round(stddev(age), 2) AS stddev_age
FROM users
GROUP BY nationality;

CREATE MATERIALIZED VIEW top_cities
AS SELECT city, country, count(*) AS users
FROM users
GROUP BY city, country
ORDER BY users DESC, city, country
LIMIT 10;

CREATE MATERIALIZED VIEW latest_users
AS SELECT id, first_name, last_name, country, created_at
FROM users
ORDER BY created_at DESC, id
LIMIT 20;
