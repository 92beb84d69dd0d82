-- Every value that a record may hold in place of the right one becomes NULL here, or does not.
CREATE STREAMING TABLE order_rows (
  CONSTRAINT has_customer EXPECT (customer IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT sane_total EXPECT (total IS NULL OR total >= 0) ON VIOLATION DROP ROW,
  CONSTRAINT has_items EXPECT (size(items) > 0)
)
AS SELECT
  o.id AS id, o.customer AS customer, o.total AS total, o.rate AS rate, o.ratio AS ratio, o.big AS big, o.paid AS paid,
  o.note AS note, o.items AS items, o.tags AS tags, o.attrs AS attrs, TRY_CAST(o.at AS TIMESTAMP) AS at,
  TRY_CAST(o.day AS DATE) AS day, TRY_CAST(o.number AS DOUBLE) AS number, partition, offset, timestamp
FROM (
  SELECT from_json(value, 'id BIGINT, customer INT, total DECIMAL(10,2), rate DOUBLE, ratio FLOAT, big BIGINT,
    paid BOOLEAN, note STRING, items ARRAY<STRUCT<sku: STRING, qty: INT, price: DECIMAL(8,2)>>, tags ARRAY<STRING>,
    attrs MAP<STRING, STRING>, at STRING, day STRING, number STRING') AS o, partition, offset, timestamp
  FROM STREAM orders_raw
);

-- The newest version of a customer: a change takes the older one back everywhere.
CREATE MATERIALIZED VIEW customers_now
AS SELECT id, name, city, vip
FROM (
  SELECT c.id AS id, c.name AS name, c.city AS city, c.vip AS vip,
    ROW_NUMBER() OVER (PARTITION BY c.id ORDER BY timestamp DESC, partition DESC, offset DESC) AS nth
  FROM (
    SELECT from_json(value, 'id INT, name STRING, city STRING, vip BOOLEAN') AS c, partition, offset, timestamp
    FROM customers_raw
  )
)
WHERE nth = 1;

CREATE STREAMING TABLE order_lines
AS SELECT id, customer, pos, item.sku AS sku, item.qty AS qty, item.price AS price, partition, offset
FROM STREAM order_rows LATERAL VIEW posexplode(items) AS pos, item;

CREATE STREAMING TABLE orders_per_ten_minutes
AS SELECT window.start AS start, window.end AS end, paid, count(*) AS orders, sum(total) AS total, max(note) AS note
FROM STREAM order_rows WATERMARK timestamp DELAY OF INTERVAL 1 MINUTE
GROUP BY window(timestamp, '10 minutes'), paid;
