#!/usr/bin/python3
"""CPU a file under watch: Tyto beside auditd, fatrace, inotifywait and nothing at all.

    bench/sensor.py [--rounds 15] [--files 20000] [--tyto build/src/cli/tyto] [--modes bare,tyto,auditd,fatrace,inotify,unwatched]

For each mode: user and system time of the workload and of all the tool's processes (and of the kernel's threads) while 20,000 files of 4 KiB are
opened, read and closed by one process, and by `xargs cat`; divided by the number of files. Rounds are interleaved; minimum and quartiles are printed.
The workload's own count decides how many opens there were; each tool's count is printed beside it. Needs root, auditd, fatrace, inotify-tools, gcc.
Everything is on a loop-mounted ext4 of its own. The same pause after the workload is in every mode, long enough for what each does later (Tyto indexes
within 5 s); nothing is asked of a tool in it. Beside the total stands what the tool's processes would have spent in that time with no workload at all
(`idle`, measured just before): on a machine where others start many programs that is a good part of Tyto, which reads who each of them is.

An unwatched file is opened 64 times, then closed 64 times, each batch timed apart; the least of many batches counts.
"""
import argparse, json, os, resource, shutil, signal, statistics, subprocess, sys, tempfile, time

WORKLOAD = r'''
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	FILE *list = fopen(argv[1], "r");
	static char line[4096], data[4096];
	long n = 0, batches = argc > 2 ? atol(argv[2]) : 0;
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (batches) { /* one file again and again */
		double o = 1e9, c = 1e9, r = 1e9;
		if (!fgets(line, sizeof(line), list)) return 1;
		line[strcspn(line, "\n")] = 0;
		for (long b = 0; b < batches; b++) {
			struct timespec t[4];
			int fd[64];
			clock_gettime(CLOCK_MONOTONIC, t);
			for (int i = 0; i < 64; i++) if ((fd[i] = open(line, O_RDONLY)) < 0) return 1;
			clock_gettime(CLOCK_MONOTONIC, t + 1);
			for (int i = 0; i < 64; i++) if (pread(fd[i], data, 1, 0) != 1) return 1;
			clock_gettime(CLOCK_MONOTONIC, t + 2);
			for (int i = 0; i < 64; i++) close(fd[i]);
			clock_gettime(CLOCK_MONOTONIC, t + 3);
#define NS(i) (((t[i + 1].tv_sec - t[i].tv_sec) * 1e9 + (t[i + 1].tv_nsec - t[i].tv_nsec)) / 64)
			if (NS(0) < o) o = NS(0);
			if (NS(1) < r) r = NS(1);
			if (NS(2) < c) c = NS(2);
		}
		printf("%f %f %f\n", o, r, c);
		return 0;
	}
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		int fd = open(line, O_RDONLY);
		if (fd < 0 || read(fd, data, sizeof(data)) < 0) { perror(line); return 1; }
		close(fd);
		n++;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%ld %f\n", n, (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec));
	return 0;
}
'''

def ns_on_cpu(pid):
    total = 0
    try:
        for t in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{t}/schedstat') as f:
                total += int(f.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total

def children(pid):
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        try:
            for t in os.listdir(f'/proc/{p}/task'):
                with open(f'/proc/{p}/task/{t}/children') as f:
                    todo += [int(x) for x in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return out

def kernel_threads():
    return children(2)

class Bench:
    def __init__(self, a):
        self.a = a
        self.dir = tempfile.mkdtemp(prefix='tyto-bench.', dir='/tmp')
        os.chmod(self.dir, 0o755)
        self.mnt = self.dir + '/mnt'
        img = self.dir + '/img'
        subprocess.check_call(['truncate', '-s', '700M', img])
        subprocess.check_call(['mkfs.ext4', '-q', img])
        os.mkdir(self.mnt)
        subprocess.check_call(['mount', '-o', 'loop,noatime', img, self.mnt])
        self.share = self.mnt + '/share'
        self.other = self.mnt + '/other'
        os.mkdir(self.other)
        names = []
        for i in range(a.files):
            d = f'{self.share}/folder-{i // 500:03d}'
            os.makedirs(d, exist_ok=True)
            names.append(f'{d}/document-{i:06d}.txt')
            with open(names[-1], 'wb') as f:
                f.write(os.urandom(4096))
        self.unwatched = self.other + '/unwatched.txt'
        open(self.unwatched, 'w').write('x')
        self.list = self.dir + '/list'
        open(self.list, 'w').write('\n'.join(names) + '\n')
        open(self.dir + '/one', 'w').write(self.unwatched + '\n')
        open(self.dir + '/w.c', 'w').write(WORKLOAD)
        self.workload = self.dir + '/workload'
        subprocess.check_call(['gcc', '-O2', '-o', self.workload, self.dir + '/w.c'])
        self.proc = None

    def close(self):
        subprocess.call(['umount', self.mnt])
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- tools: start, count, stop ---
    def start(self, mode):
        self.state = None
        if mode == 'tyto':
            self.state = tempfile.mkdtemp(prefix='state.', dir=self.dir)
            os.rmdir(self.state)
            self.proc = subprocess.Popen([self.a.tyto, 'watch', '-q', '--state', self.state, self.share], stderr=subprocess.PIPE)
            deadline = time.time() + 60
            while time.time() < deadline:
                s = subprocess.run([self.a.tyto, 'status', '--json', '--state', self.state], capture_output=True, text=True)
                if s.returncode == 0 and json.loads(s.stdout).get('watching'):
                    break
                time.sleep(.1)
            else:
                self.proc.kill(); raise SystemExit('tyto did not become ready: ' + s.stdout + s.stderr + self.proc.stderr.read().decode())
            self.rest()
        elif mode == 'auditd':
            conf = self.dir + '/audit'
            os.makedirs(conf + '/rules.d', exist_ok=True)
            os.makedirs(self.dir + '/audit-log', exist_ok=True) # auditd takes its folder for itself
            log = self.dir + '/audit-log/audit.log'
            if os.path.exists(log):
                os.unlink(log)
            open(conf + '/auditd.conf', 'w').write(f'''local_events = yes
write_logs = yes
log_file = {log}
log_group = root
log_format = RAW
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 1000
num_logs = 2
priority_boost = 4
name_format = NONE
max_log_file_action = IGNORE
space_left = 20
space_left_action = IGNORE
admin_space_left = 10
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
q_depth = 8192
plugin_dir = {conf}/plugins.d
''')
            os.makedirs(conf + '/plugins.d', exist_ok=True)
            os.chmod(conf + '/auditd.conf', 0o640)
            self.proc = subprocess.Popen(['auditd', '-n', '-s', 'enable', '-c', conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(.7)
            subprocess.check_call(['auditctl', '-D'], stdout=subprocess.DEVNULL)
            subprocess.check_call(['auditctl', '-b', '65536'], stdout=subprocess.DEVNULL)
            subprocess.check_call(['auditctl', '-w', self.share, '-p', 'rwa', '-k', 'tyto-bench'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.log = log
        elif mode == 'fatrace':
            self.log = self.dir + '/fatrace.log'
            if os.path.exists(self.log): # it takes no file that exists, and ends
                os.unlink(self.log)
            self.proc = subprocess.Popen(['fatrace', '-c', '-f', 'O', '-o', self.log], cwd=self.share)
            time.sleep(.5)
        elif mode == 'inotify':
            self.log = self.dir + '/inotify.log'
            self.proc = subprocess.Popen(['inotifywait', '-q', '-m', '-r', '-e', 'open', self.share], stdout=open(self.log, 'w'), stderr=subprocess.DEVNULL)
            time.sleep(1.5)
        else:
            self.proc = None

    def status(self):
        s = subprocess.run([self.a.tyto, 'status', '--json', '--state', self.state], capture_output=True, text=True)
        return json.loads(s.stdout) if s.returncode == 0 else {}

    def rest(self):
        """The share's inventory is taken once, when the watch begins: until it is through, and the tool takes less than 2 % of a core for two seconds."""
        deadline, quiet = time.time() + 300, 0
        while time.time() < deadline:
            if self.status().get('inventory', {}).get('places', 0) < self.a.files:
                time.sleep(1)
                continue
            tool = children(self.proc.pid)
            before = sum(map(ns_on_cpu, tool))
            time.sleep(1)
            quiet = quiet + 1 if tool == children(self.proc.pid) and sum(map(ns_on_cpu, tool)) - before < 2e7 else 0
            if quiet == 2:
                return
        raise SystemExit('tyto does not come to rest')

    def settle(self, mode):
        if mode == 'tyto':
            last = -1
            for _ in range(60):
                s = json.loads(subprocess.run([self.a.tyto, 'status', '--json', '--state', self.state], capture_output=True, text=True).stdout)
                if s['records'] == last and s['queue'] == 0 and s['indexed'] >= s['leaves'] - 64:
                    break
                last = s['records']
                time.sleep(.5)

    def counted(self, mode):
        if mode == 'tyto':
            out = subprocess.run([self.a.tyto, 'events', '--json', '--state', self.state, '--verb', 'read,open'], capture_output=True, text=True).stdout
            n = 0
            for line in out.splitlines():
                e = json.loads(line)
                if '/document-' in e.get('path', '') and 'refers' not in e:
                    n += e.get('count', 1)
            return n
        if mode == 'auditd':
            return sum(1 for l in open(self.log, errors='replace') if 'type=SYSCALL' in l and 'tyto-bench' in l)
        if mode in ('fatrace', 'inotify'):
            return sum(1 for l in open(self.log, errors='replace') if '/document-' in l or 'document-' in l)
        return None

    def stop(self, mode):
        if mode == 'auditd':
            subprocess.call(['auditctl', '-D'], stdout=subprocess.DEVNULL)
        if self.proc:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        if mode == 'auditd':
            subprocess.call(['auditctl', '-e', '0'], stdout=subprocess.DEVNULL)
        if self.state:
            shutil.rmtree(self.state, ignore_errors=True)

    # --- one measurement ---
    def measure(self, mode, work):
        self.start(mode)
        kthreads = kernel_threads()
        tool = children(self.proc.pid) if self.proc else []
        t0, idle = time.monotonic(), sum(map(ns_on_cpu, tool))
        time.sleep(2)
        idle = (sum(map(ns_on_cpu, tool)) - idle) / (time.monotonic() - t0)
        t0 = time.monotonic()
        before = {p: ns_on_cpu(p) for p in tool + kthreads}
        r0 = resource.getrusage(resource.RUSAGE_CHILDREN)
        if work == 'open-read-close':
            out = subprocess.run([self.workload, self.list], capture_output=True, text=True, check=True).stdout
            n = int(out.split()[0])
        elif work == 'xargs cat':
            subprocess.run(['sh', '-c', f'xargs cat < {self.list} > /dev/null'], check=True)
            n = self.a.files
        r1 = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Long enough for the journal; in a longer time the kernel's threads work for the neighbours more than for us.
        time.sleep(min(1.5, self.a.pause))
        alive = set(kernel_threads())
        kt = sum(ns_on_cpu(p) - before.get(p, 0) for p in kthreads if p in alive)
        time.sleep(max(0, self.a.pause - 1.5))
        if self.proc:
            tool = children(self.proc.pid)
            if not tool or self.proc.poll() is not None:
                raise SystemExit(f'{mode} ended by itself')
        own = sum(ns_on_cpu(p) - before.get(p, 0) for p in tool)
        idle *= time.monotonic() - t0
        self.settle(mode)
        counted = self.counted(mode)
        self.stop(mode)
        w = (r1.ru_utime + r1.ru_stime - r0.ru_utime - r0.ru_stime) * 1e9
        return dict(workload=w / n / 1e3, tool=own / n / 1e3, kernel=kt / n / 1e3, idle=idle / n / 1e3, total=(w + own + kt) / n / 1e3, opens=n, counted=counted)

    def unwatched_ns(self, watched):
        self.start('tyto' if watched else 'bare')
        out = [float(x) for x in subprocess.run([self.workload, self.dir + '/one', '2000'], capture_output=True, text=True, check=True).stdout.split()]
        self.stop('tyto' if watched else 'bare')
        return out

def quart(v):
    v = sorted(v)
    q = statistics.quantiles(v, n=4) if len(v) > 1 else [v[0]] * 3
    return f'min {v[0]:8.2f}  q1 {q[0]:8.2f}  median {q[1]:8.2f}  q3 {q[2]:8.2f}'

def main():
    p = argparse.ArgumentParser()
    p.add_argument('--rounds', type=int, default=15)
    p.add_argument('--files', type=int, default=20000)
    p.add_argument('--tyto', default='build/src/cli/tyto')
    p.add_argument('--modes', default='bare,tyto,auditd,fatrace,inotify')
    p.add_argument('--pause', type=float, default=6.5, help='seconds after the workload that count')
    p.add_argument('--unwatched', type=int, default=15, help='rounds of the unwatched file')
    a = p.parse_args()
    a.tyto = os.path.abspath(a.tyto)
    b = Bench(a)
    try:
        results = {}
        for work in ('open-read-close', 'xargs cat'):
            for r in range(a.rounds):
                for mode in a.modes.split(','):
                    results.setdefault((work, mode), []).append(b.measure(mode, work))
                    print('.', end='', file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for (work, mode), v in results.items():
            print(f'{work}, {mode}: µs of CPU a file, {len(v)} rounds')
            for part in ('total', 'workload', 'tool', 'kernel', 'idle'):
                print(f'  {part:9s} {quart([x[part] for x in v])}')
            if v[0]['counted'] is not None:
                print('  opens / counted by the tool: ' + ', '.join(sorted({f"{x['opens']}/{x['counted']}" for x in v})))
        if a.unwatched:
            pairs = [(b.unwatched_ns(False), b.unwatched_ns(True)) for _ in range(a.unwatched)]
            for i, what in enumerate(('open', 'pread', 'close')):
                print(f'unwatched file, {what}, ns: bare  {quart([x[i] for x, _ in pairs])}')
                print(f'                    watched  {quart([y[i] for _, y in pairs])}')
                print(f'                      added  {quart([y[i] - x[i] for x, y in pairs])}')
    finally:
        b.close()

if __name__ == '__main__':
    main()
