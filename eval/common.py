"""What the parts of the evaluation share: running `tyto scan`, comparing, tables. See eval/README.md."""
import hashlib, json, os, random, shutil, subprocess, sys, tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYTO = os.environ.get('TYTO', os.path.join(TOP, 'build/src/cli/tyto'))
EXTRACT = os.environ.get('EXTRACT', os.path.join(TOP, 'build/tests/tools/extract'))
SKIPPED = 3


class Work:
    """A temporary folder; kept with KEEP=1 for those who look for an error's cause."""
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix='tyto-eval.', dir=os.environ.get('TMPDIR', '/tmp'))
        return self.path

    def __exit__(self, *_):
        if os.environ.get('KEEP'):
            print(f'kept: {self.path}')
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def scan(path, *options, timeout=1200):
    """`tyto scan PATH --json --ocr never` with a state of its own: real path -> document. Parts of containers are keyed by their whole name."""
    if not os.access(TYTO, os.X_OK):
        sys.exit(f'eval: {TYTO} is not there: build first (ninja -C build), or set TYTO')
    state = tempfile.mkdtemp(prefix='tyto-eval-state.', dir=os.environ.get('TMPDIR', '/tmp'))
    try:
        p = subprocess.run([TYTO, 'scan', path, '--json', '--ocr', 'never', '--state', state, *options], capture_output=True, timeout=timeout,
                           env={**os.environ, 'NO_COLOR': '1'})
    finally:
        shutil.rmtree(state, ignore_errors=True)
    if p.returncode not in (0, 3):
        sys.exit(f'eval: tyto scan ended with {p.returncode}: {p.stderr.decode(errors="replace").strip()[-400:]}')
    found = {}
    for line in p.stdout.splitlines():
        d = json.loads(line)
        if 'path' in d:
            found[d['path']] = d
    return found


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data.encode() if isinstance(data, str) else data)


def sha256(path):
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        for b in iter(lambda: f.read(1 << 20), b''):
            h.update(b)
    return h.hexdigest()


def data_or_skip(part, where, name):
    """The path of a published set that DATA names, or the end of this part."""
    data = os.environ.get('DATA_' + part.upper()) or os.environ.get('DATA')
    path = data and (os.path.join(data, name) if os.path.isdir(data) and name else data)
    if path and os.path.exists(path):
        return path
    print(f'SKIPPED {part}: needs {where}\n        run it with DATA_{part.upper()}={name or "FOLDER"}' + (f' (not there: {path})' if path else ''))
    sys.exit(SKIPPED)


def table(head, rows):
    """Prints rows under a head, as a table that can stand in RESULTS.md."""
    print('| ' + ' | '.join(head) + ' |\n|' + '---|' * len(head))
    for r in rows:
        print('| ' + ' | '.join(str(c) for c in r) + ' |')


def verdict(ok):
    return 'pass' if ok else 'FAIL'


def finish(ok):
    sys.stdout.flush()
    sys.exit(0 if ok else 1)


def rng(seed, *more):
    """A generator of its own for each thing that is drawn, so that one part's draws do not move another's."""
    return random.Random('/'.join(str(x) for x in (seed, *more)))
