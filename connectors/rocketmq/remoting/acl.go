package remoting

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"
)

// sign adds the access key and the signature to a request: HMAC-SHA1 with the
// secret key over the values of all fields in the order of their names, and the body.
func (cfg *Config) sign(c *command) {
	if cfg.AccessKey == "" {
		return
	}
	c.add("AccessKey", cfg.AccessKey)
	c.add("SecurityToken", cfg.SecurityToken)
	sorted := slices.Clone(c.fields)
	slices.SortFunc(sorted, func(a, b field) int { return strings.Compare(a.key, b.key) })
	mac := hmac.New(sha1.New, []byte(cfg.SecretKey))
	for _, f := range sorted {
		mac.Write([]byte(f.val))
	}
	mac.Write(c.body)
	c.add("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
