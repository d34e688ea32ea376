"""Checks what the parts draw, without Tyto: can the truth be decided at all? A document is named by the rarest runs of K characters that it shares with the leak. No tracer: it always accuses, and keeps all text in memory.

    DOCUMENTS=80 eval/trace_naive.py trace_fragments          K=12
    TABLES=40 K=10 eval/trace_naive.py trace_tables
    PAGES=0 K=6 eval/trace_naive.py trace_scans
    eval/trace_naive.py trace_converted          (PDF and pictures are not read)
"""
import collections, email, email.policy, importlib, io, math, os, re, sys, unicodedata, zipfile

K = int(os.environ.get('K', '12'))


def text(file):
    with open(file, 'rb') as f:
        data = f.read()
    if data[:2] == b'PK':
        z = zipfile.ZipFile(io.BytesIO(data))
        return '\n'.join(re.sub('<[^>]*>', '\n', z.read(n).decode('utf-8', 'replace')) for n in z.namelist() if re.search(r'(word/document|content|sheet\d+|sharedStrings)\.xml$', n))
    if file.endswith('.eml'):
        return re.sub(r'\n(> )+', '\n', email.message_from_bytes(data, policy=email.policy.default).get_content())
    if file.endswith(('.pdf', '.jpg')):
        return ''
    try:
        s = data.decode()
    except UnicodeDecodeError:
        s = data.decode('cp932', 'replace')
    return re.sub('<[^>]*>', '\n', s) if file.endswith('.html') else s


def runs(file):
    s = re.sub(r'[\W_]+', '', unicodedata.normalize('NFKC', text(file)).casefold())
    return {hash(s[i:i + K]) for i in range(len(s) - K + 1)}


class Naive:
    """Stands in for tracing.State."""
    path, errors = '', []

    def __enter__(self):
        self.holders, self.names = collections.defaultdict(list), []
        return self

    def __exit__(self, *_):
        pass

    def scan(self, top, *_):
        for base, _, files in sorted(os.walk(top)):
            for f in sorted(files):
                for h in runs(os.path.join(base, f)):
                    self.holders[h].append(len(self.names))
                self.names.append(os.path.join(base, f))

    def trace(self, files, *_, **__):
        answers = {}
        for f in files:
            score = collections.Counter()
            for h in runs(f):
                for d in (holders := self.holders.get(h, ())):
                    score[d] += math.log((len(self.names) + 1) / len(holders))
            best = score.most_common(3)
            answers[f] = {'verdict': 'source' if best else 'none', 'matches': [{'path': self.names[d], 'coverage': round(s, 1)} for d, s in best], 'parts': []}
        return answers


if __name__ == '__main__':
    part = importlib.import_module(sys.argv[1])
    part.State = Naive
    part.main()
