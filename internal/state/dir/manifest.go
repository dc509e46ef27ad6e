package dir

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/runnelio/runnel/internal/state"
)

// version is that of manifests and data files; another one is refused by name.
const version = 1

// manifest is a commit: positions, transactions, facts, and the files whose
// records in order give the state. It is immutable once written.
type manifest struct {
	Version int
	Epoch   int64
	Parent  int64 `json:",omitempty"`
	// Of claimed stores: the number of the claim under which the commit was made,
	// by whom, and the name of the chain.
	Claim     int64  `json:",omitempty"`
	Owner     string `json:",omitempty"`
	Unit      string `json:",omitempty"`
	Positions map[string]string
	Tokens    map[string][]byte
	Meta      map[string]string
	Files     []fileRef

	file string            // its name
	at   map[string]string // Positions, decoded
}

// fileRef names a data file.
type fileRef struct {
	Name string
	Seq  int64
	Full bool `json:",omitempty"`
	Size int64
	Hash string // xxh3-128 of the whole file, hexadecimal
}

func newManifest(c *state.Commit) *manifest {
	return &manifest{Version: version, Epoch: c.Epoch, Positions: encoded(c.Positions), at: maps.Clone(c.Positions), Tokens: maps.Clone(c.Tokens), Meta: maps.Clone(c.Meta)}
}

func (m *manifest) commit() *state.Commit {
	c := &state.Commit{Epoch: m.Epoch, Positions: maps.Clone(m.at), Tokens: maps.Clone(m.Tokens), Meta: maps.Clone(m.Meta)}
	if c.Tokens == nil {
		c.Tokens = map[string][]byte{}
	}
	if c.Meta == nil {
		c.Meta = map[string]string{}
	}
	return c
}

// Positions are bytes, and JSON text would change those that are no UTF-8.
func encoded(in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = hex.EncodeToString([]byte(v))
	}
	return out
}

func decoded(in map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(in))
	for k, v := range in {
		b, err := hex.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("position of %s: %w", k, err)
		}
		out[k] = string(b)
	}
	return out, nil
}

// write makes the manifest true: synced under another name, then renamed.
func (m *manifest) write(dir string, o Options) error {
	body, err := m.encode()
	if err != nil {
		return err
	}
	m.file = entryName(m.Epoch)
	tmp := filepath.Join(dir, m.file+".tmp")
	if err := writeSynced(tmp, body, o); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, m.file)); err != nil {
		return err
	}
	if o.NoSync {
		return nil
	}
	return syncDir(dir)
}

// encode is the content of the manifest's file: one line and its checksum.
func (m *manifest) encode() ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	sum := xxh3.Hash128(body).Bytes()
	return fmt.Appendf(append(body, '\n'), "%x\n", sum), nil
}

func entryName(epoch int64) string { return fmt.Sprintf("commit-%016d", epoch) }

func hashText(s string) string { return fmt.Sprintf("%x", xxh3.HashString128(s).Bytes()) }

func writeSynced(path string, body []byte, o Options) error {
	f, err := o.create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err == nil && !o.NoSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

var errTorn = errors.New("checksum does not hold")

func readManifest(dir, name string) (*manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	body, sum, ok := bytes.Cut(b, []byte{'\n'})
	if !ok || strings.TrimSpace(string(sum)) != fmt.Sprintf("%x", xxh3.Hash128(body).Bytes()) {
		return nil, errTorn
	}
	m := &manifest{file: name}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if m.at, err = decoded(m.Positions); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if m.Version != version {
		return nil, fmt.Errorf("%s was written by another version of the state format (%d, this one is %d)", filepath.Join(dir, name), m.Version, version)
	}
	return m, nil
}

// manifests returns the commits of a directory in the order of their epochs,
// without torn ones.
func manifests(dir string) ([]*manifest, error) {
	for try := 0; ; try++ {
		out, vanished, err := readManifests(dir)
		if err == nil && len(out) == 0 && vanished && try < 20 {
			continue // the job that owns the directory has gone on meanwhile
		}
		return out, err
	}
}

// readManifests tells also whether one that was listed was gone when it was to be read.
func readManifests(dir string) (out []*manifest, vanished bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "commit-") || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		m, err := readManifest(dir, e.Name())
		if errors.Is(err, os.ErrNotExist) {
			vanished = true
			continue
		}
		if errors.Is(err, errTorn) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *manifest) int { return int(a.Epoch - b.Epoch) })
	return out, vanished, nil
}

// verify checks the size and hash of every file of a commit.
func (m *manifest) verify(dir string) error {
	for _, f := range m.Files {
		size, hash, err := hashFile(filepath.Join(dir, f.Name))
		if err != nil {
			return fmt.Errorf("state of epoch %d: %w", m.Epoch, err)
		}
		if size != f.Size || hash != f.Hash {
			return fmt.Errorf("state of epoch %d: %s is damaged: %d bytes of hash %s, expected %d of %s", m.Epoch, f.Name, size, hash, f.Size, f.Hash)
		}
	}
	return nil
}
