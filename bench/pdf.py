#!/usr/bin/python3
"""PDF files a second beside `xargs -P2 pdftotext` on the same files, in interleaved rounds: bench/pdf.py [--files N] [--rounds N] [DIR].

Without DIR a set is made: one to twelve pages, compressed, with headers and footers; one in ten is a client list, one in twenty has a watermark,
one in twenty a photograph. Set TMPDIR to a place in memory.
"""
import argparse
import glob
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP + "/tests/unit/extract")
sys.dont_write_bytecode = True
import make_pdf  # noqa: E402

WORDS = ("order delivery depot copper wire harbour invoice pallet carrier quarter review stock budget supplier audit written notice region office plan "
         "the of and to in for with against before after every second next under between").split()


def page(rng, title, n, of):
    out = make_pdf.text(72, 806, title) + make_pdf.text(280, 30, f"Page {n} of {of}")
    for i in range(42):
        out += make_pdf.text(72, 770 - 17 * i, " ".join(rng.choice(WORDS) for _ in range(rng.randint(9, 13))))
    return out


def clients(rng, n):
    out = make_pdf.text(72, 806, "Clients")
    for i in range(40):
        row = (f"Client {n} {i} Ltd", f"c{n}x{i}@example.com", f"+81 3-{rng.randint(1000, 9999)}-{rng.randint(1000, 9999)}")
        out += "".join(make_pdf.text(x, 770 - 18 * i, s) for x, s in zip((72, 220, 420), row))
    return out


def make(folder, n):
    rng = random.Random(n)
    photo = subprocess.run(["/usr/bin/python3", TOP + "/tests/unit/extract/make_picture.py", "scene-1", "jpeg"], check=True, stdout=subprocess.PIPE).stdout
    plain = make_pdf.Pdf.stream

    def packed(self, dictionary, data):
        return plain(self, dictionary, data) if "Filter" in dictionary else plain(self, dictionary + "/Filter /FlateDecode", zlib.compress(data))

    make_pdf.Pdf.stream = packed
    for i in range(n):
        of = rng.randint(1, 12)
        pages = [page(rng, f"Report {i}", k + 1, of) for k in range(of)]
        more = []
        if i % 10 == 3:
            pages.append(clients(rng, i))
        if i % 20 == 7:
            pages = [p + make_pdf.text(150, 250, "CONFIDENTIAL", 64, "0.707 0.707 -0.707 0.707") for p in pages]
        if i % 20 == 11:
            more = [("/Type /XObject /Subtype /Image /Width 640 /Height 420 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode", photo)]
        with open(f"{folder}/{i:04d}.pdf", "wb") as f:
            f.write(make_pdf.document(pages, more=more))
    make_pdf.Pdf.stream = plain


def timed(command, **kw):
    """-> seconds on the clock, and of the processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **kw)
    took, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--files", type=int, default=700)
    a.add_argument("--rounds", type=int, default=15)
    a.add_argument("dir", nargs="?")
    args = a.parse_args()
    work = tempfile.mkdtemp(prefix="bench-pdf-", dir=os.environ.get("TMPDIR", "/dev/shm"))
    try:
        if args.dir:
            for f in glob.glob(args.dir + "/**/*.pdf", recursive=True):
                shutil.copy(f, f"{work}/{len(os.listdir(work)):05d}.pdf")
        else:
            make(work, args.files)
        files = sorted(glob.glob(work + "/*.pdf"))
        listed = "\n".join(files).encode()
        theirs, ours = [], []
        for _ in range(args.rounds):
            theirs.append([len(files) / t for t in timed(["xargs", "-n1", "-P2", "pdftotext"], input=listed)])
            ours.append([len(files) / t for t in timed([TOP + "/build/tests/tools/extract", "--quiet", "--jobs", "2", *files])])
        print(f"{len(files)} files, {args.rounds} rounds, load {os.getloadavg()[0]:.1f}; files a second: quartile, median, quartile, best")
        for k, by in enumerate(("", ", of processor time")):
            rows = [[v[k] for v in side] for side in (theirs, ours)]
            for name, v in zip(("xargs -P2 pdftotext", "tyto, two workers"), rows):
                q = statistics.quantiles(v, n=4)
                print(f"{name + by:39} {q[0]:8.1f} {q[1]:8.1f} {q[2]:8.1f} {max(v):8.1f}")
            q = statistics.quantiles([o / t for t, o in zip(*rows)], n=4)
            print(f"{'ratio of a round' + by:39} {q[0]:8.2f} {q[1]:8.2f} {q[2]:8.2f}; of the best rounds {max(rows[1]) / max(rows[0]):.2f}")
    finally:
        shutil.rmtree(work)


main()
