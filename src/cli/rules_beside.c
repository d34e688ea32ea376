#include "cli/rules_beside.h"

#include <errno.h>

#include "base/hash.h"
#include "detect/beside.h"
#include "who/people.h"

#define NAMES_MAX 1000000

struct rules_beside {
	struct profile *profile;
	struct decoys *decoys;
	struct people *people;
	uint64_t decoys_n, rows;
	/* texts and their numbers, one dictionary for all kinds */
	char **texts;
	size_t n, cap;
	uint32_t *slots;
	size_t n_slots;
	uint8_t key[16];
};

struct rules_beside *rules_beside_new(void)
{
	struct rules_beside *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->profile = profile_new();
	b->decoys = decoys_new();
	b->people = people_new();
	return b->profile && b->decoys && b->people ? b : rules_beside_free(b);
}

struct rules_beside *rules_beside_free(struct rules_beside *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n; i++)
		free(b->texts[i]);
	free(b->texts);
	free(b->slots);
	profile_free(b->profile);
	decoys_free(b->decoys);
	people_free(b->people);
	free(b);
	return NULL;
}

static uint32_t *slot(struct rules_beside *b, str text)
{
	size_t i = siphash13(b->key, text.p, text.n) & (b->n_slots - 1);

	while (b->slots[i] && !str_eq(str_c(b->texts[b->slots[i] - 1]), text))
		i = (i + 1) & (b->n_slots - 1);
	return &b->slots[i];
}

static int room(struct rules_beside *b)
{
	size_t cap = b->cap ? 2 * b->cap : 256;
	char **texts;
	uint32_t *slots;

	if (b->n < b->cap)
		return 0;
	if (b->n >= NAMES_MAX)
		return -E2BIG;
	texts = reallocarray(b->texts, cap, sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	b->texts = texts;
	b->cap = cap;
	slots = calloc(4 * cap, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(b->slots);
	b->slots = slots;
	b->n_slots = 4 * cap;
	for (size_t i = 0; i < b->n; i++)
		*slot(b, str_c(b->texts[i])) = (uint32_t)i + 1;
	return 0;
}

/* A NUL in a text ends it here: two that are the same up to it are one in a test. */
static int number_of_text(struct rules_beside *b, bool has, str text, uint64_t *ret)
{
	char *copy;
	uint32_t *at;
	int r;

	*ret = 0;
	if (!has || !text.n)
		return 0;
	r = room(b);
	if (r < 0)
		return r;
	text.n = strnlen(text.p, text.n);
	at = slot(b, text);
	if (!*at) {
		copy = strndup(text.p, text.n);
		if (!copy)
			return -ENOMEM;
		b->texts[b->n++] = copy;
		*at = (uint32_t)b->n;
	}
	*ret = *at;
	return 0;
}

int rules_beside_row(struct rules_beside *b, str row)
{
	struct people_row last;
	const char *expect;
	uint64_t person = 0;
	int r = people_add_json(b->people, row, &expect);

	if (r == 0)
		r = people_last(b->people, &last);
	if (r == 0)
		r = number_of_text(b, true, last.person, &person);
	return r < 0 ? r : profile_person(b->profile, person, ++b->rows, row);
}

int rules_beside_decoy(struct rules_beside *b, const char *path)
{
	struct decoy c = { .path = (char *)(uintptr_t)path };
	_cleanup_buf_ struct buf setting = BUF_INIT;
	int r;

	snprintf(c.id, sizeof(c.id), "%016llx", (unsigned long long)++b->decoys_n);
	decoy_put_planted(&setting, &c);
	r = decoys_setting(b->decoys, 0, 0, buf_str(&setting));
	return r < 0 ? r : r == 0 || decoys_count(b->decoys) != b->decoys_n ? -EBADMSG : 0;
}

int rules_beside_tell(struct rules_beside *b, const struct event *e, struct sigma_beside *ret)
{
	struct profile_record rec = { .time = e->time, .verb = e->verb, .labelled = event_has(e, EV_LABEL) && e->label >= LABEL_CONFIDENTIAL };
	int r = number_of_text(b, event_has(e, EV_PERSON), e->person, &rec.person);

	*ret = (struct sigma_beside){ 0 };
	if (r == 0)
		r = number_of_text(b, event_has(e, EV_PROGRAM), e->program, &rec.program);
	if (r == 0)
		r = number_of_text(b, event_has(e, EV_CLIENT), e->client, &rec.client);
	if (r == 0)
		r = number_of_text(b, event_has(e, EV_PATH), e->path, &rec.path);
	if (r == 0)
		r = profile_take(b->profile, &rec);
	if (r < 0)
		return r;
	profile_tell(b->profile, &rec, ret);
	beside_tell_event(b->decoys, 0, e, ret);
	return 0;
}
