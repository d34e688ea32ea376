package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// deterministic is a random source for the test key only.
type deterministic struct{ r *rand.Rand }

func (d deterministic) Read(p []byte) (int, error) { return d.r.Read(p) }

func put(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// writeExport makes an export by Go's own tree code alone: StoredHashes, NewTiles, ReadTileData, note.Sign; and proof-N files.
func writeExport(dir string, n int64) error {
	const name = "log.example/selftest"
	skey, vkey, err := note.GenerateKey(deterministic{rand.New(rand.NewSource(7))}, name)
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, x := range indexes {
			if x >= int64(len(stored)) {
				return nil, errors.New("hash not stored yet")
			}
			out = append(out, stored[x])
		}
		return out, nil
	})
	r := rand.New(rand.NewSource(n))
	bundles := map[int64][]byte{}
	for i := int64(0); i < n; i++ {
		rec := make([]byte, 18+r.Intn(60))
		r.Read(rec)
		hs, err := tlog.StoredHashes(i, rec, read)
		if err != nil {
			return err
		}
		stored = append(stored, hs...)
		bundles[i>>height] = append(binary.BigEndian.AppendUint16(bundles[i>>height], uint16(len(rec))), rec...)
	}
	for _, t := range tlog.NewTiles(height, 0, n) {
		b, err := tlog.ReadTileData(t, read)
		if err != nil {
			return err
		}
		if err := put(filepath.Join(dir, tilePath(t)), b); err != nil {
			return err
		}
	}
	e := export{size: n} // NewTiles also lists every narrower partial tile on the way: kept, as an earlier export would have left them
	for k, b := range bundles {
		if err := put(filepath.Join(dir, tilePath(tlog.Tile{H: height, L: -1, N: k, W: e.width(0, k)})), b); err != nil {
			return err
		}
	}
	return seal(dir, n, name, skey, vkey, read)
}

func seal(dir string, n int64, name, skey, vkey string, read tlog.HashReader) error {
	root, err := tlog.TreeHash(n, read)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	msg, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", name, n, root)}, signer)
	if err != nil {
		return err
	}
	for _, i := range []int64{0, n / 2, n - 1} {
		p, err := tlog.ProveRecord(n, i, read)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", i)
		for _, h := range p {
			text += base64.StdEncoding.EncodeToString(h[:]) + "\n"
		}
		if err := put(filepath.Join(dir, fmt.Sprintf("proof-%d", i)), []byte(text+"\n"+string(msg))); err != nil {
			return err
		}
	}
	if err := put(filepath.Join(dir, "log.vkey"), []byte(vkey+"\n")); err != nil {
		return err
	}
	return put(filepath.Join(dir, "checkpoint"), msg)
}

var tests, failures int

func ok(good bool, format string, args ...interface{}) {
	tests++
	state := "ok"
	if !good {
		state = "not ok"
		failures++
	}
	fmt.Printf("%s %d - %s\n", state, tests, fmt.Sprintf(format, args...))
}

// flip changes one bit of a file, runs f and puts the file back.
func flip(path string, at int64, bit uint, f func()) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bad := append([]byte(nil), b...)
	bad[at] ^= 1 << bit
	if err := os.WriteFile(path, bad, 0o644); err != nil {
		return err
	}
	f()
	return os.WriteFile(path, b, 0o644)
}

func filesUnder(dir string) []string {
	var out []string
	filepath.Walk(dir, func(p string, i os.FileInfo, err error) error {
		if err == nil && !i.IsDir() && !strings.Contains(p, "/proof-") {
			out = append(out, p)
		}
		return nil
	})
	return out
}

func damageTest(dir string, n int64) error {
	r := rand.New(rand.NewSource(n))
	files := filesUnder(dir)
	flips := 60
	if n > 10000 {
		flips = 6
	}
	for i := 0; i < flips; i++ {
		p := files[i%len(files)]
		if i >= len(files) || len(files) > flips {
			p = files[r.Intn(len(files))]
		}
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		at, bit, found := r.Int63n(info.Size()), uint(r.Intn(8)), error(nil)
		if err := flip(p, at, bit, func() { _, found = checkExport(dir) }); err != nil {
			return err
		}
		if found == nil {
			ok(false, "%d entries: bit %d of byte %d of %s flipped: not found", n, bit, at, strings.TrimPrefix(p, dir+"/"))
		}
	}
	ok(true, "%d entries: %d flipped bits were tried", n, flips)
	stray := filepath.Join(dir, "tile/0/999")
	if err := put(stray, make([]byte, 8192)); err != nil {
		return err
	}
	_, err := checkExport(dir)
	ok(err != nil, "%d entries: a tile too many is found (%v)", n, err)
	if err := os.Remove(stray); err != nil {
		return err
	}
	last := files[len(files)-1]
	if err := os.Rename(last, last+".away"); err != nil {
		return err
	}
	_, err = checkExport(dir)
	ok(err != nil, "%d entries: a file missing is found (%v)", n, err)
	return os.Rename(last+".away", last)
}

func proofTest(dir string, n int64) error {
	vkey := filepath.Join(dir, "log.vkey")
	for _, i := range []int64{0, n / 2, n - 1} {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("proof-%d", i)))
		if err != nil {
			return err
		}
		got, err := checkProof(b, entryOf(dir), vkey)
		ok(err == nil && got == i, "%d entries: proof of leaf %d (%v)", n, i, err)
		_, err = checkProof(b, func(int64) ([]byte, error) { return []byte("another leaf"), nil }, vkey)
		ok(err != nil, "%d entries: the proof of leaf %d does not prove another", n, i)
		missed := 0
		for at := 0; at < len(b); at += 1 + len(b)/40 {
			bad := append([]byte(nil), b...)
			bad[at] ^= 1
			if _, err := checkProof(bad, entryOf(dir), vkey); err == nil {
				missed++
			}
		}
		ok(missed == 0, "%d entries: proof of leaf %d with one byte changed is refused (%d missed)", n, i, missed)
	}
	return nil
}

func selfTest() int {
	for _, n := range []int64{1, 255, 256, 257, 70000} {
		dir, err := os.MkdirTemp("", "tlogcheck-")
		if err != nil {
			fmt.Println("Bail out!", err)
			return 1
		}
		err = writeExport(dir, n)
		if err == nil {
			size, bad := checkExport(dir)
			ok(bad == nil && size == n, "%d entries: sound (%v)", n, bad)
			err = damageTest(dir, n)
		}
		if err == nil {
			err = proofTest(dir, n)
		}
		os.RemoveAll(dir)
		if err != nil {
			ok(false, "%d entries: %v", n, err)
		}
	}
	fmt.Printf("1..%d\n", tests)
	if failures > 0 {
		return 1
	}
	return 0
}
