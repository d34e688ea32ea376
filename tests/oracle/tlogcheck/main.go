// tlogcheck verifies an export in C2SP tlog-tiles layout, and C2SP tlog-proofs, with Go's sumdb/tlog and sumdb/note: an oracle that is
// not ours. Their tile paths carry a height and their tree heads one fixed origin; C2SP's have neither, so paths and text are mapped here.
//
//	tlogcheck DIR                          check the export in DIR
//	tlogcheck -proof FILE -leaf FILE|-entry DIR -vkey FILE
//	tlogcheck -selftest                    write exports of 1 to 70000 entries, check them intact and damaged
//	tlogcheck -write DIR -n N              write such an export
//
// Exit 0 and "ok N leaves", or the first mismatch and exit 1.
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tilePath is the C2SP path of a tile: Go's without the height, and "entries" for level -1.
func tilePath(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	if t.L == -1 {
		p = "entries" + strings.TrimPrefix(p, "data")
	}
	return "tile/" + p
}

type head struct {
	origin string
	tree   tlog.Tree
	note   *note.Note
}

// verifiers reads log.vkey: one verifier a line, all of one name.
func verifiers(path string) (note.Verifiers, string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	var list []note.Verifier
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		v, err := note.NewVerifier(line)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %v", path, err)
		}
		list = append(list, v)
	}
	for _, v := range list {
		if v.Name() != list[0].Name() {
			return nil, "", fmt.Errorf("%s: keys of more than one name", path)
		}
	}
	return note.VerifierList(list...), list[0].Name(), nil
}

// openHead checks the signature and reads the tree head. The origin line must be the key's name.
func openHead(msg []byte, known note.Verifiers, name string) (*head, error) {
	n, err := note.Open(msg, known)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %v", err)
	}
	// note.Open decodes base64 leniently: spare bits of a signature's last character would go unseen.
	for _, sig := range append(n.Sigs, n.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return nil, fmt.Errorf("checkpoint: signature: %v", err)
		}
	}
	origin, rest, found := strings.Cut(n.Text, "\n")
	if !found || origin != name {
		return nil, fmt.Errorf("checkpoint: origin %q, the key's name is %q", origin, name)
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %v", err)
	}
	return &head{origin, tree, n}, nil
}

type export struct {
	dir    string
	size   int64
	tiles  map[string][]byte
	wanted map[string]bool
}

func (e *export) file(t tlog.Tile) ([]byte, error) {
	p := tilePath(t)
	e.wanted[p] = true
	if b, ok := e.tiles[p]; ok {
		return b, nil
	}
	b, err := os.ReadFile(filepath.Join(e.dir, p))
	if err != nil {
		return nil, fmt.Errorf("%s: %v", p, errors.Unwrap(err))
	}
	if t.L >= 0 {
		if len(b) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes, expected %d", p, len(b), t.W*tlog.HashSize)
		}
		e.tiles[p] = b
	}
	return b, nil
}

// ReadHashes serves stored hashes from the tiles as they are; the tree root is what proves them.
func (e *export) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, 0, len(indexes))
	for _, x := range indexes {
		t := tlog.TileForIndex(height, x)
		t.W = e.width(t.L, t.N)
		b, err := e.file(t)
		if err != nil {
			return nil, err
		}
		h, err := tlog.HashFromTile(t, b, x)
		if err != nil {
			return nil, fmt.Errorf("%s: %v", tilePath(t), err)
		}
		out = append(out, h)
	}
	return out, nil
}

// width of tile N of a level in a tree of e.size.
func (e *export) width(level int, n int64) int {
	if level < 0 {
		level = 0
	}
	if w := e.size>>(height*level) - n<<height; w < 1<<height {
		return int(w)
	}
	return 1 << height
}

func entries(p string, b []byte, w int) ([][]byte, error) {
	var out [][]byte
	for i := 0; i < w; i++ {
		if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
			return nil, fmt.Errorf("%s: entry %d runs past the bundle", p, i)
		}
		n := int(b[0])<<8 + int(b[1])
		out = append(out, b[2:2+n])
		b = b[2+n:]
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%s: %d bytes after the last entry", p, len(b))
	}
	return out, nil
}

// records compares the hash of each entry with the level-0 tiles and returns them all.
func (e *export) records() ([]tlog.Hash, error) {
	var all []tlog.Hash
	for n := int64(0); n<<height < e.size; n++ {
		w := e.width(0, n)
		bundle := tlog.Tile{H: height, L: -1, N: n, W: w}
		leaf := tlog.Tile{H: height, L: 0, N: n, W: w}
		eb, err := e.file(bundle)
		if err != nil {
			return nil, err
		}
		lb, err := e.file(leaf)
		if err != nil {
			return nil, err
		}
		list, err := entries(tilePath(bundle), eb, w)
		if err != nil {
			return nil, err
		}
		for i, rec := range list {
			h := tlog.RecordHash(rec)
			if !bytes.Equal(h[:], lb[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
				return nil, fmt.Errorf("leaf %d: its entry's hash is not the one in %s", n<<height+int64(i), tilePath(leaf))
			}
			all = append(all, h)
		}
	}
	return all, nil
}

// rootOf is the hash of a full tile's hashes.
func rootOf(tile []byte) tlog.Hash {
	var hs []tlog.Hash
	for ; len(tile) > 0; tile = tile[tlog.HashSize:] {
		var h tlog.Hash
		copy(h[:], tile)
		hs = append(hs, h)
	}
	for ; len(hs) > 1; hs = hs[:len(hs)/2] {
		for i := 0; i < len(hs)/2; i++ {
			hs[i] = tlog.NodeHash(hs[2*i], hs[2*i+1])
		}
	}
	return hs[0]
}

// upper recomputes each tile above level 0 from the one below.
func (e *export) upper() error {
	for level := 1; e.size>>(height*level) > 0; level++ {
		for n := int64(0); n<<height < e.size>>(height*level); n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: e.width(level, n)}
			b, err := e.file(t)
			if err != nil {
				return err
			}
			for i := 0; i < t.W; i++ {
				below := tlog.Tile{H: height, L: level - 1, N: n<<height + int64(i), W: 1 << height}
				bb, err := e.file(below)
				if err != nil {
					return err
				}
				h := rootOf(bb)
				if !bytes.Equal(h[:], b[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
					return fmt.Errorf("%s: hash %d is not that of %s", tilePath(t), i, tilePath(below))
				}
			}
		}
	}
	return nil
}

// olderPartial says whether rel is a narrower copy of a tile: what an earlier export into the same place leaves there, which is allowed.
func (e *export) olderPartial(rel string) bool {
	base, width, found := strings.Cut(rel, ".p/")
	w, err := strconv.Atoi(width)
	if !found || err != nil || w < 1 || w > 255 {
		return false
	}
	small, err := os.ReadFile(filepath.Join(e.dir, rel))
	if err != nil || len(small) == 0 {
		return false
	}
	for wanted := range e.wanted {
		if wanted == base || strings.HasPrefix(wanted, base+".p/") {
			big, err := os.ReadFile(filepath.Join(e.dir, wanted))
			if err != nil || !bytes.HasPrefix(big, small) {
				return false
			}
			if strings.HasPrefix(rel, "tile/entries/") {
				_, err = entries(rel, small, w)
				return err == nil
			}
			return len(small) == w*tlog.HashSize
		}
	}
	return false
}

// strangers finds files under tile/ that a tree of this size does not have.
func (e *export) strangers() error {
	return filepath.WalkDir(filepath.Join(e.dir, "tile"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(e.dir, p)
		if !e.wanted[rel] && !e.olderPartial(rel) {
			return fmt.Errorf("%s: a file that this tree does not have", rel)
		}
		return nil
	})
}

// proofs makes record and tree proofs out of the tiles at chosen and random places and has them checked.
func (e *export) proofs(tree tlog.Tree, all []tlog.Hash, rounds int) error {
	at := map[int64]bool{0: true, e.size - 1: true, e.size / 2: true}
	for r := rand.New(rand.NewSource(e.size)); len(at) < rounds && int64(len(at)) < e.size; {
		at[r.Int63n(e.size)] = true
	}
	for n := range at {
		p, err := tlog.ProveRecord(e.size, n, e)
		if err == nil {
			err = tlog.CheckRecord(p, e.size, tree.Hash, n, all[n])
		}
		if err != nil {
			return fmt.Errorf("record proof of leaf %d: %v", n, err)
		}
		old, err := tlog.TreeHash(n+1, e)
		if err != nil {
			return err
		}
		tp, err := tlog.ProveTree(e.size, n+1, e)
		if err == nil {
			err = tlog.CheckTree(tp, e.size, tree.Hash, n+1, old)
		}
		if err != nil {
			return fmt.Errorf("tree proof of size %d: %v", n+1, err)
		}
	}
	return nil
}

func checkExport(dir string) (int64, error) {
	known, name, err := verifiers(filepath.Join(dir, "log.vkey"))
	if err != nil {
		return 0, err
	}
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return 0, err
	}
	h, err := openHead(msg, known, name)
	if err != nil {
		return 0, err
	}
	e := &export{dir: dir, size: h.tree.N, tiles: map[string][]byte{}, wanted: map[string]bool{}}
	if e.size == 0 {
		if want, _ := tlog.TreeHash(0, e); want != h.tree.Hash {
			return 0, errors.New("checkpoint: root of an empty tree expected")
		}
		return 0, nil
	}
	all, err := e.records()
	if err != nil {
		return 0, err
	}
	if err := e.upper(); err != nil {
		return 0, err
	}
	root, err := tlog.TreeHash(e.size, e)
	if err != nil {
		return 0, err
	}
	if root != h.tree.Hash {
		return 0, fmt.Errorf("checkpoint: root %v, the tiles make %v", h.tree.Hash, root)
	}
	if err := e.proofs(h.tree, all, 64); err != nil {
		return 0, err
	}
	return e.size, e.strangers()
}

// parseProof reads a C2SP tlog-proof: (index, hashes, checkpoint note).
func parseProof(b []byte) (int64, tlog.RecordProof, []byte, error) {
	top, msg, found := strings.Cut(string(b), "\n\n")
	if !found {
		return 0, nil, nil, errors.New("no blank line before the checkpoint")
	}
	lines := strings.Split(top, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, nil, fmt.Errorf("first line %q", lines[0])
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if _, err := base64.StdEncoding.DecodeString(lines[0][6:]); err != nil {
			return 0, nil, nil, fmt.Errorf("extra: %v", err)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, nil, errors.New("expected index")
	}
	index, err := strconv.ParseInt(lines[0][6:], 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != lines[0][6:] {
		return 0, nil, nil, fmt.Errorf("index %q", lines[0][6:])
	}
	var p tlog.RecordProof
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil || h.String() != l {
			return 0, nil, nil, fmt.Errorf("hash %q", l)
		}
		p = append(p, h)
	}
	return index, p, []byte(msg), nil
}

func checkProof(b []byte, leaf func(int64) ([]byte, error), vkey string) (int64, error) {
	index, p, msg, err := parseProof(b)
	if err != nil {
		return 0, err
	}
	known, name, err := verifiers(vkey)
	if err != nil {
		return 0, err
	}
	h, err := openHead(msg, known, name)
	if err != nil {
		return 0, err
	}
	rec, err := leaf(index)
	if err != nil {
		return 0, err
	}
	return index, tlog.CheckRecord(p, h.tree.N, h.tree.Hash, index, tlog.RecordHash(rec))
}

// entryOf reads one entry out of an export.
func entryOf(dir string) func(int64) ([]byte, error) {
	return func(index int64) ([]byte, error) {
		t := tlog.Tile{H: height, L: -1, N: index >> height, W: 1 << height}
		base := filepath.Join(dir, tilePath(t))
		found, _ := filepath.Glob(base + ".p/*")
		if _, err := os.Stat(base); err == nil {
			found = []string{base}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: missing", tilePath(t))
		}
		sort.Strings(found)
		b, err := os.ReadFile(found[0])
		if err != nil {
			return nil, err
		}
		w := 1 << height
		if found[0] != base {
			if w, err = strconv.Atoi(filepath.Base(found[0])); err != nil {
				return nil, err
			}
		}
		list, err := entries(tilePath(t), b, w)
		if err != nil {
			return nil, err
		}
		if at := int(index & (1<<height - 1)); at < len(list) {
			return list[at], nil
		}
		return nil, fmt.Errorf("%s: no entry %d", tilePath(t), index)
	}
}

func fail(err error) {
	fmt.Println("mismatch:", err)
	os.Exit(1)
}

func main() {
	proof := flag.String("proof", "", "tlog-proof `file` to check")
	leafFile := flag.String("leaf", "", "`file` with the leaf's bytes")
	entryDir := flag.String("entry", "", "export `dir` to take the leaf from")
	vkey := flag.String("vkey", "", "log.vkey `file`")
	self := flag.Bool("selftest", false, "test this checker")
	write := flag.String("write", "", "write an export into `dir`")
	n := flag.Int64("n", 1, "its number of entries")
	flag.Parse()
	switch {
	case *self:
		os.Exit(selfTest())
	case *write != "":
		if err := writeExport(*write, *n); err != nil {
			fail(err)
		}
	case *proof != "":
		b, err := os.ReadFile(*proof)
		if err != nil {
			fail(err)
		}
		leaf := func(int64) ([]byte, error) { return os.ReadFile(*leafFile) }
		if *entryDir != "" {
			leaf = entryOf(*entryDir)
		}
		index, err := checkProof(b, leaf, *vkey)
		if err != nil {
			fail(fmt.Errorf("%s: %v", *proof, err))
		}
		fmt.Printf("ok leaf %d\n", index)
	case flag.NArg() == 1:
		size, err := checkExport(flag.Arg(0))
		if err != nil {
			fail(err)
		}
		fmt.Printf("ok %d leaves\n", size)
	default:
		flag.Usage()
		os.Exit(2)
	}
}
