/* The bytes are a company's own markings, then lines that are judged by them; or a client list. Each is taken or refused in words. */
#include <sys/mman.h>

#include "base/utf8.h"
#include "document/contacts.h"
#include "document/marking.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void clients(str s)
{
	static const uint8_t key[IDENTIFIER_KEY] = { 1 };
	struct client_list *c = NULL;
	int fd = memfd_create("list", MFD_CLOEXEC);

	if (fd < 0 || write(fd, s.p, s.n) != (ssize_t)s.n)
		abort();
	lseek(fd, 0, SEEK_SET);
	if (client_list_load(fd, key, &c) == 0)
		client_list_free(c);
	close(fd);
}

static void judge(const struct markings *m, str s)
{
	_cleanup_buf_ struct buf clean = BUF_INIT;

	utf8_put_clean(&clean, s);
	for (enum marking_place p = MARK_MARGIN; p <= MARK_VALUE; p++)
		for (size_t i = 0; i < clean.n;) {
			const char *nl = memchr(clean.p + i, '\n', clean.n - i);
			size_t k = nl ? (size_t)(nl - clean.p) - i : clean.n - i;
			struct judged j = marking_judge(m, p, (str){ clean.p + i, k });

			if (j.m && (j.m->label <= 0 || j.m->label >= LABEL_MAX_))
				abort();
			marking_is_key((str){ clean.p + i, k });
			i += k + 1;
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	str s = { (const char *)data + 1, n - 1 };
	struct markings m = { 0 };
	const char *zero;

	if (n == 0)
		return 0;
	if (data[0] % 8 == 7) {
		clients(s);
		return 0;
	}
	zero = memchr(s.p, '\0', s.n);
	if (markings_parse(zero ? (str){ s.p, (size_t)(zero - s.p) } : STR_NONE, "file", &m, &why) == 0)
		judge(&m, zero ? (str){ zero + 1, (size_t)(s.p + s.n - zero - 1) } : s);
	else if (why.n == 0)
		abort();
	markings_free(&m);
	return 0;
}
