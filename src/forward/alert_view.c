#include "forward/alert_view.h"

void alert_view_free(struct alert_view *v)
{
	for (size_t i = 0; i < v->n_why; i++)
		free(v->why[i]);
	for (size_t i = 0; i < v->n_rules; i++)
		free(v->rules[i]);
	for (size_t i = 0; i < v->n_documents; i++)
		free(v->documents[i].path);
	for (size_t i = 0; i < v->n_attack; i++)
		free(v->attack[i]);
	for (size_t i = 0; i < v->n_tactics; i++)
		free(v->tactics[i]);
	free(v->why);
	free(v->rules);
	free(v->attack);
	free(v->tactics);
	free(v->documents);
	free(v->events);
	free(v->log);
	free(v->person);
	free(v->host);
	free(v->rule);
	*v = (struct alert_view){ 0 };
}

char *alert_view_copy(str s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] ? s.p[i] : ' ';
	p[s.n] = '\0';
	return p;
}

const char *alert_view_status(const struct alert_view *v)
{
	return v->open ? (v->held ? "held" : "open") : "closed";
}

void alert_view_uid(const struct alert_view *v, struct buf *b)
{
	buf_putf(b, "%s/alert/%llu", v->log ? v->log : "", (unsigned long long)v->number);
}
