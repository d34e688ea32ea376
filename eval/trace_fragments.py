"""Fragments of 1 % of a long document, cut anywhere, among 1,000: which document is it from? ssdeep and TLSH are asked the same. See eval/README.md.

    eval/trace_fragments.py          DOCUMENTS=1000 FRAGMENTS=2 SEED=tune
    DATA_TRACE_FRAGMENTS=linux-doc-6.1_6.1.….deb: real documents, the same way
"""
import glob, os, re, subprocess
import texts
from common import Work, finish, rng, sha256, table, write
from tracing import Score, State, ahead, first, right, told

SEED = os.environ.get('SEED', 'tune')
DOCUMENTS = int(os.environ.get('DOCUMENTS', '1000'))
FRAGMENTS = int(os.environ.get('FRAGMENTS', '2'))
WANTED = .99
LETTERS = 64 # and digits: less is a piece of a drawing, of which nothing is promised
SHORTEST, LONGEST = 20_000, 200_000
REAL = 'https://snapshot.debian.org/package/linux/ (linux-doc-6.1, main): the kernel\'s documentation'
REAL_SHA256 = {'d1d1b5a602f0d439ecc39e713e044bf2df30d839fb4bf8a7b859ba3273c47993': '6.1.192-2'}


def shared(ja):
    """Standard passages that documents have in common: a third of the documents hold some."""
    w = texts.Writer(rng(SEED, 'shared', ja), ja)
    return [w.paragraph(8) for _ in range(20)]


def generated(i, passages):
    """The text of document i, and where passages of others stand in it."""
    r = rng(SEED, 'long', i)
    ja = i % 2 == 1
    chars = int(SHORTEST * (LONGEST / SHORTEST) ** r.random())
    paragraphs = texts.document(SEED, i, ja, chars)
    if r.random() < .33:
        for _ in range(r.randint(2, 6)):
            paragraphs.insert(r.randint(1, len(paragraphs)), r.choice(passages[ja]))
    text, alien, at = [], [], 0
    for p in paragraphs:
        if p in passages[ja]:
            alien.append((at, at + len(p)))
        text.append(p)
        at += len(p) + 2
    return '\n\n'.join(text), alien


def cut(r, text, alien):
    """A hundredth of the text, from anywhere in it, mostly its own; None where chance does not find one."""
    n = max(1, len(text) // 100)
    for _ in range(50):
        at = r.randint(0, len(text) - n)
        if sum(max(0, min(at + n, b) - max(at, a)) for a, b in alien) < n * .4:
            return text[at:at + n]
    return None


def peers(work, documents, leaks):
    """What ssdeep and TLSH answer to the same question: leak -> path."""
    listed = os.path.join(work, 'ssdeep')
    with open(listed, 'w') as f:
        subprocess.run(['ssdeep', '-s', *documents], stdout=f, check=True, timeout=600)
    best = {}
    out = subprocess.run(['ssdeep', '-s', '-c', '-m', listed, *leaks], stdout=subprocess.PIPE, timeout=900).stdout.decode() # "leak","LIST:document",score
    for a, b, score in re.findall(r'"([^"]*)","([^"]*)",(\d+)', out):
        b = b.split(':', 1)[-1] if not b.startswith('/') else b
        if int(score) > best.get(a, (0, ''))[0]:
            best[a] = int(score), b
    yield 'ssdeep', {a: b for a, (_, b) in best.items()}
    import tlsh
    hashed = [(h, d) for d in documents if (h := tlsh.hash(open(d, 'rb').read())) and h != 'TNULL']
    near = {}
    for leak in leaks:
        h = tlsh.hash(open(leak, 'rb').read())
        if h and h != 'TNULL' and hashed:
            near[leak] = min((tlsh.diff(h, d), p) for d, p in ((x[0], x[1]) for x in hashed))[1]
    yield 'TLSH', near


def evaluate(name, work, documents, score):
    """documents: path -> (text, alien)."""
    truth, unfit = {}, 0
    for k, (path, (text, alien)) in enumerate(documents.items()):
        for j in range(FRAGMENTS):
            leak = cut(rng(SEED, 'cut', name, k, j), text, alien)
            if leak is None or sum(c.isalnum() for c in leak) < LETTERS or name == 'real' and any(leak.strip() in t for p, (t, _) in documents.items() if p != path):
                unfit += 1
                continue
            file = os.path.join(work, 'leaks-' + name, f'{k}-{j}.txt')
            write(file, leak)
            truth[file] = path
    sizes = sorted(len(t) for t, _ in documents.values())
    print(f'{name}: {len(documents):,} documents of {sizes[0]:,} to {sizes[-1]:,} characters, median {sizes[len(sizes) // 2]:,}; {len(truth):,} fragments' + (f'; {unfit} found no place of their own' if unfit else ''))
    with State() as s:
        s.scan(os.path.join(work, name))
        answers = s.trace(list(truth))
    for leak, path in truth.items():
        kind = name if name != 'generated' else 'generated, Japanese' if int(os.path.basename(leak).split('-')[0]) % 2 else 'generated, English'
        score.add(kind, right(answers.get(leak), path), f'{leak} of {os.path.basename(path)}: {told(answers.get(leak))}', ahead(answers.get(leak), path))
    yield 'Tyto, first match whatever the verdict', sum(first(answers.get(l))[1] == p for l, p in truth.items()), len(truth)
    for peer, found in peers(work, list(documents), list(truth)):
        yield peer, sum(found.get(l) == p for l, p in truth.items()), len(truth)


def real(work):
    """Documents of the Debian package that DATA names, one of at least 20,000 characters each, without those that are mostly another's."""
    deb = os.environ.get('DATA_TRACE_FRAGMENTS') or os.environ.get('DATA')
    if not deb or not os.path.isfile(deb):
        print(f'SKIPPED trace_fragments, real documents: needs {REAL}\n        run it with DATA_TRACE_FRAGMENTS=linux-doc-6.1_….deb')
        return None
    digest = sha256(deb)
    if digest not in REAL_SHA256:
        print(f'trace_fragments: {deb} is not one of the known files (SHA-256 {digest})')
        return None
    there = os.path.join(work, 'deb')
    os.makedirs(there)
    subprocess.run(['dpkg-deb', '-x', deb, there], check=True, timeout=300)
    import gzip
    documents, known = {}, set()
    for f in sorted(glob.glob(there + '/**/*.rst*', recursive=True)):
        data = (gzip.open if f.endswith('.gz') else open)(f, 'rb').read()
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        lines = {l for l in text.split('\n') if len(l) > 30}
        if len(text) < SHORTEST or len(lines & known) * 5 > len(lines): # a copy, or an older state of another
            continue
        known |= lines
        path = os.path.join(work, 'real', f'{len(documents)}-' + os.path.basename(f).split('.')[0] + '.txt')
        write(path, data)
        documents[path] = text, []
    return documents


def main():
    score, peer_rows = Score(), []
    with Work() as work:
        passages = {ja: shared(ja) for ja in (False, True)}
        documents = {}
        for i in range(DOCUMENTS):
            path = os.path.join(work, 'generated', f'{i // 100}', f'{i}.txt')
            documents[path] = generated(i, passages)
            write(path, documents[path][0])
        peer_rows += [('generated', *x) for x in evaluate('generated', work, documents, score)]
        documents = real(work)
        if documents:
            peer_rows += [('real', *x) for x in evaluate('real', work, documents, score)]
        ok = score.show(WANTED)
        table(['documents', 'asked', 'right first', 'of', 'share'], [[a, b, k, n, f'{k / n:.4f}'] for a, b, k, n in peer_rows])
        score.examples()
        if documents is None and ok:
            raise SystemExit(3)
        finish(ok)


if __name__ == '__main__':
    main()
