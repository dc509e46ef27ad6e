-- RocketMQ topic -> filter -> window -> RocketMQ topic.
-- runnel run --state-dir state job.sql goes on where it was after a crash or a kill.

SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE visits (
  user_id INT,
  millis  INT,
  ts      TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'rocketmq',
  'topic' = 'visits',
  'nameServerAddress' = '127.0.0.1:9876',
  'consumerGroup' = 'visits-per-user',
  'format' = 'json'
);

CREATE TABLE slow_visits (
  user_id      INT,
  window_start TIMESTAMP(3),
  visits        BIGINT,
  slowest      INT
) WITH (
  'connector' = 'rocketmq',
  'topic' = 'slow_visits',
  'nameServerAddress' = '127.0.0.1:9876',
  'keyColumns' = 'user_id',
  'sink.delivery-guarantee' = 'exactly-once',   -- sent when the checkpoint is committed, with ids
  'format' = 'json'
);

INSERT INTO slow_visits
SELECT user_id, window_start, COUNT(*), MAX(millis)
FROM TABLE(TUMBLE(TABLE visits, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE millis > 300
GROUP BY user_id, window_start, window_end;
