package builtin

// grokPatterns are the patterns that every grok expression can use, under the
// names that are usual for them.
const grokPatterns = `
# numbers and words
INT [+-]?\d+
POSINT \b[1-9]\d*\b
NONNEGINT \b\d+\b
BASE10NUM (?<![\d.+-])[+-]?(?:\d+(?:\.\d+)?|\.\d+)
NUMBER %{BASE10NUM}
BASE16NUM (?<![\dA-Fa-f])[+-]?(?:0x)?[\dA-Fa-f]+
BASE16FLOAT (?<![\dA-Fa-f.])[+-]?(?:0x)?(?:[\dA-Fa-f]+(?:\.[\dA-Fa-f]*)?|\.[\dA-Fa-f]+)\b
BOOLEAN (?i:true|false)
WORD \b\w+\b
NOTSPACE \S+
SPACE \s*
DATA .*?
GREEDYDATA .*
GREEDYMULTILINE (?s:.*)
QUOTEDSTRING "(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'
QS %{QUOTEDSTRING}
UUID [\dA-Fa-f]{8}(?:-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12}
URN urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9A-Fa-f]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+

# people
USERNAME [\w.-]+
USER %{USERNAME}
EMAILLOCALPART [A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*
EMAILADDRESS %{EMAILLOCALPART}@%{HOSTNAME}
HTTPDUSER (?:%{EMAILADDRESS}|%{USER})

# networks
CISCOMAC (?:[\dA-Fa-f]{4}\.){2}[\dA-Fa-f]{4}
WINDOWSMAC (?:[\dA-Fa-f]{2}-){5}[\dA-Fa-f]{2}
COMMONMAC (?:[\dA-Fa-f]{2}:){5}[\dA-Fa-f]{2}
MAC (?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})
BYTE (?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)
IPV4 (?<!\d)(?:%{BYTE}\.){3}%{BYTE}(?!\d)
H16 [\dA-Fa-f]{1,4}
IPV6TAIL (?:%{H16}:%{H16}|%{IPV4})
IPV6 (?<![\w:])(?:(?:%{H16}:){6}%{IPV6TAIL}|::(?:%{H16}:){5}%{IPV6TAIL}|%{H16}?::(?:%{H16}:){4}%{IPV6TAIL}|(?:(?:%{H16}:)?%{H16})?::(?:%{H16}:){3}%{IPV6TAIL}|(?:(?:%{H16}:){0,2}%{H16})?::(?:%{H16}:){2}%{IPV6TAIL}|(?:(?:%{H16}:){0,3}%{H16})?::%{H16}:%{IPV6TAIL}|(?:(?:%{H16}:){0,4}%{H16})?::%{IPV6TAIL}|(?:(?:%{H16}:){0,5}%{H16})?::%{H16}|(?:(?:%{H16}:){0,6}%{H16})?::)(?:%[\w.-]+)?(?![\w:])
IP (?:%{IPV6}|%{IPV4})
HOSTLABEL [0-9A-Za-z](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z])?
HOSTNAME \b%{HOSTLABEL}(?:\.%{HOSTLABEL})*(?:\.|\b)
HOST %{HOSTNAME}
IPORHOST (?:%{IP}|%{HOSTNAME})
HOSTPORT %{IPORHOST}:%{POSINT}

# files and addresses of the web
UNIXPATH (?:/[\w!$%&()*+,.:;=?@^~#-]*|/(?=[^\s/]))+
WINPATH (?:[A-Za-z]:|\\)(?:\\[^\\?*"<>|\r\n]*)+
PATH (?:%{UNIXPATH}|%{WINPATH})
TTY /dev/(?:pts|tty(?:[pq]|\w*))/?\w*
URIPROTO [A-Za-z][A-Za-z0-9+.-]*
URIHOST %{IPORHOST}(?::%{POSINT:port})?
URIPATH (?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+
URIQUERY [A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*
URIPARAM \?%{URIQUERY}
URIPATHPARAM %{URIPATH}(?:%{URIPARAM})?
URI %{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?

# times
MONTH \b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b
MONTHNUM (?:1[0-2]|0?[1-9])
MONTHNUM2 (?:1[0-2]|0[1-9])
MONTHDAY (?:3[01]|[12]\d|0?[1-9])
DAY \b(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:r(?:s(?:day)?)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)\b
YEAR (?:\d\d){1,2}
HOUR (?:2[0-3]|[01]?\d)
MINUTE [0-5]\d
SECOND (?:[0-5]?\d|60)(?:[:.,]\d+)?
TIME (?<!\d)%{HOUR}:%{MINUTE}(?::%{SECOND})?(?!\d)
DATE_US %{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}
DATE_EU %{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}
DATE (?:%{DATE_US}|%{DATE_EU})
DATESTAMP %{DATE}[- ]%{TIME}
TZ [A-Z]{3,4}
ISO8601_TIMEZONE (?:Z|[+-]%{HOUR}(?::?%{MINUTE})?)
ISO8601_HOUR (?:2[0-4]|[01]?\d)
ISO8601_SECOND %{SECOND}
TIMESTAMP_ISO8601 %{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{ISO8601_HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?
DATESTAMP_RFC822 %{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}
DATESTAMP_RFC2822 %{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}
DATESTAMP_OTHER %{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}
DATESTAMP_EVENTLOG %{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}
HTTPDERROR_DATE %{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}
SYSLOGTIMESTAMP %{MONTH} +%{MONTHDAY} %{TIME}
HTTPDATE %{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}

# syslog
LOGLEVEL (?i:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?)
PROG [\x21-\x5a\x5c\x5e-\x7e]+
SYSLOGPROG %{PROG:program}(?:\[%{POSINT:pid}\])?
SYSLOGHOST %{IPORHOST}
SYSLOGFACILITY <%{NONNEGINT:facility}\.%{NONNEGINT:priority}>
SYSLOGBASE %{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:
SYSLOGLINE %{SYSLOGBASE} %{GREEDYDATA:message}
SYSLOG5424PRI <%{NONNEGINT:syslog5424_pri}>
SYSLOG5424SD (?:\[(?:[^\]\\]|\\.)*\])+
SYSLOG5424BASE %{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver} +(?:-|%{TIMESTAMP_ISO8601:syslog5424_ts}) +(?:-|%{IPORHOST:syslog5424_host}) +(?:-|%{NOTSPACE:syslog5424_app}) +(?:-|%{NOTSPACE:syslog5424_proc}) +(?:-|%{NOTSPACE:syslog5424_msgid}) +(?:-|%{SYSLOG5424SD:syslog5424_sd})
SYSLOG5424LINE %{SYSLOG5424BASE}(?: +%{GREEDYDATA:syslog5424_msg})?
CRON_ACTION [A-Z ]+
CRONLOG %{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\)

# web servers
HTTPD_REQUEST (?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})
HTTPD_COMMONLOG %{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "%{HTTPD_REQUEST}" (?:-|%{INT:response}) (?:-|%{INT:bytes})
HTTPD_COMBINEDLOG %{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}
COMMONAPACHELOG %{HTTPD_COMMONLOG}
COMBINEDAPACHELOG %{HTTPD_COMBINEDLOG}
HTTPD20_ERRORLOG \[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clientip}\] )?%{GREEDYDATA:message}
HTTPD24_ERRORLOG \[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}\] \[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\](?: \[client %{IPORHOST:clientip}(?::%{POSINT:clientport})?\])?(?: %{WORD:errorcode}:)? %{GREEDYDATA:message}
HTTPD_ERRORLOG (?:%{HTTPD24_ERRORLOG}|%{HTTPD20_ERRORLOG})
NGINX_ACCESS %{IPORHOST:clientip} - %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "%{HTTPD_REQUEST}" %{INT:response} %{INT:bytes} %{QS:referrer} %{QS:agent}

# Java
JAVACLASS (?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*
JAVAFILE [\w $.-]+
JAVAMETHOD (?:<(?:cl)?init>|[A-Za-z_$][\w$]*)
JAVASTACKTRACEPART \s*at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{INT:line})?\)
JAVATHREAD [\w#:$ -]+
JAVALOGMESSAGE .*

# Redis
REDISTIMESTAMP %{MONTHDAY} %{MONTH} %{TIME}
REDISLOG \[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} \* 
`
