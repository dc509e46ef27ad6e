package services

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions of the brokers.
const (
	RocketMQVersion = "5.5.0"
	KafkaVersion    = "4.3.0"
)

// artifact is a Maven coordinate.
type artifact struct{ group, name, version string }

// classpath resolves artifacts and what they need through Maven's local
// repository and returns a class path of jars. The answer is kept in the user's
// cache folder, so that Maven runs once for a set of artifacts.
func classpath(ctx context.Context, artifacts ...artifact) (string, error) {
	var deps strings.Builder
	for _, a := range artifacts {
		fmt.Fprintf(&deps, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n", a.group, a.name, a.version)
	}
	sum := sha256.Sum256([]byte(deps.String()))
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "runnel", "services")
	file := filepath.Join(cache, hex.EncodeToString(sum[:8])+".classpath")
	if text, err := os.ReadFile(file); err == nil && allExist(string(text)) {
		return string(text), nil
	}
	if err := Available(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(cache, "resolve-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	pom := `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>runnel</groupId><artifactId>services</artifactId><version>1</version><dependencies>
` + deps.String() + "</dependencies></project>\n"
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(pom), 0o644); err != nil {
		return "", err
	}
	out := filepath.Join(dir, "classpath")
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile="+out, "-DincludeScope=runtime")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn dependency:build-classpath: %w\n%s", err, tail(text, 2000))
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return "", err
	}
	return string(text), os.Rename(out, file)
}

func allExist(classpath string) bool {
	for p := range strings.SplitSeq(classpath, string(os.PathListSeparator)) {
		if _, err := os.Stat(p); err != nil {
			return false
		}
	}
	return true
}

func tail(text []byte, n int) string {
	if len(text) > n {
		text = text[len(text)-n:]
	}
	return string(text)
}
