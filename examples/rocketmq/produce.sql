-- Sample events: 20,000 page visits of ten users, a second's worth each 10,000.
-- After 'make services': runnel run produce.sql

CREATE TABLE generated (
  id   BIGINT,
  user_id INT,
  millis INT
) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '20000',
  'rows-per-second' = '20000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '19999',
  'fields.user_id.min' = '1', 'fields.user_id.max' = '10',
  'fields.millis.min' = '1', 'fields.millis.max' = '900'
);

CREATE TABLE visits (
  user_id INT,
  millis  INT,
  ts      TIMESTAMP(3)
) WITH (
  'connector' = 'rocketmq',
  'topic' = 'visits',
  'nameServerAddress' = '127.0.0.1:9876',
  'keyColumns' = 'user_id',        -- the message's keys; they also choose the queue
  'format' = 'json'
);

-- One view each 10 ms of event time, 200 s in all.
INSERT INTO visits
SELECT user_id, millis, TIMESTAMPADD(SECOND, CAST(id / 100 AS INT), TIMESTAMP '2024-01-01 00:00:00') FROM generated;
