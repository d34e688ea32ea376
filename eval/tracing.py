"""What the parts that evaluate `tyto trace` share: a state with documents in it, traced files, verdicts, intervals. Everything goes through the command. See eval/README.md."""
import collections, json, math, os, shutil, signal, subprocess, sys, tempfile, time
from common import TYTO, table

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # so that what was made is removed
ARGUMENTS = 256 # files of one command


class State:
    """A state directory of its own, in which documents are scanned and leaks traced; gone at the end."""
    def __enter__(self):
        if not os.access(TYTO, os.X_OK):
            sys.exit(f'eval: {TYTO} is not there: build first (ninja -C build), or set TYTO')
        self.path = tempfile.mkdtemp(prefix='tyto-eval-state.', dir=os.environ.get('TMPDIR', '/tmp'))
        self.errors = []
        return self

    def __exit__(self, *_):
        if os.environ.get('KEEP'):
            print(f'kept: {self.path}')
        else:
            shutil.rmtree(self.path, ignore_errors=True)

    def run(self, *args, timeout=1800, ok=(0,)):
        p = subprocess.run([TYTO, args[0], '--state', self.path, *args[1:]], capture_output=True, timeout=timeout, env={**os.environ, 'NO_COLOR': '1'})
        if p.returncode not in ok:
            sys.exit(f'eval: tyto {args[0]} ended with {p.returncode}: {p.stderr.decode(errors="replace").strip()[-600:]}')
        return p

    def scan(self, path, *options):
        """Takes the documents under PATH in; all must be readable. Prints how many and how long."""
        begin = time.monotonic()
        p = self.run('scan', path, '--json', '--ocr', 'never', *options, ok=(0, 3))
        docs = [d for d in map(json.loads, p.stdout.splitlines()) if 'path' in d and '!/' not in d['path']]
        bad = [d for d in docs if d.get('error')]
        print(f'scanned {len(docs):,} documents in {time.monotonic() - begin:.0f} s' + (f'; {len(bad)} with an error: {bad[0]["path"]}: {bad[0]["error"]}' if bad else ''), flush=True)
        return {d['path']: d for d in docs}

    def trace(self, files, *options, label='traced'):
        """`tyto trace --json FILE…`: file -> answer. Answers of parts are under 'parts' of their file's."""
        begin, found = time.monotonic(), {}
        for i in range(0, len(files), ARGUMENTS):
            some = files[i:i + ARGUMENTS]
            p = self.run('trace', '--json', *options, *some, ok=(0, 1, 3, 5))
            if p.stderr.strip():
                self.errors += p.stderr.decode(errors='replace').strip().splitlines()
            for line in p.stdout.splitlines():
                a = json.loads(line)
                name = a.get('file', '')
                whole = name.split('!/')[0]
                if whole == name:
                    a['parts'] = found.get(name, {}).get('parts', [])
                    found[name] = a
                else:
                    found.setdefault(whole, {'file': whole, 'parts': [], 'verdict': None, 'matches': []})['parts'].append(a)
        took = time.monotonic() - begin
        print(f'{label} {len(files):,} files in {took:.0f} s ({took / max(1, len(files)) * 1000:.0f} ms each)', flush=True)
        none = [f for f in files if f not in found]
        if none:
            print(f'  no answer for {len(none)} of them, such as {none[0]}' + (f': {self.errors[-1]}' if self.errors else ''))
        return found


def paths(match):
    """The paths that a match stands for: its own and those of versions that cannot be told apart."""
    return [match.get('path')] + alternatives(match)


def alternatives(match):
    return [a.get('path') or a.get('document') if isinstance(a, dict) else a for a in match.get('alternatives') or []]


def first(answer):
    """(verdict, path of the first match) of an answer, (None, None) where there is none."""
    if not answer:
        return None, None
    m = answer.get('matches') or [{}]
    return answer.get('verdict'), m[0].get('path')


def ahead(answer, path):
    """The first match is the source, whatever the verdict."""
    return bool(answer and answer.get('matches')) and path in paths(answer['matches'][0])


def right(answer, path):
    """The verdict says where it is from, and the first match, or one that cannot be told from it, is the source."""
    if not answer or answer.get('verdict') not in ('exact', 'source') or not answer.get('matches'):
        return False
    return path in paths(answer['matches'][0])


def interval(k, n):
    """Wilson's 95 % interval, as text."""
    if not n:
        return '-'
    z, p = 1.96, k / n
    c, w = (p + z * z / (2 * n)) / (1 + z * z / n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f'{max(0, c - w):.3f}–{min(1, c + w):.3f}'


class Score:
    """Counts right ones by kind, keeps what was wrong."""
    def __init__(self):
        self.n, self.k, self.wrong, self.first = collections.Counter(), collections.Counter(), collections.defaultdict(list), collections.Counter()

    def add(self, kind, ok, what='', ahead=None):
        """ahead: whether the first match is right, whatever the verdict."""
        self.n[kind] += 1
        self.k[kind] += bool(ok)
        if ahead is not None:
            self.first[kind] += ahead
        if not ok:
            self.wrong[kind].append(what)

    def show(self, wanted):
        """A table with pass or FAIL; wanted: kind -> threshold, or None for what is only told. Returns whether all were reached."""
        rows, ok = [], True
        for kind in self.n:
            w = wanted(kind) if callable(wanted) else wanted.get(kind) if isinstance(wanted, dict) else wanted
            share = self.k[kind] / self.n[kind]
            good = w is None or share >= w
            ok = ok and good
            rows.append([kind, self.n[kind], self.k[kind], f'{share:.4f}', interval(self.k[kind], self.n[kind]), self.first.get(kind, ''), '' if w is None else w, '' if w is None else 'pass' if good else 'FAIL'])
        table(['kind', 'leaks', 'right', 'share', '95 % interval', 'first, whatever the verdict', 'wanted', ''], rows)
        return ok

    def examples(self, each=5):
        for kind, some in self.wrong.items():
            some = [x for x in some if x]
            if not some:
                continue
            print(f'  wrong, {kind}: {len(some)}')
            for w in some[:each]:
                print(f'    {w}')


def told(answer):
    """An answer in a line, for the list of what was wrong."""
    if not answer:
        return 'no answer'
    m = (answer.get('matches') or [{}])[0]
    return f'{answer.get("verdict")} {m.get("path")} coverage {m.get("coverage")} distinct {m.get("distinct")} identifiers {m.get("identifiers")} shared_by {m.get("shared_by")} alternatives {len(m.get("alternatives") or [])}'
