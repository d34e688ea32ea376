#!/usr/bin/env python3
"""A made-up office at work for a month: the records that Tyto would have made of it, for judging what its rules say of it.

    PERSONS=100 DAYS=30 SEED=tune eval/office_month.py DIR

writes into DIR
    month.jsonl    events as `tyto import` reads them, sorted by time
    people.jsonl   units, managers, joiners, leavers (`joined`, `leaves`, `announced`), service accounts (role `service`)
    causes.jsonl   what somebody did beyond everyday work: person, begin, end, cause (for naming an alert's cause; no input of Tyto)
    thefts.jsonl   the events of ten mass copies in the same month, to be imported beside month.jsonl (FILEs are merged by time)
    truth.jsonl    the ten copies: kind, person, begin, end, documents; times of each document

The same SEED, PERSONS and DAYS give the same bytes. It was written from the specification of the rules (issue and contract) by somebody who had not read the rules.

What is in the month (local time of the office is UTC, so that "at night" means the same to everybody; it begins on Monday, 2025-09-01):

- ten units with folders of their own, common folders (templates, policies, onboarding, scans), projects that several units work in, a folder for each person;
- persons with working hours, lunch, days off, home office (another address; every fifth time another one of the VPN's pool), three quarters by SMB, the others by ssh;
- everyday work in sessions: the recent documents again, favourite folders of the unit, projects, common folders, seldom another unit's; reading, and editing with lock file,
  temporary file and two renames at each save as office programs do over SMB (swap file and write in place in a shell); folding counts;
- previews: who uses large icons reads 20 to 40 documents of a folder at once when it is opened, and two or three folders within minutes when something is looked for; searches
  open the hits; grep over a folder's text files; a kit of 20 to 45 documents copied for a meeting; twice a month a project of 60 to 90 copied to a laptop;
- service accounts: backup (every document, every night), index (what changed, every quarter of an hour), antivirus (what was written, everything on Sundays), a scanner
  that puts PDFs into a folder, a migration account, known to the people file, that moves an old archive of 1,500 to 3,000 documents on two nights;
- a reorganisation (a unit's folders are moved below another's, whose persons begin to read them), audit season (two auditors read 300 to 600 documents each in a week, in
  working hours), three joiners, a leaver who gave notice and behaves, month's end in finance (three times the documents, workbooks that open 15 to 30 linked ones),
  a bulk rename of a project's documents by who leads it, a replacement during a holiday, cleaning up.

Where numbers come from. A. Leung, S. Pasupathy, G. Goodson, E. Miller, "Measurement and Analysis of Large-Scale Network File System Workloads" (USENIX 2008; CIFS servers of
marketing, sales, finance and of engineers, 1,500 persons) for shapes only: few clients make most requests, most documents are used by one person, what is used again is
used again soon, sharing is mostly reading. Saving: Microsoft's descriptions of how Word and Excel save (KB 211632 and its like). No study was found of documents a person and
day; that and everything else is assumed: log-normal, the person's median log-normal around 13 (5 to 40 for most), days around it with sigma 0.5; analysts around 150, sigma 0.25;
sessions of 1 to 8 documents, waits log-normal around 100 s; a tenth of the documents confidential, in personnel half of them.
"""
import json
import math
import os
import sys

from common import rng

START = 1756684800                      # Monday, 2025-09-01T00:00:00Z
DAY = 86400
UNITS = {'management': 5, 'finance': 11, 'personnel': 5, 'legal': 4, 'sales': 22, 'purchasing': 8, 'engineering': 25, 'support': 12, 'it': 5, 'analytics': 3}
# Shares of restricted, confidential, internal documents.
LABELS = {'management': (.06, .35, .3), 'finance': (.02, .3, .4), 'personnel': (.05, .5, .3), 'legal': (.05, .4, .3), 'sales': (.01, .12, .3),
          'analytics': (0, .2, .4), 'engineering': (.01, .1, .3)}
OTHERS = (0, .04, .25)
WORDS = ('offer contract minutes plan report budget invoice order drawing list review test summary agenda notes schedule forecast manual policy '
         'quotation specification protocol receipt 見積書 議事録 契約書 報告書 計画').split()
TOPICS = 'north south alpha delta harbour bridge tower lake river garden press valve engine motor paint glass steel paper cotton salt'.split()
ENDS = ('docx', 'docx', 'docx', 'xlsx', 'xlsx', 'pdf', 'pdf', 'pptx', 'txt', 'csv')
SMB, SSH = 'smb', 'ssh'


class Folder:
    __slots__ = ('path', 'unit', 'docs')

    def __init__(self, path, unit):
        self.path, self.unit, self.docs = path, unit, []


class Doc:
    __slots__ = ('folder', 'name', 'object', 'label')

    def __init__(self, folder, name, obj, label):
        self.folder, self.name, self.object, self.label = folder, name, obj, label
        folder.docs.append(self)

    @property
    def path(self):
        return f'{self.folder.path}/{self.name}'


class Person:
    def __init__(self, name, unit, role, uid):
        self.name, self.unit, self.role, self.uid = name, unit, role, uid
        self.recent, self.folders, self.projects = [], [], []
        self.manager = self.joined = self.leaves = self.announced = None
        self.off = set()                # days of holiday
        self.ready = 0                  # when the task at hand is over: nobody edits two documents at once


class Session:
    """Who acts by what: the text of a record before and behind what is accessed."""
    __slots__ = ('head', 'tail', 'via')

    def __init__(self, p, program, pid, via, client=None, parents=()):
        self.via = via
        by = {'smb': 'opener', 'ssh': 'login'}.get(via, 'acting')
        login = f',"login_uid":{p.uid}' if by == 'login' else ''
        self.head = f'"host":"files1","person":"{p.name}","person_by":"{by}","uid":{p.uid}{login}'
        self.tail = f'"program":"{program}","pid":{pid},"parents":{json.dumps(list(parents), separators=(",", ":"))},"via":"{via}"' \
            + (f',"client":"{client}"' if client else '')


class Office:
    def __init__(self, seed='tune', persons=100, days=30):
        self.seed, self.days, self.inode, self.pid, self.names = seed, days, 100000, 3000, 0
        self.out, self.causes, self.people = {}, [], {}
        self.written = []               # documents written since the indexer last looked
        r = self.rng('office')
        self.make_folders(r, persons)
        self.make_people(r, persons)
        self.plan(self.rng('plan'))

    def rng(self, *what):
        return rng(self.seed, *what)

    # What there is.

    def new_object(self):
        self.inode += 1
        return f'64771:{self.inode}:{(self.inode * 2654435761) & 0xffffffff}'

    def new_doc(self, r, folder):
        self.names += 1
        shares, x, label = LABELS.get(folder.unit, OTHERS), r.random(), ''
        for share, name in zip(shares, ('restricted', 'confidential', 'internal')):
            if x < share:
                label = f',"label":"{name}"'
                break
            x -= share
        return Doc(folder, f'{r.choice(TOPICS)} {r.choice(WORDS)} {self.names:05}.{r.choice(ENDS)}', self.new_object(), label)

    def new_folder(self, r, path, unit, median=26, most=160):
        f = Folder(path, unit)
        for _ in range(min(most, max(4, int(r.lognormvariate(math.log(median), .6))))):
            self.new_doc(r, f)
        return f

    def make_folders(self, r, persons):
        self.units, self.home = {}, {}
        for unit, n in UNITS.items():
            self.units[unit] = [self.new_folder(r, f'/srv/share/{unit}/{2016 + i % 10}/{r.choice(TOPICS)} {i:03}', unit)
                                for i in range(max(8, n * persons * 5 // 100))]
        self.common = {k: self.new_folder(r, f'/srv/share/common/{k}', 'common', m) for k, m in
                       (('templates', 40), ('policies', 50), ('onboarding', 60), ('scans', 30), ('news', 40))}
        self.projects = [self.new_folder(r, f'/srv/share/projects/{r.choice(TOPICS)} {i:02}', 'engineering', 70, 220) for i in range(max(6, persons // 5))]
        self.archive = [Folder(f'/srv/share/archive/box {i:02}', 'archive') for i in range(24)]
        for i in range(r.randint(1500, 3000)):
            self.new_doc(r, self.archive[i * 24 // 3000])

    def make_people(self, r, persons):
        sizes = {u: max(2, round(n * persons / 100)) for u, n in UNITS.items()}
        sizes['sales'] += persons - sum(sizes.values())
        self.staff, uid = [], 10001
        for unit, n in sizes.items():
            for i in range(max(2, n)):
                role = {'engineering': 'engineer', 'sales': 'sales', 'analytics': 'analyst', 'it': 'administrator'}.get(unit, 'clerk')
                p = Person(f'{role}{uid - 10000:03}', unit, role, uid)
                p.manager = self.staff[-i].name if i else None
                self.staff.append(p)
                uid += 1
        for p in self.staff:
            p.via = SSH if p.unit in ('it', 'analytics') or p.unit == 'engineering' and r.random() < .6 else SMB
            p.icons = r.random() < .4
            p.start = r.gauss(8.9, .5)
            p.median = 150 * r.lognormvariate(0, .1) if p.unit == 'analytics' else min(45, r.lognormvariate(math.log(13), .45))
            p.at_home = max(0, r.gauss(.2, .15))
            p.addresses = [f'10.20.{p.uid % 4}.{p.uid % 250 + 2}', f'10.99.{p.uid % 3}.{p.uid % 250 + 2}']
            p.home = self.new_folder(r, f'/srv/share/persons/{p.name}', p.unit, 30)
            p.folders = [p.home] + r.sample(self.units[p.unit], min(5, len(self.units[p.unit])))
            p.projects = r.sample(self.projects, 2)
            for _ in range(40):
                self.remember(p, r.choice(self.pick_folder(r, p).docs))
            self.people[p.name] = p
        self.services = {}
        for name, program in (('backup', '/usr/bin/restic'), ('indexer', '/usr/bin/recollindex'), ('clamav', '/usr/sbin/clamd'), ('scanner', '/usr/sbin/vsftpd'),
                              ('migration', '/usr/bin/rsync')):
            p = Person(name, 'it/services', 'service', 200 + len(self.services))
            self.services[name] = self.people[name] = p
            p.session = Session(p, program, 700 + p.uid, 'local', parents=['/usr/lib/systemd/systemd'])

    def plan(self, r):
        """Who has which part in what happens in this month. Each person has one at most."""
        free = {u: [p for p in self.staff if p.unit == u] for u in UNITS}
        for u in free:
            r.shuffle(free[u])
            free[u] = [p for p in free[u] if p.manager] or free[u]
        take = lambda u: free[u].pop() if free[u] else r.choice([p for p in self.staff if p.unit == u])
        self.working = [d for d in range(self.days) if d % 7 < 5]
        w = self.working
        at = lambda share: w[min(len(w) - 1, int(share * len(w)))]
        self.joiners = [take('sales'), take('engineering'), take('support')]
        for p, share in zip(self.joiners, (.05, .3, .6)):
            p.joined = at(share)
            p.recent = []
            p.median = min(p.median, 20)
        self.leaver = take('support')
        self.leaver.announced, self.leaver.leaves = at(.3), at(.85)
        self.auditors = [take('management'), take('legal')]
        self.audit = at(.45) // 7 * 7
        self.replaced, self.replacement = take('purchasing'), take('purchasing')
        self.replaced.off = {d for d in range(at(.2), at(.2) + 14)}
        self.renamer, self.rename_day = take('engineering'), at(.55)
        self.reorg_day, self.admin = at(.4), take('it')
        self.migration_days = [at(.25), at(.25) + 1]
        self.month_end = set(w[-3:]) | set(w[:2])
        self.copiers = [(take('sales'), at(.35)), (take('engineering'), at(.7))]
        for p in self.staff:
            if p.off or p in self.auditors or p is self.leaver or p in (self.replacement, self.renamer) or p.joined is not None:
                continue
            if r.random() < .18:        # a week off
                first = r.randrange(0, self.days, 7)
                p.off = set(range(first, first + 7))
        self.spare = free               # those who have no part

    # What is recorded.

    def emit(self, t, s, verb, path, obj=None, label='', more='', seen='access'):
        day = int(t // DAY)
        self.out.setdefault(day, []).append((t, s, verb, path, obj, label, more, seen))

    def on(self, t, s, verb, d, more='', seen='access'):
        self.out.setdefault(int(t // DAY), []).append((t, s, verb, f'{d.folder.path}/{d.name}', d.object, d.label, more, seen))

    def execute(self, t, s, command):
        if s.via != SMB:                # the server executes nothing
            self.emit(t, s, 'exec', None, more=f',"command":{json.dumps(command, ensure_ascii=False)}', seen=None)

    @staticmethod
    def line(event, date):
        t, s, verb, path, obj, label, more, seen = event
        us = round(t % DAY * 1e6)
        us = min(us, DAY * 1000000 - 1)
        sec = us // 1000000
        where = (f',"seen":"{seen}"' if seen else '') + (f',"path":"{path}"' if path else '') + (f',"object":"{obj}"' if obj else '')
        return f'{{"time":"{date}T{sec // 3600:02}:{sec // 60 % 60:02}:{sec % 60:02}.{us % 1000000:06}Z",{s.head},"verb":"{verb}"{where}{label}{more},{s.tail}}}\n'

    def cause(self, p, begin, end, what):
        self.causes.append({'person': p.name, 'begin': stamp(begin), 'end': stamp(end), 'cause': what})

    def session(self, r, p, program=None, client=None):
        """An SMB connection of the day, or a program in the day's ssh session."""
        if p.via == SMB:
            return Session(p, '/usr/sbin/smbd', p.smbd, SMB, client or p.client, ('/usr/sbin/smbd', '/usr/lib/systemd/systemd'))
        self.pid = self.pid % 4000000 + r.randint(1, 40)
        return Session(p, program, self.pid, SSH, client or p.client, ('/usr/bin/bash', '/usr/sbin/sshd', '/usr/sbin/sshd', '/usr/lib/systemd/systemd'))

    # Everyday work.

    def remember(self, p, d):
        if d in p.recent:
            p.recent.remove(d)
        p.recent.insert(0, d)
        del p.recent[40:]

    def pick_folder(self, r, p):
        x = r.random()
        if x < .7:
            f = p.folders[min(len(p.folders) - 1, int(len(p.folders) * r.random() ** 1.6))]
        elif x < .88:
            f = r.choice(p.projects)
        elif x < .96:
            f = r.choice(list(self.common.values()))
        else:
            f = r.choice(self.units[r.choice(list(UNITS))])
        return f if f.docs else self.common['policies']

    def pick(self, r, p):
        if p.recent and r.random() < (.15 if p.unit == 'analytics' else .62):
            d = p.recent[int(len(p.recent) * r.random() ** 2.2)]
            if d in d.folder.docs:
                return d
        f = self.pick_folder(r, p)
        return f.docs[int(len(f.docs) * r.random() ** 1.5)]

    def edit(self, r, p, t, d):
        """Reads, saves some times, closes; returns the end. The document becomes a new object at each save over SMB."""
        saves = min(8, 1 + int(r.expovariate(.6)))
        if p.via == SMB:
            s, lock, lock_object = self.session(r, p), f'{d.folder.path}/~${d.name[2:]}', self.new_object()
            self.on(t, s, 'read', d)
            self.emit(t + .05, s, 'create', lock, lock_object)
            self.emit(t + .06, s, 'write', lock, lock_object)
            for _ in range(saves):
                t += r.lognormvariate(math.log(150), .8)
                temporary, old = f'{d.folder.path}/{r.getrandbits(32):08X}.tmp', f'{d.folder.path}/{r.getrandbits(32):08X}.tmp'
                new = self.new_object()
                self.emit(t, s, 'create', temporary, new)
                self.emit(t + .01, s, 'write', temporary, new)
                self.emit(t + .3, s, 'rename', d.path, d.object, more=f',"to":"{old}"')
                self.emit(t + .31, s, 'rename', temporary, new, more=f',"to":"{d.path}"')
                self.emit(t + .35, s, 'delete', old, d.object)
                d.object = new
                self.on(t + .5, s, 'read', d)
                if r.random() < .4:     # folded: an office program reads back more than once
                    self.on(t + 10.5, s, 'read', d, more=f',"count":{r.randint(1, 4)}')
            t += r.lognormvariate(math.log(60), .8)
            self.emit(t, s, 'delete', lock, lock_object)
        else:
            s, swap, swap_object = self.session(r, p, '/usr/bin/vim.basic'), f'{d.folder.path}/.{d.name}.swp', self.new_object()
            self.execute(t - .01, s, f'vim {d.name}')
            self.on(t, s, 'read', d)
            self.emit(t + .02, s, 'create', swap, swap_object)
            for _ in range(saves):
                t += r.lognormvariate(math.log(120), .8)
                self.emit(t, s, 'write', swap, swap_object)
                self.on(t + .1, s, 'write', d)
            self.emit(t + .3, s, 'delete', swap, swap_object)
        self.written.append(d)
        return t

    def read(self, r, p, t, d):
        s = self.session(r, p, r.choice(('/usr/bin/less', '/usr/bin/cat', '/usr/bin/python3.11', '/usr/lib/openssh/sftp-server')))
        self.on(t, s, 'read', d)
        if r.random() < .3:
            self.on(t + 10.2, s, 'read', d, more=f',"count":{r.randint(1, 5)}')

    def preview(self, r, p, t, f):
        docs = f.docs[:]
        first = r.randrange(max(1, len(docs) - 30))
        s = self.session(r, p)
        for d in docs[first:first + r.randint(20, 40)]:
            t += r.uniform(.02, .12)
            self.on(t, s, 'read', d)
        return t

    def burst(self, r, p, t):
        """What reads many documents without anybody's opening them, or copies a few."""
        x = r.random()
        if p.via == SMB and p.icons:
            if x < .97:
                self.preview(r, p, t, self.pick_folder(r, p))
            else:
                begin, n = t, r.randint(2, 3)
                for _ in range(n):
                    t = self.preview(r, p, t, self.pick_folder(r, p)) + r.uniform(8, 90)
                self.cause(p, begin, t, f'looking for something through {n} folders with previews')
        elif p.via == SMB:
            s = self.session(r, p)      # a search: the hits are opened
            for _ in range(r.randint(4, 15)):
                t += r.lognormvariate(1.5, .8)
                self.on(t, s, 'read', self.pick(r, p))
        else:
            f = self.pick_folder(r, p) if x < .93 else r.choice(p.projects)
            s, docs = self.session(r, p, '/usr/bin/grep'), [d for d in f.docs if d.name.endswith(('txt', 'csv'))]
            self.execute(t, s, f'grep -il {r.choice(TOPICS)} *.txt *.csv')
            for d in docs:
                t += r.uniform(.002, .02)
                self.on(t, s, 'read', d)
            if len(docs) > 25:
                self.cause(p, t - 3, t, f'grep over {len(docs)} text files of a folder')

    def copy(self, r, p, t, docs, what):
        """A folder taken along: for a meeting, to a laptop."""
        s, begin = self.session(r, p, '/usr/lib/openssh/sftp-server'), t
        for d in docs:
            t += r.uniform(.05, .4)
            self.on(t, s, 'read', d)
        self.cause(p, begin, t, f'{what} ({len(docs)} documents)')

    def create(self, r, p, t):
        f = p.folders[int(len(p.folders) * r.random())]
        d, s = self.new_doc(r, f), self.session(r, p, '/usr/bin/vim.basic')
        self.on(t, s, 'create', d)
        self.on(t + .1, s, 'write', d)
        self.written.append(d)
        return d

    def clean(self, r, p, t):
        f, s, begin = p.home, self.session(r, p, '/usr/bin/rm'), t
        gone = f.docs[:r.randint(5, 25)] if len(f.docs) > 30 else []
        for d in gone:
            t += r.uniform(.01, .2)
            self.on(t, s, 'delete', d, seen=None)
            f.docs.remove(d)
        if gone:
            self.cause(p, begin, t, f'deleted {len(gone)} old documents of the own folder')

    def absent(self, p, day):
        return day in p.off or (p.joined is not None and day < p.joined) or (p.leaves is not None and day >= p.leaves)

    def arrive(self, r, p, day):
        """Where somebody works today."""
        at_home = r.random() < p.at_home
        p.client = p.addresses[at_home]
        if at_home and r.random() < .2:
            p.client = f'10.99.{r.randint(3, 7)}.{r.randint(2, 250)}'
        self.pid = self.pid % 4000000 + r.randint(1, 40)
        p.smbd = self.pid
        p.from_, p.to = day * DAY + (p.start + r.gauss(0, .3)) * 3600, 0
        p.to = p.from_ + max(5, r.gauss(8.7, .6)) * 3600

    def moment(self, r, p):
        while True:
            t = r.uniform(p.from_, p.to)
            if not 12 < t % DAY / 3600 < 12.9 or r.random() < .08:
                return t

    def work(self, p, day):
        r = self.rng('day', day, p.name)
        weekend = day % 7 > 4
        if self.absent(p, day) or (r.random() > .03 if weekend else r.random() < .06):
            return
        self.arrive(r, p, day)
        factor = (3 if p.unit == 'finance' and day in self.month_end else 1) * (.3 if weekend else 1)
        left = max(1, int(r.lognormvariate(math.log(p.median * factor), .25 if p.unit == 'analytics' else .5)))
        if p.joined == day:
            left = max(3, left // 3)
        p.ready = 0
        while left > 0:
            t = self.moment(r, p)
            for _ in range(min(left, r.randint(1, 8))):
                left -= 1
                d = self.pick(r, p)
                self.remember(p, d)
                if r.random() < (.1 if p.unit == 'analytics' else .25) and t > p.ready:
                    p.ready = t = self.edit(r, p, t, d)
                else:
                    self.read(r, p, t, d)
                t += r.lognormvariate(math.log(100), .9) * (.3 if p.unit == 'analytics' else 1)
        for _ in range(poisson(r, .5 if p.via == SSH else 1.4 if p.icons else .8)):
            self.burst(r, p, self.moment(r, p))
        for _ in range(poisson(r, .7)):
            self.create(r, p, self.moment(r, p))
        if r.random() < .008:
            f = max((self.pick_folder(r, p) for _ in range(3)), key=lambda f: len(f.docs))
            self.copy(r, p, self.moment(r, p), f.docs[:r.randint(20, 45)], 'took a kit of documents along')
        if r.random() < .01:
            self.clean(r, p, self.moment(r, p))
        self.parts(r, p, day)

    # What happens in this month.

    def parts(self, r, p, day):
        if p.unit == 'finance' and day in self.month_end:
            for _ in range(r.randint(1, 3)):
                t, s, f = self.moment(r, p), self.session(r, p), r.choice(self.units['finance'])
                begin, linked = t, f.docs[:r.randint(15, 30)]
                for d in linked:
                    t += r.uniform(.05, .3)
                    self.on(t, s, 'read', d)
                self.cause(p, begin, t, f"month's end: a workbook with {len(linked)} linked ones")
        if p.joined == day:
            begin = t = p.from_ + 1800
            docs = self.common['onboarding'].docs
            for d in docs[:r.randint(25, 45)]:
                t += r.lognormvariate(math.log(240), .9)
                self.read(r, p, t, d)
            for f in r.sample(p.folders, 2):
                self.preview(r, p, self.moment(r, p), f)
            self.cause(p, begin, t, 'first day: onboarding documents, new address')
        if p in self.auditors and self.audit <= day < self.audit + 5:
            t, begin, n = p.from_ + 900, p.from_, r.randint(60, 120)
            folders = iter(r.sample(self.units['finance'] + self.units['purchasing'], 14))
            todo = []
            for _ in range(n):
                if not todo:
                    todo = next(folders, self.units['finance'][0]).docs[:r.randint(8, 30)]
                self.read(r, p, t, todo.pop(0))
                t += r.lognormvariate(math.log(6 * 3600 / n * .7), .9)
            self.cause(p, begin, t, f'audit: {n} documents of finance and purchasing today')
        if p is self.replacement and self.replaced.off and day in self.replaced.off:
            n = r.randint(8, 25)
            for _ in range(n):
                d = r.choice(self.replaced.recent + self.replaced.home.docs)
                (self.read if r.random() < .7 else self.edit)(r, p, self.moment(r, p), d)
            self.cause(p, p.from_, p.to, f'replaces a colleague on holiday: {n} of the colleague\'s documents')
        if p is self.renamer and day == self.rename_day:
            f, s, begin = max(p.projects, key=lambda f: len(f.docs)), self.session(r, p, '/usr/bin/rename'), self.moment(r, p)
            t = begin
            for d in f.docs[:12]:
                self.read(r, p, t, d)
                t += r.uniform(5, 60)
            self.execute(t, s, 'rename s/^/rev-B-/ *')
            for d in f.docs:
                t += r.uniform(.01, .2)
                self.emit(t, s, 'rename', d.path, d.object, d.label, f',"to":"{f.path}/rev-B-{d.name}"', seen=None)
                d.name = 'rev-B-' + d.name
            self.cause(p, begin, t, f'renamed {len(f.docs)} documents of a project')
        if p is self.leaver and p.announced <= day and r.random() < .3:
            self.clean(r, p, self.moment(r, p))
        for who, when in self.copiers:
            if p is who and day == when:
                f = max(self.projects, key=lambda f: len(f.docs))
                self.copy(r, p, self.moment(r, p), f.docs[:r.randint(60, 90)], 'copied a project to a laptop')

    def reorganise(self, day):
        r, p = self.rng('reorganisation'), self.admin
        self.arrive(r, p, day)
        t = day * DAY + 18.5 * 3600
        begin, s = t, self.session(r, p, '/usr/bin/mv')
        self.execute(t, s, 'mv purchasing sales/purchasing')
        for f in self.units['purchasing']:
            t += r.uniform(.01, .05)
            to = f.path.replace('/purchasing/', '/sales/purchasing/')
            self.emit(t, s, 'rename', f.path, self.new_object(), more=f',"to":"{to}"', seen=None)
            f.path = to
        self.cause(p, begin, t, "reorganisation: moved purchasing's folders below sales")
        for q in self.staff:
            if q.unit == 'sales' and r.random() < .5:
                q.folders = q.folders[:3] + r.sample(self.units['purchasing'], 2)

    # Those who are no persons.

    def everything(self):
        for fs in self.units.values():
            for f in fs:
                yield from f.docs
        for f in list(self.common.values()) + self.projects + self.archive + [p.home for p in self.staff]:
            yield from f.docs

    def nightly(self, day):
        r, s = self.rng('backup', day), self.services['backup'].session
        t = day * DAY + 3600 + r.uniform(0, 60)
        for d in self.everything():
            t += r.expovariate(12)
            self.on(t, s, 'read', d)
        if day % 7 == 6:
            t, s = day * DAY + 4 * 3600, self.services['clamav'].session
            for d in self.everything():
                t += r.expovariate(8)
                self.on(t, s, 'read', d)

    def followers(self, day):
        r, index, virus = self.rng('followers', day), self.services['indexer'].session, self.services['clamav'].session
        quarters = [day * DAY + 8 * 3600 + i * 900 for i in range(48)]
        for d in self.written:
            t = r.choice(quarters) + r.uniform(0, 60)
            self.on(t, index, 'read', d)
            self.on(r.uniform(day * DAY + 8 * 3600, day * DAY + 20 * 3600), virus, 'read', d)
        self.written = []

    def scan_device(self, day):
        r, s = self.rng('scans', day), self.services['scanner'].session
        for _ in range(r.randint(4, 25) if day % 7 < 5 else 0):
            t = day * DAY + r.uniform(8.5, 17.5) * 3600
            d = self.new_doc(r, self.common['scans'])
            self.on(t, s, 'create', d)
            self.on(t + 1.5, s, 'write', d)

    def migrate(self, day):
        r, s = self.rng('migration', day), self.services['migration'].session
        half = self.migration_days.index(day)
        begin = t = day * DAY + 20 * 3600
        self.execute(t, s, 'rsync -a --remove-source-files /srv/share/archive/ /srv/share/archive-2025/')
        for f in self.archive[half * 12:half * 12 + 12]:
            new = f.path.replace('/archive/', '/archive-2025/')
            for d in f.docs:
                t += r.expovariate(5)
                self.on(t, s, 'read', d)
                old, obj = d.path, d.object
                d.object, to = self.new_object(), f'{new}/{d.name}'
                temporary = f'{new}/.{d.name}.{r.getrandbits(24):06x}'
                self.emit(t + .002, s, 'create', temporary, d.object, d.label)
                self.emit(t + .01, s, 'write', temporary, d.object, d.label)
                self.emit(t + .02, s, 'rename', temporary, d.object, d.label, f',"to":"{to}"', seen=None)
                self.emit(t + .03, s, 'delete', old, obj, d.label, seen=None)
            f.path = new
        self.cause(self.services['migration'], begin, t, 'migration of the old archive')

    def run(self, day_done=None):
        """A day after the other: (date, events sorted by time)."""
        for day in range(self.days):
            if day == self.reorg_day:
                self.reorganise(day)
            self.nightly(day)
            for p in self.staff:
                self.work(p, day)
            self.scan_device(day)
            self.followers(day)
            if day in self.migration_days:
                self.migrate(day)
            if day_done:
                day_done(day)
            events = self.out.pop(day, [])
            events.sort(key=lambda e: e[0])
            yield stamp(day * DAY)[:10], events

    def people_rows(self):
        for p in self.people.values():
            row = {'person': p.name, 'unit': p.unit, 'role': p.role}
            for key in ('manager',):
                if getattr(p, key):
                    row[key] = getattr(p, key)
            row['joined'] = stamp(p.joined * DAY)[:10] if p.joined is not None else '2022-04-01'
            if p.leaves is not None:
                row['leaves'], row['announced'] = stamp(p.leaves * DAY)[:10], stamp(p.announced * DAY)[:10]
            yield row


def poisson(r, mean):
    n, x, limit = 0, r.random(), math.exp(-mean)
    while x > limit:
        n, x = n + 1, x * r.random()
    return n


def stamp(t):
    import datetime
    return datetime.datetime.fromtimestamp(START + t, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f') + 'Z'


def generate(folder, seed, persons, days):
    """The files named above; returns numbers of events."""
    import office_thefts
    office = Office(seed, persons, days)
    thefts = office_thefts.Thefts(office)
    counts = [0, 0]
    with open(f'{folder}/month.jsonl', 'w') as month, open(f'{folder}/thefts.jsonl', 'w') as taken:
        for date, events in office.run(thefts.day):
            month.writelines(office.line(e, date) for e in events)
            counts[0] += len(events)
            extra = thefts.take()
            taken.writelines(office.line(e, date) for e in extra)
            counts[1] += len(extra)
    for name, rows in (('people', office.people_rows()), ('causes', office.causes), ('truth', thefts.truth)):
        with open(f'{folder}/{name}.jsonl', 'w') as f:
            f.writelines(json.dumps(row) + '\n' for row in rows)
    return counts


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('usage: [PERSONS=100] [DAYS=30] [SEED=tune] eval/office_month.py DIR')
    os.makedirs(sys.argv[1], exist_ok=True)
    n = generate(sys.argv[1], os.environ.get('SEED', 'tune'), int(os.environ.get('PERSONS', 100)), int(os.environ.get('DAYS', 30)))
    print(f'{n[0]:,} events of the month, {n[1]:,} of the mass copies', file=sys.stderr)
