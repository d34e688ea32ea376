"""Versions of a document, as people make them, and a leak from one: is it named, or in an honest list, and are the readers those who had it? See eval/README.md.

    eval/trace_versions.py          CHAINS=150 LEAKS=4 (of each chain) SEED=tune
"""
import collections, json, os, re
import office, texts
from common import Work, finish, rng, sha256, table, write
from tracing import Score, State, alternatives, told

SEED = os.environ.get('SEED', 'tune')
CHAINS = int(os.environ.get('CHAINS', '150'))
LEAKS = int(os.environ.get('LEAKS', '4'))
WANTED = {'right version, or in the list': .99, 'list names no version that lacks a sentence of the leak': .95, "readers' union": .99}
PERSONS = [f'{role}-{n}' for role in ('clerk', 'engineer', 'sales') for n in range(1, 14)]
STAGES = 4 # a file that is overwritten has at most so many contents; scanned after each


def edited(r, w, paragraphs):
    """The next version: some sentences new, gone, reworded, a number changed, a paragraph moved or added. At least one change."""
    out = [p[:] for p in paragraphs]
    for _ in range(r.choice([1, 1, 2, 3, 5, 8, 15])):
        p = r.choice(out)
        i, k = r.randrange(len(p)), r.random()
        if k < .25:
            p.insert(i, w.sentence())
        elif k < .45 and len(p) > 1:
            p.pop(i)
        elif k < .65:
            p[i] = w.sentence()
        elif k < .85:
            changed = re.sub(r'\d+', lambda m: str(r.randint(10, 999)), p[i])
            p[i] = changed if changed != p[i] else p[i].replace('the ', 'that ', 1) if 'the ' in p[i] else w.sentence()
        elif k < .95:
            out.insert(r.randint(0, len(out)), [w.sentence() for _ in range(r.randint(2, 5))])
        else:
            out.insert(r.randint(0, len(out) - 1), out.pop(r.randrange(len(out))))
    return out if out != paragraphs else edited(r, w, paragraphs)


def data(paragraphs, ja, docx):
    lines = [('' if ja else ' ').join(p) for p in paragraphs]
    return office.docx(lines) if docx else '\n'.join(lines)


class Chain:
    """Versions side by side (`files`), or one after the other in the same file (`overwritten`)."""
    def __init__(self, work, c):
        self.r = r = rng(SEED, 'chain', c)
        self.ja, self.docx = c % 2 == 1, c % 5 == 0
        self.overwritten = c % 4 >= 2
        w = texts.Writer(rng(SEED, 'words', c), self.ja)
        self.versions = [[[w.sentence() for _ in range(r.randint(3, 8))] for _ in range(r.randint(6, 40))]]
        for _ in range(r.randint(2, STAGES if self.overwritten else 7) - 1):
            self.versions.append(edited(r, w, self.versions[-1]))
        ending = 'docx' if self.docx else 'txt'
        base = os.path.join(work, 'documents', f'c{c}')
        self.paths = [os.path.join(base, f'paper.{ending}') if self.overwritten else os.path.join(base, f'paper v{v + 1}.{ending}') for v in range(len(self.versions))]
        self.readers = [set(r.sample(PERSONS, r.randint(1, 5))) for _ in self.versions]
        self.sha = [None] * len(self.versions)

    def put(self, v):
        write(self.paths[v], data(self.versions[v], self.ja, self.docx))
        self.sha[v] = 'sha256:' + sha256(self.paths[v])
        if not self.overwritten:
            os.utime(self.paths[v], (1764547200, 1764547200)) # 2025-12-01, before anybody read it

    def holding(self, leak):
        """Versions that hold every sentence of the leak."""
        return [v for v, p in enumerate(self.versions) if leak <= {s for x in p for s in x}]


def records(chains):
    """Who read what: by path alone, or with the content named where a file has had several; a few other records between."""
    out, minute = [], 0
    for c in chains:
        for v, readers in enumerate(c.readers):
            for p in sorted(readers):
                minute += 1
                e = {'time': f'2026-{1 + minute // 40000:02}-{1 + minute // 1440 % 28:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z', 'host': 'files1', 'person': p, 'person_by': 'opener', 'verb': 'read', 'seen': 'bytes', 'path': c.paths[v], 'via': 'smb'}
                if c.overwritten or c.r.random() < .5:
                    e['document'] = c.sha[v]
                out.append(e)
    out.sort(key=lambda e: e['time'])
    return out


def versions_of(chain, match):
    """Numbers of the versions that a match and its alternatives name: by content, and where that is not said by path. None stands for something else."""
    named = []
    for m in [match] + [a if isinstance(a, dict) else {'document': a, 'path': a} for a in match.get('alternatives') or []]:
        d, p = m.get('document'), m.get('path')
        d = 'sha256:' + d if isinstance(d, str) and re.fullmatch('[0-9a-f]{64}', d) else d
        named.append(chain.sha.index(d) if d in chain.sha else chain.paths.index(p) if p in chain.paths and not chain.overwritten else None)
    return named


def main():
    score, sizes, needed = Score(), collections.Counter(), collections.Counter()
    with Work() as work, State() as s:
        chains = [Chain(work, c) for c in range(CHAINS)]
        for stage in range(STAGES):
            for c in chains:
                if c.overwritten and stage < len(c.versions):
                    c.put(stage)
                elif not c.overwritten and stage == 0:
                    for v in range(len(c.versions)):
                        c.put(v)
            s.scan(os.path.join(work, 'documents'))
        for c in chains:
            assert len(set(c.sha)) == len(c.sha), 'two versions are the same'
        write(os.path.join(work, 'records.jsonl'), '\n'.join(json.dumps(e) for e in records(chains)) + '\n')
        s.run('import', os.path.join(work, 'records.jsonl'))
        truth = {}
        for k, c in enumerate(chains):
            for j in range(LEAKS):
                r = rng(SEED, 'leak', k, j)
                v = r.randrange(len(c.versions))
                paragraphs = c.versions[v]
                n = max(2, round(len(paragraphs) * r.choice([1, 1, r.uniform(.1, .9)])))
                at = r.randint(0, max(0, len(paragraphs) - n))
                piece = paragraphs[at:at + n]
                file = os.path.join(work, 'leaks', f'{k}-{j}.txt')
                write(file, '\n\n'.join(('' if c.ja else ' ').join(p) for p in piece)) # never the file's own bytes
                truth[file] = c, v, {x for p in piece for x in p}
        print(f'{CHAINS} chains of {min(len(c.versions) for c in chains)} to {max(len(c.versions) for c in chains)} versions, half of them one file overwritten; {sum(len(x) for c in chains for x in c.readers):,} readings; {len(truth)} leaks')
        answers = s.trace(list(truth))
        for file, (c, v, sentences) in truth.items():
            a = answers.get(file) or {}
            m = (a.get('matches') or [{}])[0]
            listed = versions_of(c, m) if a.get('matches') else []
            named = listed if a.get('verdict') in ('exact', 'source') else []
            holding = c.holding(sentences)
            what = f'{os.path.basename(file)} v{v + 1} of {len(c.versions)}{", overwritten" if c.overwritten else ""}; holding the leak: {[x + 1 for x in holding]}; named {[x if x is None else x + 1 for x in named]}; {told(a or None)}'
            ok = v in named
            where = 'overwritten' if c.overwritten else 'files'
            score.add('right version, or in the list', ok, what, v in listed)
            score.add(f'  … {where}', ok, '', v in listed)
            if ok:
                score.add('list names no version that lacks a sentence of the leak', all(x in holding for x in named), what)
                want = set().union(*(c.readers[x] for x in named if x is not None))
                people = {p.get('person') for p in m.get('people') or []} | {p.get('person') for x in m.get('alternatives') or [] if isinstance(x, dict) for p in x.get('people') or []}
                score.add("readers' union", people == want, f'{what}; readers {sorted(want)}, told {sorted(str(p) for p in people)}')
                score.add(f'  … readers, {where}', people == want)
                sizes[len(named)] += 1
                needed[len(holding)] += 1
    ok = score.show(lambda k: WANTED.get(k))
    table(['versions in the list', 'answers', 'should be'], [[n, sizes[n], needed[n]] for n in sorted(sizes | needed)])
    score.examples()
    finish(ok)


if __name__ == '__main__':
    main()
