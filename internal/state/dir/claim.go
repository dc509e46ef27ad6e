package dir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/state"
)

// A claimed store has no lock: what several processes may want is decided by the
// numbers of its entries. An entry is a commit or a claim, and a claim is a commit
// that changes nothing but the owner. Entries are written whole under another name
// and get theirs by a hard link, which fails if the number is taken. An owner
// commits only under the number behind its last entry, and after a claim that
// number is the claim's: however late an owner wakes, its commit finds the place
// taken. So the chain of entries has no branches, and nothing is locked while
// anybody writes.
//
// For that to hold the number of a claim stays taken for ever. When a claim is as
// old as commits that are pruned, an empty file takes its place. The numbers of
// pruned commits become free, and a claim that was slow may find one of them free:
// entries are pruned in their order, so it knows by the entry it goes on from,
// which is gone then too, and makes itself empty.

// leastRetained is how many commits a claimed store keeps at least: a directory
// that is listed while its owner commits and prunes shows one of them.
const leastRetained = 3

// claimed is what a Store has more if it is held by a claim.
type claimed struct {
	number int64  // of the claim
	unit   string // random, of the chain: what sinks name their writers by
}

// Claim makes the caller the owner of the store at path, whoever owned it before,
// and goes on from its last commit. owner is for people.
func Claim(ctx context.Context, path, owner string, o Options) (*Store, error) {
	o.Retain = max(o.Retain, leastRetained)
	if o.create == nil {
		o.create = createFile
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	for {
		s := &Store{path: path, opts: o, sealed: map[int64]*epochFiles{}}
		won, err := s.claim(owner)
		if err != nil {
			return nil, fmt.Errorf("claim of %s: %w", path, err)
		}
		if won {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// claim tries once: false tells that the last owner has committed, or another one
// has claimed, meanwhile.
func (s *Store) claim(owner string) (bool, error) {
	highest, err := highestEntry(s.path)
	if err != nil {
		return false, err
	}
	history, err := manifests(s.path)
	if err != nil {
		return false, err
	}
	m := newManifest(&state.Commit{})
	parent := ""
	if len(history) > 0 {
		last := *history[len(history)-1]
		if last.Epoch > highest {
			return false, nil // the owner has committed between the two looks
		}
		m, parent = &last, last.file
		m.Parent = last.Epoch
		m.file = ""
	} else {
		id := make([]byte, 8)
		rand.Read(id)
		m.Unit = hex.EncodeToString(id)
	}
	m.Epoch, m.Owner = highest+1, owner
	m.Claim = m.Epoch
	s.opts.at("claim")
	err = m.link(s.path, s.opts)
	if errors.Is(err, errTaken) || errors.Is(err, fs.ErrNotExist) {
		// The second one: another claim has taken our unfinished file for litter.
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.held = &claimed{number: m.Epoch, unit: m.Unit}
	if parent != "" {
		if _, err := readManifest(s.path, parent); err != nil {
			// What it goes on from is pruned: others are far ahead.
			return false, s.void(m)
		}
	}
	s.opts.at("claimed")
	s.last, s.history = m, append(history, m)
	if err := m.verify(s.path); err != nil {
		return false, err
	}
	return true, s.sweep()
}

// sweep removes what earlier owners left unfinished: data that no commit names
// and files without their last name. What a later owner writes is not touched.
func (s *Store) sweep() error {
	named := map[string]bool{}
	for _, m := range s.history {
		for _, f := range m.Files {
			named[f.Name] = true
		}
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		number, ok := ownerOf(name)
		if !ok || named[name] || number >= s.held.number {
			continue
		}
		if err := os.Remove(filepath.Join(s.path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ownerOf is the number of the claim under which a data file or an unfinished
// file was written.
func ownerOf(name string) (int64, bool) {
	whole := strings.TrimSuffix(name, ".tmp")
	kind, rest, ok := strings.Cut(whole, "-")
	if !ok || kind != "data" && (kind != "commit" || whole == name) {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// highestEntry is the highest number of an entry, torn ones and the places of old
// claims included.
func highestEntry(path string) (int64, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return 0, err
	}
	var highest int64
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "commit-")
		if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil {
			highest = max(highest, n)
		}
	}
	return highest, nil
}

// errTaken tells that an entry's number is another's.
var errTaken = errors.New("the number is taken")

// link makes an entry true, if its number is free.
func (m *manifest) link(dir string, o Options) error {
	body, err := m.encode()
	if err != nil {
		return err
	}
	final := entryName(m.Epoch)
	nonce := make([]byte, 4)
	rand.Read(nonce)
	// The claim's number is first, for whoever sweeps.
	tmp := filepath.Join(dir, fmt.Sprintf("commit-%d-%d-%x.tmp", m.Claim, m.Epoch, nonce))
	if err := writeSynced(tmp, body, o); err != nil {
		return err
	}
	o.at("entry written")
	err = os.Link(tmp, filepath.Join(dir, final))
	if errors.Is(err, fs.ErrExist) {
		err = errTaken
		if same(tmp, filepath.Join(dir, final)) {
			err = nil // a network file system has asked twice
		}
	}
	o.at("entry linked")
	os.Remove(tmp)
	if err != nil {
		return err
	}
	m.file = final
	if o.NoSync {
		return nil
	}
	return syncDir(dir)
}

func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// Superseded tells that another owner has claimed the store: nothing that this
// one does any more is true.
func (s *Store) Superseded() bool {
	if s.held == nil {
		return false
	}
	s.mu.Lock()
	next := s.last.Epoch + 1
	s.mu.Unlock()
	m, err := readManifest(s.path, entryName(next))
	if err == nil {
		return m.Claim != s.held.number // else our own commit, which is not noted yet
	}
	return !errors.Is(err, fs.ErrNotExist)
}

// Writer is a name of the store that no other store has, and that stays from
// owner to owner; "" if the store is not claimed.
func (s *Store) Writer() string {
	if s.held == nil {
		return ""
	}
	return s.held.unit
}

// fence gives an error of a commit its meaning: the store may be another's by now.
func (s *Store) fence(err error) error {
	if err != nil && s.held != nil && s.Superseded() {
		return fmt.Errorf("%w: %s: %w", state.ErrFenced, s.path, err)
	}
	return err
}

// forgetEntry removes a commit that is not retained. A claim leaves its place taken.
func (s *Store) forgetEntry(m *manifest) error {
	path := filepath.Join(s.path, m.file)
	if m.Claim != m.Epoch {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return s.void(m)
}

// void has a claim hold nothing but its number.
func (s *Store) void(m *manifest) error {
	nonce := make([]byte, 4)
	rand.Read(nonce)
	tmp := filepath.Join(s.path, fmt.Sprintf("commit-%d-%d-%x.tmp", s.held.number, m.Epoch, nonce))
	err := os.WriteFile(tmp, nil, 0o644)
	if err == nil {
		err = os.Rename(tmp, filepath.Join(s.path, m.file))
	}
	if err != nil {
		os.Remove(tmp)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // swept by an owner that is ahead
	}
	return err
}

// Shared is a folder of claimed stores, one for each unit that processes hand to
// one another. It is safe for concurrent use.
type Shared struct {
	path  string
	owner string
	opts  Options
	lock  *os.File
}

// OpenShared opens or creates a folder of units. Other processes may have it open
// too, but not as a store by itself.
func OpenShared(path string, o Options) (*Shared, error) {
	if err := os.MkdirAll(filepath.Join(path, unitsDir), 0o755); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	lock, err := shareDir(path)
	if err != nil {
		return nil, err
	}
	alone, err := manifests(path)
	if err == nil && len(alone) > 0 {
		err = fmt.Errorf("%s holds the state of a job that kept it by key, in one process: with 'scan.split-key' it is kept by split. Begin in another state directory", path)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Shared{path: path, owner: fmt.Sprintf("%s/%d", host, os.Getpid()), opts: o, lock: lock}, nil
}

const unitsDir = "units"

// Claim implements state.Shared.
func (s *Shared) Claim(ctx context.Context, unit string) (state.ClaimedStore, error) {
	return Claim(ctx, filepath.Join(s.path, unitsDir, unitName(unit)), s.owner, s.opts)
}

// Alone implements state.Shared. The error is an ErrLocked.
func (s *Shared) Alone() error { return keepDir(s.lock, s.path) }

// Close implements state.Shared. Stores that were claimed stay as they are.
func (s *Shared) Close() error { return s.lock.Close() }

// Units are the paths of the stores in a folder that OpenShared has opened, none
// in any other.
func Units(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(path, unitsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, filepath.Join(path, unitsDir, e.Name()))
		}
	}
	slices.Sort(out)
	return out, err
}

// unitName makes a name fit for a folder; different names stay different.
func unitName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() == 0 {
		return "%"
	}
	if b.Len() > 200 { // file systems end at 255
		return b.String()[:160] + "%%" + hashText(name)
	}
	return b.String()
}

var (
	_ state.ClaimedStore = (*Store)(nil)
	_ state.Shared       = (*Shared)(nil)
)
