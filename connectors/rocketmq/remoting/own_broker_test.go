package remoting_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestBrokerRestart(t *testing.T) {
	t.Parallel()
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{})
	c := client(t, func(cfg *remoting.Config) {
		cfg.NameServers = []string{own.Addr()}
		cfg.Attempts = 40
	})
	topic := newTopic(t, c, 1)
	q := queuesOf(t, c, topic)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, err := c.Send(ctx, q, "", remoting.Outgoing{Body: []byte("before")}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // flushed every half second
	if err := own.Brokers[0].Kill(); err != nil {
		t.Fatal(err)
	}
	var got remoting.Messages
	if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "g", Wait: time.Second}, &got); err == nil || !remoting.IsTemporary(err) {
		t.Errorf("pull from a dead broker: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Send(ctx, q, "", remoting.Outgoing{Body: []byte("while it was down")})
		done <- err
	}()
	if err := own.Brokers[0].Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, c, q, 0, 2, remoting.Filter{}); got[0] != "before" || got[1] != "while it was down" {
		t.Errorf("%q", got)
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{AccessKey: "root", SecretKey: "secret123"})
	for _, json := range []bool{false, true} {
		c := client(t, func(cfg *remoting.Config) {
			cfg.NameServers, cfg.JSONHeader = []string{own.Addr()}, json
			cfg.AccessKey, cfg.SecretKey = "root", "secret123"
		})
		topic := newTopic(t, c, 1)
		q := queuesOf(t, c, topic)[0]
		if _, err := c.Send(t.Context(), q, "", remoting.Outgoing{Body: []byte("signed")}); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, c, q, 0, 1, remoting.Filter{}); got[0] != "signed" {
			t.Errorf("%q", got)
		}
		for _, secret := range []string{"wrong", ""} {
			bad := client(t, func(cfg *remoting.Config) {
				cfg.NameServers, cfg.JSONHeader = []string{own.Addr()}, json
				if secret != "" {
					cfg.AccessKey, cfg.SecretKey = "root", secret
				}
			})
			_, err := bad.Send(t.Context(), q, "", remoting.Outgoing{Body: []byte("x")})
			var e *remoting.Error
			if !errors.As(err, &e) || e.Code != remoting.NoPermission || remoting.IsTemporary(err) {
				t.Errorf("secret %q: %v", secret, err)
			}
		}
	}
}

// certificate writes a self-signed certificate for 127.0.0.1 and returns its pool.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		var b bytes.Buffer
		pem.Encode(&b, &pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key = write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", pkcs8)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t)
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{CertFile: cert, KeyFile: key})
	with := func(conf *tls.Config) *remoting.Client {
		return client(t, func(cfg *remoting.Config) { cfg.NameServers, cfg.TLS = []string{own.Addr()}, conf })
	}
	c := with(&tls.Config{RootCAs: pool})
	var topic string
	eventually(t, "the broker registers", 30*time.Second, func() bool {
		b, err := c.Brokers(t.Context())
		return err == nil && len(b) == 1
	})
	topic = newTopic(t, c, 1)
	q := queuesOf(t, c, topic)[0]
	if _, err := c.Send(t.Context(), q, "", remoting.Outgoing{Body: []byte("secret")}); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, c, q, 0, 1, remoting.Filter{}); got[0] != "secret" {
		t.Errorf("%q", got)
	}
	_, err := with(&tls.Config{}).Route(t.Context(), topic)
	var unknown *tls.CertificateVerificationError
	if !errors.As(err, &unknown) || remoting.IsTemporary(err) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	if _, err := with(nil).Route(t.Context(), topic); err == nil {
		t.Error("plain text was answered")
	}
}

func TestSeveralBrokers(t *testing.T) {
	t.Parallel()
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{Brokers: 2})
	c := client(t, func(cfg *remoting.Config) { cfg.NameServers, cfg.Namespace = []string{own.Addr()}, "ns" })
	topic := newTopic(t, c, 2)
	queues := queuesOf(t, c, topic)
	if len(queues) != 4 || queues[0].Broker == queues[3].Broker || queues[0].Topic != topic {
		t.Fatalf("%v", queues)
	}
	for _, q := range queues {
		if _, err := c.Send(t.Context(), q, "", remoting.Outgoing{Body: []byte(q.String())}); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range queues {
		if got := readAll(t, c, q, 0, 1, remoting.Filter{}); got[0] != q.String() {
			t.Errorf("%v: %q", q, got)
		}
	}
	_, s := join(t, c, "g", topic)
	eventually(t, "queues of both brokers are assigned", 20*time.Second, func() bool { return len(s.has()) == 4 })
	other := client(t, func(cfg *remoting.Config) { cfg.NameServers = []string{own.Addr()} })
	if _, err := other.Route(t.Context(), "ns%"+topic); err != nil {
		t.Errorf("the topic is not where the namespace puts it: %v", err)
	}
}
