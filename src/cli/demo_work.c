#include "cli/demo.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/timefmt.h"
#include "event/event_json.h"

/* Uids that no account of an ordinary system has. */
const struct demo_role demo_roles[] = { { "clerk", 61101 }, { "engineer", 61102 }, { "sales", 61103 }, { "assistant", 61104 }, { NULL } };
enum { CLERK, ENGINEER, SALES, ASSISTANT };

static const char *const folders[] = { "clients", "contracts", "plans", "offers" };
static const char *const titles[] = { "agreement", "price list", "site survey", "network plan", "meeting notes", "forecast", "maintenance",
	"tender" };

static int put_file(const char *dir, const char *name, str text)
{
	char path[4096];
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = write(fd, text.p, text.n) == (ssize_t)text.n && fchmod(fd, 0666) == 0 ? 0 : -EIO;
	close(fd);
	return r;
}

static void document_name(unsigned i, char *out, size_t n)
{
	const char *title = titles[i / ARRAY_SIZE(folders) % ARRAY_SIZE(titles)];

	snprintf(out, n, "%s/%s %02u.txt", folders[i % ARRAY_SIZE(folders)], title, i);
}

/* Sentences that are in no other document: numbers of their own stand in each of them. */
static void document_text(unsigned i, struct buf *b)
{
	static const char *const who[] = { "the customer", "our branch in Osaka", "the supplier", "the site manager", "the bank",
		"the northern office", "the auditor" };
	static const char *const does[] = { "accepts", "postpones", "pays for", "returns", "inspects", "cancels", "renews", "insures" };
	static const char *const what[] = { "pumps", "spare parts", "training days", "licences", "metres of cable", "drawings", "cooling units",
		"cranes", "cabinets" };
	static const char *const when[] = { "before", "by", "not later than", "from", "as agreed on" };
	static const char *const months[] = { "January", "March", "April", "June", "September", "October" };
	uint64_t x = 0x9e3779b97f4a7c15ULL * (i + 1);
	size_t folder = i % ARRAY_SIZE(folders);

	if (strcmp(folders[folder], "plans") == 0 || strcmp(folders[folder], "contracts") == 0)
		buf_puts(b, STR("CONFIDENTIAL\n\n"));
	for (unsigned line = 1; line <= 40; line++) {
		unsigned pick[8];

		for (size_t k = 0; k < ARRAY_SIZE(pick); k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			pick[k] = (unsigned)(x >> 40);
		}
		buf_putf(b, "%u. %c%s (%u) %s %u %s at %u,%03u yen, %s %u %s.\n", line, toupper((unsigned char)who[pick[0] % ARRAY_SIZE(who)][0]),
			who[pick[0] % ARRAY_SIZE(who)] + 1, pick[1] % 9000 + 1000, does[pick[2] % ARRAY_SIZE(does)], pick[3] % 900 + 7,
			what[pick[4] % ARRAY_SIZE(what)], pick[5] % 900 + 12, pick[6] % 1000, when[pick[7] % ARRAY_SIZE(when)], pick[7] / 8 % 28 + 1,
			months[pick[7] / 512 % ARRAY_SIZE(months)]);
	}
}

int demo_share(const char *dir)
{
	_cleanup_buf_ struct buf clients = BUF_INIT;
	char path[4096];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		if (mkdir(path, 0777) < 0 || chmod(path, 0777) < 0)
			return -errno;
	}
	for (unsigned i = 0; r == 0 && i < DEMO_DOCUMENTS; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		document_name(i, path, sizeof(path));
		document_text(i, &b);
		r = put_file(dir, path, buf_str(&b));
	}
	buf_puts(&clients, STR("client,contact,phone\n"));
	for (int i = 1; i <= 200; i++)
		buf_putf(&clients, "client %d,contact%d@client.example,+81 3 5555 %04d\n", i, i, i);
	return r < 0 ? r : put_file(dir, DEMO_CLIENTS, buf_str(&clients));
}

int demo_fragment(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT, leak = BUF_INIT;
	const char *from, *to;

	document_text(DEMO_LEAKED, &text);
	from = buf_cstr(&text) ? strstr(text.p, "\n12. ") : NULL;
	to = from ? strstr(from, "\n19. ") : NULL;
	if (!to)
		return -EIO;
	buf_puts(&leak, STR("This is what they plan next. There is more where it came from.\n\n"));
	for (const char *p = from + 1; p <= to; p++) /* upper case, other line ends: it need not be a clean copy */
		buf_puts(&leak, *p == '\n' ? STR("\r\n") : (str){ &(char){ (char)toupper((unsigned char)*p) }, 1 });
	return buf_error(&leak) ? buf_error(&leak) : put_file("", path + 1, buf_str(&leak));
}

/* Runs a shell line as that role; $0 is the share. */
static int as_role(unsigned role, const char *dir, const char *line)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		unsigned id = demo_roles[role].uid;
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0 || chdir(dir) < 0)
			_exit(126);
		umask(0);
		execl("/bin/sh", "sh", "-c", line, dir, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int demo_office(const char *dir)
{
	static const struct { unsigned role; const char *line; } work[] = {
		{ CLERK, "cat 'contracts/agreement 01.txt'" },
		{ CLERK, "echo 'Signed by both sides.' >> 'contracts/agreement 01.txt'" },
		{ ENGINEER, "head -c 400 'plans/site survey 10.txt'" },
		{ SALES, "grep -c client " DEMO_CLIENTS },
		{ ENGINEER, "mv 'plans/network plan 14.txt' 'plans/network plan, final.txt'" },
		{ SALES, "cp 'offers/price list 07.txt' 'offers/price list, new.txt'" },
		{ CLERK, "rm 'clients/tender 28.txt'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(work); i++) {
		int r = as_role(work[i].role, dir, work[i].line);

		if (r < 0)
			return r;
		usleep(250000);
	}
	return 0;
}

int demo_theft(const char *dir, const char *to)
{
	char line[4200];

	snprintf(line, sizeof(line), "exec cp -r clients contracts plans offers '%s'", to);
	return as_role(ASSISTANT, dir, line);
}

void demo_people(struct buf *b)
{
	buf_puts(b, STR("person,role,aliases\n"));
	for (const struct demo_role *r = demo_roles; r->name; r++)
		buf_putf(b, "%s,%s,uid:%u\n", r->name, r->name, r->uid);
}

static void put_record(struct buf *b, const char *dir, int64_t time, unsigned role, enum event_verb verb, const char *document,
		const char *program)
{
	struct event e = { .seq = UINT64_MAX, .time = time, .verb = verb, .seen = SEEN_ACCESS, .person = str_c(demo_roles[role].name),
		.uid = demo_roles[role].uid, .via = VIA_LOCAL, .program = str_c(program) };
	char path[4200];

	e.path = (str){ path, (size_t)snprintf(path, sizeof(path), "%s/%s", dir, document) };
	for (enum event_field f = EV_TIME; f <= EV_SEEN; f++)
		event_set(&e, f);
	event_set(&e, EV_PERSON);
	event_set(&e, EV_UID);
	event_set(&e, EV_PATH);
	event_set(&e, EV_PROGRAM);
	event_set(&e, EV_VIA);
	event_to_json(b, &e);
	buf_putc(b, '\n');
}

void demo_records(struct buf *b, const char *dir)
{
	int64_t t = time_now() - 60 * NSEC_PER_SEC;
	char name[256];

	put_record(b, dir, t, CLERK, VERB_READ, "contracts/agreement 01.txt", "/usr/bin/cat");
	put_record(b, dir, t += NSEC_PER_SEC, CLERK, VERB_WRITE, "contracts/agreement 01.txt", "/usr/bin/dash");
	put_record(b, dir, t += NSEC_PER_SEC, ENGINEER, VERB_READ, "plans/site survey 10.txt", "/usr/bin/head");
	put_record(b, dir, t += NSEC_PER_SEC, SALES, VERB_READ, DEMO_CLIENTS, "/usr/bin/grep");
	for (unsigned i = 0; i < DEMO_DOCUMENTS; i++) {
		document_name(i, name, sizeof(name));
		put_record(b, dir, t += 3000000, ASSISTANT, VERB_READ, name, "/usr/bin/cp");
	}
	put_record(b, dir, t + 3000000, ASSISTANT, VERB_READ, DEMO_CLIENTS, "/usr/bin/cp");
}
