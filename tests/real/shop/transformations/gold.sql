CREATE MATERIALIZED VIEW customer_orders
AS SELECT o.id, c.name, c.city, o.total,
  CASE WHEN o.total > 100 THEN 'large' WHEN o.total > 10 THEN 'middle' WHEN o.total IS NULL THEN 'free' ELSE 'small' END
    AS size,
  CASE c.vip WHEN true THEN 'vip' WHEN false THEN 'guest' END AS kind
FROM order_rows o JOIN customers_now c ON o.customer = c.id;

CREATE MATERIALIZED VIEW customer_totals
AS SELECT c.id, c.name, count(o.id) AS orders, sum(o.total) AS total, avg(o.total) AS mean, min(o.at) AS first,
  max(o.day) AS last_day, count(DISTINCT o.day) AS days, sum(o.big) AS big
FROM customers_now c LEFT JOIN order_rows o ON c.id = o.customer
GROUP BY c.id, c.name;

-- Rows leave this table as soon as a better one comes, and with them what is counted from it.
CREATE MATERIALIZED VIEW best_customers
AS SELECT name, total, rank
FROM (
  SELECT name, total, ROW_NUMBER() OVER (ORDER BY total DESC NULLS LAST, name, id) AS rank
  FROM customer_totals
)
WHERE rank <= 5;

CREATE MATERIALIZED VIEW best_cities
AS SELECT c.city, count(*) AS best, sum(b.total) AS total
FROM best_customers b JOIN customers_now c ON b.name = c.name
GROUP BY c.city;

CREATE MATERIALIZED VIEW two_newest
AS SELECT customer, id, at, nth
FROM (
  SELECT customer, id, at, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY at DESC NULLS LAST, id DESC) AS nth
  FROM order_rows
)
WHERE nth <= 2;

CREATE MATERIALIZED VIEW sku_sales
AS WITH sold AS (SELECT sku, qty * price AS amount, qty FROM order_lines WHERE qty IS NOT NULL),
  listed AS (SELECT sku, sum(amount) AS amount, sum(qty) AS pieces, count(*) AS lines FROM sold GROUP BY sku)
SELECT sku, amount, pieces, lines FROM listed WHERE lines > 1;

CREATE MATERIALIZED VIEW tag_counts
AS SELECT tag, count(*) AS orders FROM (SELECT explode_outer(tags) AS tag FROM order_rows) GROUP BY tag;

CREATE MATERIALIZED VIEW attributes
AS SELECT id, key, value FROM (SELECT id, explode(attrs) FROM order_rows);

CREATE MATERIALIZED VIEW all_words
AS SELECT note AS word, 'note' AS origin FROM order_rows WHERE note IS NOT NULL
UNION ALL
SELECT name, 'name' FROM customers_now
UNION ALL
SELECT sku, CAST(NULL AS STRING) FROM order_lines;

CREATE MATERIALIZED VIEW words
AS SELECT DISTINCT word FROM all_words;

CREATE MATERIALIZED VIEW by_number
AS SELECT number, count(*) AS orders FROM order_rows GROUP BY number;

CREATE MATERIALIZED VIEW numbers
AS SELECT count(number) AS known, min(number) AS least, max(number) AS most, min(rate) AS least_rate,
  max(rate) AS most_rate, min(ratio) AS least_ratio, max(ratio) AS most_ratio, min(paid) AS any_unpaid, max(note) AS note
FROM order_rows;

CREATE MATERIALIZED VIEW arithmetic
AS SELECT id, -rate AS negated, rate + 1 AS plus, rate * rate AS square, abs(rate) AS absolute, round(rate, 1) AS rounded,
  floor(rate) AS floor, ceil(rate) AS ceiling, rate % 3 AS rest, pmod(big % 1000, 7) AS positive, big % 7 AS remainder,
  try_divide(rate, ratio) AS quotient, CAST(total AS DOUBLE) / 3 AS third, total * 3 AS triple,
  CAST(total AS INT) AS whole, CAST(rate AS STRING) AS rate_text, CAST(ratio AS STRING) AS ratio_text,
  rate > 1 AS above, rate = number AS same, isnan(rate) AS strange, sign(rate) AS sign
FROM order_rows;

CREATE MATERIALIZED VIEW texts
AS SELECT id, length(note) AS characters, upper(note) AS upper, lower(note) AS lower, reverse(note) AS reversed,
  substring(note, 2, 3) AS middle, substring(note, -2) AS tail, trim(note) AS trimmed, initcap(note) AS initial,
  lpad(note, 5, '*') AS padded, concat_ws('|', tags) AS tags, concat(note, '!') AS loud, note LIKE '%a_' AS alike,
  split(note, ' ') AS parts, replace(note, 'a', '😀') AS smiling, size(tags) AS tag_count, size(items) AS item_count,
  CASE WHEN size(tags) > 0 THEN tags[0] END AS first_tag, attrs['k'] AS k, coalesce(note, 'none') AS known, instr(note, 'ß') AS sharp,
  translate(note, 'aé', 'x') AS translated, regexp_replace(note, '[0-9]+', '#') AS hidden
FROM order_rows;

CREATE MATERIALIZED VIEW times
AS SELECT id, at, day, year(at) AS year, month(day) AS month, dayofweek(day) AS weekday, weekofyear(day) AS week,
  hour(at) AS hour, second(at) AS second, date_trunc('HOUR', at) AS hour_of, trunc(day, 'MM') AS month_of,
  CAST(at AS DATE) AS at_day, CAST(day AS TIMESTAMP) AS midnight, date_add(day, 1) AS next, datediff(day, DATE'2000-02-29')
    AS since, last_day(day) AS month_end, at + INTERVAL 1 DAY AS tomorrow, day > DATE'2024-03-31' AS after_change,
  CAST(at AS STRING) AS at_text, unix_seconds(at) AS epoch, add_months(day, 1) AS in_a_month
FROM order_rows;

CREATE MATERIALIZED VIEW per_day
AS SELECT window(at, '1 day').start AS day, count(*) AS orders
FROM order_rows
WHERE at IS NOT NULL
GROUP BY window(at, '1 day');
