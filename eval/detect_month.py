#!/usr/bin/env python3
"""What the shipped rules say of an ordinary month of a made-up office (office_month.py), and of the same month with ten mass copies in it.

    [SEEDS='test …'] [PERSONS=100] [DAYS=30] [RULES=rules/shipped] [NAMED=20] [EXCUSED=1] eval/detect_month.py

SEEDS: `tune` is for whoever works on the rules, any other judges; the default is `test`. Only `tyto import` and `tyto alerts` are asked. Thresholds (the issue of the rules): no alert
of medium and above in the ordinary month, service accounts included, held back or not; 10 of 10 copies found. A copy is found when an alert of medium and above of its person was
raised, in event time, between its begin and a minute after its end, in the month. Where a case of this person was open already, the copy only grows it: it is then looked for
in a state that holds the copy's records alone (*alone* in the table), and does not count as found. EXCUSED=1 adds what an administrator would write: a Sigma filter that leaves out
the service accounts by name. Ends with 1 where a threshold is not reached.
"""
import collections
import datetime
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import common
import office_month

SEVERITIES = ('critical', 'high', 'medium', 'low')
FILTER = """title: Service accounts
id: 6a1f0c5e-7f0b-4c0f-9d43-0c2d0b5a7e11
logsource:
    product: tyto
filter:
    rules: any
    selection:
        person: [backup, indexer, clamav, scanner, migration]
    condition: not selection
"""


def when(text):
    text = text.rstrip('Z')[:26]
    return datetime.datetime.fromisoformat(text if '.' not in text else text.ljust(26, '0')).timestamp()


def rows(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


class Run:
    """One import into a state of its own, and the alerts that it left."""
    def __init__(self, folder, name, files):
        self.state = f'{folder}/{name}'
        shutil.rmtree(self.state, ignore_errors=True)
        config = f'{folder}/tyto.conf'
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        p = subprocess.run([common.TYTO, 'import', '-q', '--state', self.state, '--config', config, '--people', f'{folder}/people.jsonl', *files],
                           capture_output=True, text=True)
        self.took = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if p.returncode:
            sys.exit(f'eval: tyto import ended with {p.returncode}: {p.stderr[-400:]}')
        out = subprocess.run([common.TYTO, '-q', 'alerts', '--all', '--json', '--state', self.state, '--config', config], capture_output=True, text=True, check=True)
        self.alerts = [json.loads(line) for line in out.stdout.splitlines()]
        shutil.rmtree(self.state)

    def loud(self, person=None):
        return [a for a in self.alerts if a['severity'] != 'low' and (person is None or a.get('person') == person)]


def cause_of(alert, causes, services):
    p, t = alert.get('person'), when(alert['time'])
    if p in services:
        return 'service account'
    near = [c['cause'] for c in causes if c['person'] == p and when(c['begin']) - 600 <= t <= when(c['end']) + 600]
    return near[0] if near else 'everyday work'


def ordinary(folder, events, named):
    run = Run(folder, 'ordinary', [f'{folder}/month.jsonl'])
    causes, services = rows(f'{folder}/causes.jsonl'), {p['person'] for p in rows(f'{folder}/people.jsonl') if p['role'] == 'service'}
    count = collections.Counter((a['severity'], a['status']) for a in run.alerts)
    print(f'ordinary month: {events:,} events in {run.took:.1f} s ({events / run.took:,.0f}/s; of processor time {run.cpu:.1f} s, {events / run.cpu:,.0f}/s), load {os.getloadavg()[0]:.1f}')
    common.table(('severity', 'alerts', 'open', 'held back', 'closed by quiet days', 'of persons'),
                 [(s, sum(v for (x, _), v in count.items() if x == s), *(count[s, x] for x in ('open', 'held', 'closed')),
                   len({a.get('person') for a in run.alerts if a['severity'] == s})) for s in SEVERITIES])
    loud = run.loud()
    by_rule = collections.Counter()
    for a in loud:
        for r in a['rules']:
            by_rule[r['rule']] += r['hits']
    if loud:
        print('\nfirings of medium and above by rule: ' + '; '.join(f'{n} {v}' for n, v in by_rule.most_common()))
        by_cause = collections.Counter(' '.join(w for w in cause_of(a, causes, services).split('(')[0].split() if not w.isdigit()) for a in loud)
        print('alerts by cause: ' + '; '.join(f'{n} {v}' for n, v in by_cause.most_common()) + '\n')
        common.table(('alert', 'raised', 'severity', 'status', 'person', 'rule', 'cause'),
                     [(a['id'], a['time'][:16], a['severity'], a['status'], a.get('person', ''), a['rule'], cause_of(a, causes, services)) for a in loud[:named]])
        if len(loud) > named:
            print(f'… and {len(loud) - named} more (NAMED={len(loud)} shows them)')
    return run, len(loud)


def moment(alerts, theft, where):
    """Of the first alert raised by a copy: (alert, documents read until then, seconds since its begin)."""
    begin, end = when(theft['begin']), when(theft['end'])
    found = sorted((a for a in alerts if begin - 1 <= when(a['time']) <= end + 60), key=lambda a: a['time'])
    if not found:
        return None
    t = max(begin, when(found[0]['time'])) # a command is recorded just before what it reads
    return found[0], sum(when(x) <= when(found[0]['time']) for x, _ in theft['documents']), t - begin, where


def alone(folder, theft):
    """The records of the copy by themselves."""
    mine = f'"person":"{theft["person"]}"'
    with open(f'{folder}/thefts.jsonl') as f, open(f'{folder}/alone.jsonl', 'w') as out:
        out.writelines(line for line in f if mine in line)
    run = Run(folder, 'alone', [f'{folder}/alone.jsonl'])
    return moment(run.loud(theft['person']), theft, 'alone')


def copies(folder, base):
    run = Run(folder, 'copies', [f'{folder}/month.jsonl', f'{folder}/thefts.jsonl'])
    found, lines = 0, []
    for theft in rows(f'{folder}/truth.jsonl'):
        n = len(theft['documents'])
        got = moment(run.loud(theft['person']), theft, 'month') or alone(folder, theft)
        found += bool(got) and got[3] == 'month'
        if got:
            a, documents, seconds, where = got
            said = 'yes' if where == 'month' else 'in a case open before; alone: yes'
            lines.append((theft['kind'], theft['person'], said, f'{documents} of {n}', span(seconds), a['severity'], a['status'], a['rule']))
        else:
            lines.append((theft['kind'], theft['person'], '**no**', f'– of {n}', '', '', '', ''))
    print()
    common.table(('copy', 'person', 'found', 'after documents', 'after', 'severity', 'status', 'rule'), lines)
    more = len(run.loud()) - len(base.loud())
    print(f'\nfound {found} of {len(lines)}; alerts of medium and above: {len(run.loud())}, {more:+d} beside the ordinary month')
    return found, len(lines)


def span(s):
    return f'{s:.1f} s' if s < 120 else f'{s / 60:.0f} min' if s < 7200 else f'{s / 3600:.1f} h'


def main():
    persons, days = int(os.environ.get('PERSONS', 100)), int(os.environ.get('DAYS', 30))
    rules = os.path.abspath(os.environ.get('RULES', os.path.join(common.TOP, 'rules/shipped')))
    reached = True
    for seed in os.environ.get('SEEDS', 'test').split():
        with common.Work() as folder:
            os.chmod(folder, 0o755)     # the keeper's account looks into it
            with open(f'{folder}/tyto.conf', 'w') as f:
                f.write(f'rules = {rules}\n')
                if os.environ.get('EXCUSED'):
                    common.write(f'{folder}/services.yml', FILTER)
                    f.write(f'rules = {folder}/services.yml\n')
            events, _ = office_month.generate(folder, seed, persons, days)
            print(f'\nseed {seed}: {persons} persons, {days} days' + (', service accounts left out by a filter' if os.environ.get('EXCUSED') else ''))
            run, false = ordinary(folder, events, int(os.environ.get('NAMED', 20)))
            found, all_ = copies(folder, run)
        ok = not false and found == all_
        reached &= ok
        print(f'{common.verdict(ok)}: {false} alerts of medium and above in the ordinary month (0 wanted); {found} of {all_} copies found')
    common.finish(reached)


if __name__ == '__main__':
    main()
