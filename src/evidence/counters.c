#include "evidence/counters.h"

#include <errno.h>

#include "base/varint.h"
#include "evidence/vfs.h"

#define MAGIC "TYTOCNT2"
#define FIELDS 10
#define BYTES (8 + 8 * FIELDS + 4)

void counters_leaf(struct counters *c, const struct leaf *l)
{
	c->size++;
	c->unknown += !leaf_known(l);
	switch (l->kind) {
	case LEAF_NAME:
		c->names++;
		break;
	case LEAF_EVENT:
		c->records++;
		/* Imported records tell of other times. */
		if (!(l->present & EV_BIT(EV_SOURCE)))
			c->last_time = MAX(c->last_time, (int64_t)l->value[EV_TIME]);
		if (l->value[EV_VERB] == VERB_GAP) {
			c->gaps++;
			if (l->present & EV_BIT(EV_COUNT))
				c->lost += l->value[EV_COUNT];
		}
		break;
	case LEAF_HEARTBEAT:
		c->last_time = MAX(c->last_time, (int64_t)l->value[0]);
		c->last_phase = (uint8_t)l->value[1];
		c->last_boot = l->value[3];
		c->last_uptime = l->value[4];
		break;
	}
}

void counters_stat(const struct counters *c, const struct names *n, struct evidence_stat *ret)
{
	str boot;

	*ret = (struct evidence_stat){ .size = c->size, .records = c->records, .gaps = c->gaps, .lost = c->lost, .unknown = c->unknown,
		.last_heartbeat = c->last_time, .last_phase = c->last_phase, .last_uptime = c->last_uptime };
	if (c->last_boot && names_value(n, NAME_BOOT, c->last_boot, &boot) == 0)
		snprintf(ret->last_boot, sizeof(ret->last_boot), "%.*s", STR_ARG(boot));
}

int counters_load(int state_fd, struct counters *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t v[FIELDS];
	int r = read_file(state_fd, "counters", BYTES, &b);

	if (r < 0)
		return r;
	if (b.n != BYTES || memcmp(b.p, MAGIC, 8) != 0 || get_be32(b.p + BYTES - 4) != crc32c(0, b.p, BYTES - 4))
		return -EBADMSG;
	for (size_t i = 0; i < FIELDS; i++)
		v[i] = get_be64(b.p + 8 + 8 * i);
	*ret = (struct counters){ v[0], v[1], v[2], v[3], v[4], (int64_t)v[5], (uint8_t)v[6], v[7], v[8], v[9] };
	return 0;
}

int counters_save(int state_fd, const struct counters *c)
{
	const uint64_t v[FIELDS] = { c->size, c->records, c->gaps, c->lost, c->names, (uint64_t)c->last_time, c->last_phase, c->last_uptime,
		c->last_boot,
		c->unknown };
	uint8_t out[BYTES];

	memcpy(out, MAGIC, 8);
	for (size_t i = 0; i < FIELDS; i++)
		put_be64(out + 8 + 8 * i, v[i]);
	put_be32(out + BYTES - 4, crc32c(0, out, BYTES - 4));
	return vfs_replace(state_fd, "counters", out, sizeof(out), NULL);
}
