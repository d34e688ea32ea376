/* People: the row in force, as fields; who works beside whom. */
#include <errno.h>
#include <jansson.h>
#include <strings.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "detect/profile_int.h"

#define UNKNOWN INT64_MIN

void staff_free(struct staff *s)
{
	free(s->unit);
	free(s->role);
	free(s->manager);
	*s = (struct staff){ 0 };
}

/* Accounts that no human sits behind, by their role. */
static bool is_service(const char *role)
{
	static const char *const words[] = { "backup", "indexer", "index", "antivirus", "scanner", "system", "robot", "batch", "migration" };

	if (!role)
		return false;
	if (strcasestr(role, "service account") || strcasecmp(role, "service") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(role, words[i]) == 0)
			return true;
	return false;
}

static char *dup_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? strdup(s) : NULL;
}

/* A date is its first moment in UTC. */
static int64_t date_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));
	char full[TIME_TEXT_MAX + 16];
	int64_t t;

	if (!s || !*s)
		return UNKNOWN;
	if (time_parse(str_c(s), &t) == 0)
		return t;
	snprintf(full, sizeof(full), "%.10sT00:00:00Z", s);
	return time_parse(str_c(full), &t) == 0 ? t : UNKNOWN;
}

static struct unit *find_unit(struct profile *p, const char *name, uint32_t *ret_index)
{
	for (size_t i = 0; i < p->n_units; i++)
		if (strcmp(p->units[i].name, name) == 0) {
			*ret_index = (uint32_t)i;
			return &p->units[i];
		}
	return NULL;
}

static void leave_unit(struct profile *p, struct person *a, uint64_t number)
{
	struct unit *u = a->unit ? &p->units[a->unit - 1] : NULL;

	a->unit = 0;
	for (uint32_t i = 0; u && i < u->n; i++)
		if (u->members[i] == number) {
			u->members[i] = u->members[--u->n];
			break;
		}
	if (u)
		u->day = NO_DAY;
}

static int join_unit(struct profile *p, struct person *a, uint64_t number)
{
	uint32_t index = (uint32_t)p->n_units;
	struct unit *u;

	if (!a->staff.unit)
		return 0;
	u = find_unit(p, a->staff.unit, &index);
	if (!u) {
		struct unit *v = reallocarray(p->units, p->n_units + 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->units = v;
		u = &v[p->n_units];
		*u = (struct unit){ .name = strdup(a->staff.unit) };
		if (!u->name)
			return -ENOMEM;
		p->n_units++;
	}
	if (array_room(u->members, u->cap, u->n + 1) < 0)
		return -ENOMEM;
	u->members[u->n++] = (uint32_t)number;
	u->day = NO_DAY;
	a->unit = index + 1;
	return 0;
}

int profile_staff(struct profile *p, uint64_t number, uint64_t row, str text)
{
	json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	struct person *a = json_is_object(j) ? profile_at(p, number) : NULL;
	struct staff *s;
	int64_t leaves;

	if (!json_is_object(j) || !a) {
		p->full += json_is_object(j);
		json_decref(j);
		return a ? 0 : -EBADMSG;
	}
	leave_unit(p, a, number);
	s = &a->staff;
	staff_free(s);
	s->number = row;
	s->unit = dup_of(j, "unit");
	s->role = dup_of(j, "role");
	s->manager = dup_of(j, "manager");
	s->service = is_service(s->role);
	s->joined = date_of(j, "joined");
	s->announced = date_of(j, "announced");
	leaves = date_of(j, "leaves");
	/* The last day is over everywhere at noon of the next one (UTC−12). */
	s->left = leaves == UNKNOWN ? UNKNOWN : leaves + DAY_NS + DAY_NS / 2;
	s->leaves_day = leaves == UNKNOWN ? NO_DAY : (int32_t)(leaves / DAY_NS - (leaves % DAY_NS < 0));
	json_decref(j);
	return join_unit(p, a, number);
}

int profile_person(struct profile *p, uint64_t person, uint64_t row, str json)
{
	return person ? profile_staff(p, person, row, json) : -EBADMSG;
}

static str put_days(struct buf *b, int64_t days)
{
	size_t at = b->n;

	buf_put_dec(b, (uint64_t)days);
	return (str){ b->p + at, b->n - at };
}

void profile_tell_person(struct profile *p, const struct person *a, int64_t time, struct sigma_beside *ret)
{
	const struct staff *s = &a->staff;
	int64_t day = time / DAY_NS - (time % DAY_NS < 0);

	if (!s->number)
		return;
	ret->value[BESIDE_UNIT] = str_c(s->unit);
	ret->value[BESIDE_ROLE] = str_c(s->role);
	ret->value[BESIDE_MANAGER] = str_c(s->manager);
	if (s->service)
		ret->value[BESIDE_SERVICE] = STR("true");
	if (s->joined != UNKNOWN && time >= s->joined)
		ret->value[BESIDE_JOINED_DAYS] = put_days(&p->text, (time - s->joined) / DAY_NS);
	if (s->left == UNKNOWN)
		return;
	if (time >= s->left)
		ret->value[BESIDE_LEFT] = STR("true");
	else if ((s->announced == UNKNOWN || time >= s->announced) && day <= s->leaves_day)
		ret->value[BESIDE_LEAVES_DAYS] = put_days(&p->text, s->leaves_day - day);
}

/* --- peers --- */

static void take_best(struct unit *u, uint32_t number, uint32_t documents)
{
	size_t at = u->who[0] == number ? 0 : 1;

	if (u->who[at] == number || documents > u->best[1]) {
		u->best[at] = MAX(documents, u->who[at] == number ? u->best[at] : 0);
		u->who[at] = number;
	}
	if (u->best[1] > u->best[0]) {
		uint32_t best = u->best[0], who = u->who[0];

		u->best[0] = u->best[1];
		u->who[0] = u->who[1];
		u->best[1] = best;
		u->who[1] = who;
	}
}

static uint32_t of_member(const struct person *a, int32_t day, uint32_t *ret_active)
{
	uint32_t busiest, labelled;

	profile_past(a, day, &busiest, &labelled, ret_active);
	return a->today.day == day ? MAX(busiest, a->today.documents) : busiest;
}

/* Once a day for each unit. */
static void look_around(struct profile *p, struct unit *u, int32_t day)
{
	u->day = day;
	u->best[0] = u->best[1] = u->who[0] = u->who[1] = u->known = 0;
	for (uint32_t i = 0; i < u->n; i++) {
		const struct person *a = profile_at(p, u->members[i]);
		uint32_t active, documents = a && !a->staff.service ? of_member(a, day, &active) : 0;

		if (!documents || active < PROFILE_LEARN_DAYS)
			continue;
		u->known++;
		take_best(u, u->members[i], documents);
	}
}

void profile_unit_grown(struct profile *p, uint64_t number)
{
	const struct person *a = &p->persons[number];
	struct unit *u = &p->units[a->unit - 1];

	if (u->day == a->day && a->active >= PROFILE_LEARN_DAYS && !a->staff.service)
		take_best(u, (uint32_t)number, a->today.documents);
}

bool profile_peers(struct profile *p, uint64_t number, int32_t day, uint32_t *ret)
{
	const struct person *a = &p->persons[number];
	struct unit *u = a->unit ? &p->units[a->unit - 1] : NULL;
	uint32_t known;

	if (!u)
		return false;
	/* A record of an earlier day is compared with the newest that was looked at. */
	if (u->day < day)
		look_around(p, u, day);
	known = u->known - (a->active >= PROFILE_LEARN_DAYS && u->known);
	*ret = u->who[0] == number ? u->best[1] : u->best[0];
	return known >= PROFILE_PEERS_MIN && *ret;
}
