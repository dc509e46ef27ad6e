-- Security detection over a log of Windows events: a dozen rules, one pass.
-- Run it from this folder: runnel run detect.sql

CREATE TABLE events (
  record_id        STRING,
  ts               TIMESTAMP(3),
  EventID          INT,
  host             STRING,
  `User`           STRING,
  Image            STRING,
  CommandLine      STRING,
  ParentImage      STRING,
  TargetObject     STRING,
  TargetFilename   STRING,
  DestinationIp    STRING,
  DestinationPort  INT,
  QueryName        STRING,
  TargetUserName   STRING,
  IpAddress        STRING,
  LogonType        STRING,
  -- The path's last part: what people call the program.
  program AS REGEXP_EXTRACT(Image, '([^\\]+)$', 1),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'events.jsonl.gz',
  'format' = 'json',
  'json.ignore-parse-errors' = 'false'
);

-- The first rule that holds names the alert; most events fit none and are
-- dropped before more than the fields of the rules has been looked at.
CREATE VIEW hits AS
SELECT record_id, ts, host, `User`, program, CommandLine, rule
FROM (
  SELECT *,
    CASE
      WHEN EventID = 1 AND CommandLine LIKE '%sekurlsa::%'                                   THEN 'credential-dumping-mimikatz'
      WHEN EventID = 1 AND CommandLine LIKE '%comsvcs.dll%' AND CommandLine LIKE '%MiniDump%' THEN 'credential-dumping-lsass'
      WHEN EventID = 1 AND REGEXP(CommandLine, '(?i)reg\s+save\s+HKLM.(SAM|SYSTEM|SECURITY)') THEN 'credential-dumping-registry'
      WHEN EventID = 1 AND Image LIKE '%\powershell.exe' AND REGEXP(CommandLine, '(?i)-e(nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{20,}')
                                                                                             THEN 'powershell-encoded'
      WHEN EventID = 1 AND Image LIKE '%\vssadmin.exe' AND CommandLine LIKE '%delete shadows%' THEN 'shadow-copies-deleted'
      WHEN EventID = 1 AND Image LIKE '%\certutil.exe' AND CommandLine LIKE '%urlcache%'       THEN 'download-certutil'
      WHEN EventID = 1 AND Image LIKE '%\bitsadmin.exe' AND CommandLine LIKE '%/transfer%'     THEN 'download-bitsadmin'
      WHEN EventID = 1 AND Image LIKE '%\mshta.exe' AND CommandLine LIKE '%http%'              THEN 'script-from-the-net'
      WHEN EventID = 1 AND Image LIKE '%\schtasks.exe' AND CommandLine LIKE '%/create%' AND CommandLine LIKE '%Public%'
                                                                                             THEN 'persistence-task'
      WHEN EventID = 1 AND Image LIKE '%\wevtutil.exe' AND CommandLine LIKE '% cl %'           THEN 'log-cleared'
      WHEN EventID = 1 AND REGEXP(CommandLine, '(?i)net1?(\.exe)?\s+group\s+"Domain Admins".*/add') THEN 'domain-admin-added'
      WHEN EventID = 1 AND ParentImage LIKE '%\w3wp.exe'                                       THEN 'web-server-shell'
      WHEN EventID = 4625 AND LogonType = '3' AND TargetUserName = 'administrator'             THEN 'logon-failed-administrator'
    END AS rule
  FROM events
)
WHERE rule IS NOT NULL;

CREATE TABLE alerts (
  ts      TIMESTAMP(3),
  host    STRING,
  rule    STRING,
  `user`  STRING,
  program STRING,
  command STRING,
  event   STRING
) WITH (
  'connector' = 'filesystem',
  'path' = 'alerts',
  'format' = 'json'
);

CREATE TABLE per_host (
  host  STRING,
  rules BIGINT,
  hits  BIGINT,
  PRIMARY KEY (host) NOT ENFORCED
) WITH (
  'connector' = 'print'
);

EXECUTE STATEMENT SET BEGIN
  INSERT INTO alerts
  SELECT ts, host, rule, `User`, program, CommandLine, record_id FROM hits;

  INSERT INTO per_host
  SELECT host, COUNT(DISTINCT rule), COUNT(*) FROM hits GROUP BY host HAVING COUNT(DISTINCT rule) >= 5;
END;
