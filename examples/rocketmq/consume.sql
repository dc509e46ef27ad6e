-- What the job has written so far. runnel run consume.sql

CREATE TABLE slow_visits (
  user_id      INT,
  window_start TIMESTAMP(3),
  visits        BIGINT,
  slowest      INT,
  queue        INT METADATA FROM 'queue-id' VIRTUAL,
  stored       TIMESTAMP_LTZ(3) METADATA FROM 'store-time' VIRTUAL
) WITH (
  'connector' = 'rocketmq',
  'topic' = 'slow_visits',
  'nameServerAddress' = '127.0.0.1:9876',
  'scan.startup.mode' = 'earliest',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'json'
);

SELECT * FROM slow_visits;
