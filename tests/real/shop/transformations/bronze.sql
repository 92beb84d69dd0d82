CREATE STREAMING TABLE odd_values AS SELECT partition, offset, value FROM STREAM odd;

CREATE STREAMING TABLE orders_raw AS SELECT value, partition, offset, timestamp FROM STREAM orders;

CREATE STREAMING TABLE customers_raw AS SELECT value, partition, offset, timestamp FROM STREAM customers;
