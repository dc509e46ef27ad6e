package queues

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

// TestWrongPassword: exit code 1, the cause, and not the password; source and sink.
func TestWrongPassword(t *testing.T) {
	const user, good, wrong = "runnel", "good-word", "bad-word"
	for _, c := range []struct {
		name  string
		start func(t *testing.T) (with func(password string) string)
		want  string
	}{
		{"kafka", func(t *testing.T) func(string) string {
			own := servicetest.OwnKafka(t, services.KafkaOptions{User: user, Password: good})
			return func(password string) string {
				return fmt.Sprintf("'connector' = 'kafka', 'topic' = 'runnel_topic', 'properties.bootstrap.servers' = '%s', 'format' = 'json', 'properties.security.protocol' = 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = 'PLAIN', "+
					"'properties.sasl.jaas.config' = 'org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\";'", own.Addr(), user, password)
			}
		}, "SASL_AUTHENTICATION_FAILED"},
		{"rocketmq", func(t *testing.T) func(string) string {
			own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{AccessKey: user, SecretKey: good})
			return func(password string) string {
				return fmt.Sprintf("'connector' = 'rocketmq', 'topic' = 'runnel_topic', 'nameServerAddress' = '%s', 'consumerGroup' = 'runnel_group', 'format' = 'json', 'accessKey' = '%s', 'secretKey' = '%s'", own.Addr(), user, password)
			}
		}, "no permission"},
	} {
		t.Run(c.name, func(t *testing.T) {
			with := c.start(t)
			const feed = "CREATE TABLE s (k STRING, v BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');\nCREATE TABLE o (k STRING, v BIGINT) WITH (%s);\nINSERT INTO o SELECT k, v FROM s;\n"
			good := run(t, t.TempDir(), fmt.Sprintf(feed, with(good)))
			if code := good.wait(t, time.Minute); code != 0 {
				t.Fatalf("with the right password: exit code %d:\n%s", code, good.said.String())
			}
			for name, script := range map[string]string{"sink": fmt.Sprintf(feed, with(wrong)), "source": fmt.Sprintf(copyJob, with(wrong), toFile)} {
				p := run(t, t.TempDir(), script)
				code, said := p.wait(t, time.Minute), p.said.String()
				if code != 1 || !strings.Contains(said, c.want) {
					t.Errorf("%s: exit code %d, want 1 and %q:\n%s", name, code, c.want, said)
				}
				if strings.Contains(said, wrong) {
					t.Errorf("%s: the password is in the log:\n%s", name, said)
				}
			}
		})
	}
}
