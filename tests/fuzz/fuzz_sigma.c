/* The bytes are a file of rules; a record goes past whatever comes of it. */
#include "detect/sigma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(void *arg, const struct sigma_hit *h)
{
	if (h->rule->state > SIGMA_NEVER || h->n_seqs > SIGMA_SEQS_MAX || h->first > h->last)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct sigma_field fields[] = { { STR("verb"), STR("read"), false }, { STR("person"), STR("clerk"), false },
		{ STR("path"), STR("/srv/Plan -x.docx"), false }, { STR("f"), STR("2026-11-25T03:10:00Z"), false }, { STR("n"), STR(""), true } };
	_cleanup_sigma_ struct sigma *s = NULL;
	struct event e = { .seq = 1, .verb = VERB_READ, .path = STR("/srv/a"), .present = EV_BIT(EV_VERB) | EV_BIT(EV_PATH) };

	if (sigma_new(&s) < 0 || sigma_add_text(s, STR("fuzz"), (str){ (const char *)data, n }) < 0 || sigma_ready(s) < 0)
		return 0;
	for (size_t i = 0; i < sigma_rules(s); i++)
		if ((sigma_rule(s, i)->state == SIGMA_RUNS) != (sigma_rule(s, i)->why == NULL))
			abort();
	for (int i = 0; i < 8; i++) {
		struct sigma_record r = { .fields = fields, .n = 5, .time = (i % 3) * NSEC_PER_SEC, .seq = (uint64_t)i, .count = 1 };

		if (sigma_feed_fields(s, &r, check, NULL) < 0 || sigma_feed(s, &e, check, NULL) < 0)
			abort();
	}
	return 0;
}
