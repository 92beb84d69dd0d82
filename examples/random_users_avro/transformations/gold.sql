-- Gold: what is asked of the users.
CREATE MATERIALIZED VIEW users_by_country_gender
AS SELECT country, gender, count(*) AS users
FROM users
GROUP BY country, gender;
