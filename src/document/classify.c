/* Text in, what a scan says of it out. */
#include "document/classify.h"

#include <errno.h>

struct classifier {
	struct labels *labels;
	struct finder *finder;
	const struct client_list *clients;
	uint8_t key[IDENTIFIER_KEY];
};

struct classify {
	const struct classifier *c;
	struct finding_scan *scan;
	struct contacts *contacts;
	struct buf why;
};

static _Thread_local const char *why = "no error";

const char *classify_why(void)
{
	return why;
}

int classifier_new(const struct label_config *labels, const uint8_t key[static IDENTIFIER_KEY], const struct client_list *clients,
		struct classifier **ret)
{
	static const struct label_config none;
	struct classifier *c = calloc(1, sizeof(*c));
	const struct finder_literal *literals;
	size_t n;
	int r;

	why = "no memory";
	if (!c)
		return -ENOMEM;
	memcpy(c->key, key, IDENTIFIER_KEY);
	c->clients = clients;
	r = labels_new(labels ? labels : &none, &c->labels);
	if (r < 0) {
		why = label_why_text();
	} else {
		literals = labels_literals(c->labels, &n);
		r = finder_new(literals, n, &c->finder);
		if (r < 0)
			why = "the patterns cannot be compiled";
	}
	if (r < 0) {
		classifier_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct classifier *classifier_free(struct classifier *c)
{
	if (!c)
		return NULL;
	finder_free(c->finder);
	labels_free(c->labels);
	explicit_bzero(c->key, sizeof(c->key));
	free(c);
	return NULL;
}

int classify_new(const struct classifier *c, struct classify **ret)
{
	struct classify *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->c = c;
	r = finding_scan_new(c->finder, &x->scan);
	if (r == 0)
		r = contacts_new(c->key, c->clients, &x->contacts);
	if (r < 0) {
		classify_free(x);
		return r;
	}
	*ret = x;
	return 0;
}

struct classify *classify_free(struct classify *c)
{
	if (!c)
		return NULL;
	finding_scan_free(c->scan);
	contacts_free(c->contacts);
	buf_free(&c->why);
	free(c);
	return NULL;
}

int classify_text(struct classify *c, const struct text *t, struct facts *ret, struct contacts_result *ret_contacts)
{
	struct contacts_result contacts;
	enum event_label label;
	struct hits h;
	int r = finding_run(c->scan, t, &h);

	if (r == 0)
		r = contacts_run(c->contacts, t, &h, &contacts);
	if (r < 0)
		return r;
	buf_clear(&c->why);
	label = labels_decide(c->c->labels, t, &h, contacts.persons, &c->why);
	if (buf_error(&c->why))
		return buf_error(&c->why);
	ret->label = label;
	ret->label_why = buf_str(&c->why);
	memcpy(ret->findings, h.count, sizeof(ret->findings));
	ret->findings[0] = 0;
	ret->contacts = contacts.persons;
	ret->clients = contacts.clients;
	ret->text_chars = t->chars;
	*ret_contacts = contacts;
	return 0;
}

int classify_container(const struct classifier *c, uint64_t own, struct facts *f, struct buf *reasons)
{
	_cleanup_buf_ struct buf said = BUF_INIT;
	enum event_label label;

	buf_puts(&said, f->label_why);
	label = labels_contacts(c->labels, f->label, own, f->contacts, &said);
	if (buf_error(&said))
		return buf_error(&said);
	if (said.n == f->label_why.n)
		return 0;
	buf_clear(reasons);
	buf_puts(reasons, buf_str(&said));
	if (buf_error(reasons))
		return buf_error(reasons);
	f->label = label;
	f->label_why = buf_str(reasons);
	return 0;
}
