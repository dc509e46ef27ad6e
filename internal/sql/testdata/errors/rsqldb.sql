SELECT from FROM t
---
SELECT group FROM t
---
CREATE TABLE t (a INT, select INT) WITH (type = 'file')
---
CREATE TABLE t (a INT) WITH (type 'file')
---
SELECT a FROM t EMIT DELAY '1' MINUTE
---
SELECT a FROM t EMIT WITH DELAY '1' MINUTE BEFORE
---
SELECT "a
