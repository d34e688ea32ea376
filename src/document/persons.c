/* Who is who: groups that share an address or a number of a person become one. */
#include <errno.h>

#include "base/array.h"
#include "document/contacts_internal.h"

/* --- building --- */

void contact_groups_clear(struct contact_groups *g)
{
	g->n_nodes = g->n_members = g->n_groups = 0;
	if (g->slots)
		memset(g->slots, 0, g->n_slots * sizeof(*g->slots));
}

void contact_groups_free(struct contact_groups *g)
{
	free(g->nodes);
	free(g->slots);
	free(g->members);
	free(g->groups);
	*g = (struct contact_groups){ 0 };
}

static int grow_slots(struct contact_groups *g)
{
	size_t n = g->n_slots ? 2 * g->n_slots : 1024;
	struct node_slot *s = calloc(n, sizeof(*s));

	if (!s)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		size_t at = g->nodes[i].key & (n - 1);

		while (s[at].node)
			at = (at + 1) & (n - 1);
		s[at] = (struct node_slot){ i + 1, (uint32_t)(g->nodes[i].key >> 32) };
	}
	free(g->slots);
	g->slots = s;
	g->n_slots = n;
	return 0;
}

int contact_groups_open(struct contact_groups *g)
{
	int r = array_room(g->groups, g->cap_groups, g->n_groups + 1);

	if (r == 0) {
		g->groups[g->n_groups] = (struct group){ .first = (uint32_t)g->n_members, .up = (uint32_t)g->n_groups, .by_email = NONE };
		g->n_groups++;
	}
	return r;
}

void contact_groups_name(struct contact_groups *g, uint64_t name, enum name_column sure)
{
	struct group *x = &g->groups[g->n_groups - 1];

	x->name = name;
	x->sure = sure != COLUMN_OTHER && name;
	x->personal = sure == COLUMN_PERSON && name;
}

static int node_of(struct contact_groups *g, uint64_t key, bool phone, bool role, uint32_t *ret)
{
	size_t at;
	int r = 2 * g->n_nodes >= g->n_slots ? grow_slots(g) : 0;

	if (r < 0)
		return r;
	for (at = key & (g->n_slots - 1); g->slots[at].node; at = (at + 1) & (g->n_slots - 1))
		if (g->slots[at].high == (uint32_t)(key >> 32) && g->nodes[g->slots[at].node - 1].key == key) {
			*ret = g->slots[at].node - 1;
			return 0;
		}
	r = array_room(g->nodes, g->cap_nodes, g->n_nodes + 1);
	if (r < 0)
		return r;
	g->nodes[g->n_nodes] = (struct node){ .key = key, .phone = phone, .role = role, .first = NONE, .group = NONE };
	g->slots[at] = (struct node_slot){ (uint32_t)++g->n_nodes, (uint32_t)(key >> 32) };
	*ret = (uint32_t)g->n_nodes - 1;
	return 0;
}

int contact_groups_add(struct contact_groups *g, uint64_t key, bool phone, bool role)
{
	struct group *x = &g->groups[g->n_groups - 1];
	uint32_t node;
	int r = node_of(g, key, phone, role, &node);

	for (uint32_t i = 0; r == 0 && i < x->n; i++)
		if (g->members[x->first + i].node == node)
			return 0;
	if (r == 0)
		r = array_room(g->members, g->cap_members, g->n_members + 1);
	if (r < 0)
		return r;
	g->members[g->n_members] = (struct member){ .node = node, .group = (uint32_t)g->n_groups - 1, .next = g->nodes[node].first };
	g->nodes[node].first = (uint32_t)g->n_members++;
	x->n++;
	return 0;
}

/* --- union-find --- */

static uint32_t find(struct contact_groups *g, uint32_t i)
{
	while (g->groups[i].up != i) {
		g->groups[i].up = g->groups[g->groups[i].up].up;
		i = g->groups[i].up;
	}
	return i;
}

static void join(struct contact_groups *g, uint32_t a, uint32_t b)
{
	a = find(g, a);
	b = find(g, b);
	/* The one that came first stands for both: numbers of persons follow the document. */
	if (a < b)
		g->groups[b].up = a;
	else
		g->groups[a].up = b;
}

#define EACH_GROUP(g, node, m) for (uint32_t m = (node)->first; m != NONE; m = (g)->members[m].next)

static struct group *group_of(struct contact_groups *g, uint32_t m)
{
	return &g->groups[g->members[m].group];
}

static void join_by_email(struct contact_groups *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct node *n = &g->nodes[i];

		if (n->phone || n->role)
			continue;
		EACH_GROUP(g, n, m) {
			join(g, g->members[n->first].group, g->members[m].group);
			group_of(g, m)->by_email = 0;
		}
	}
	for (uint32_t i = 0; i < g->n_groups; i++)
		if (g->groups[i].by_email != NONE)
			g->groups[i].by_email = find(g, i);
}

/* Every later group of a number with the same name as one of its earlier ones is the same person. Few groups, or few names: looking back is
 * cheap; behind LOOK_BACK groups a number is a switchboard, where a name alone says less. */
#define LOOK_BACK 64

static void join_same_name(struct contact_groups *g, const struct node *n)
{
	uint32_t seen[LOOK_BACK], k = 0;

	EACH_GROUP(g, n, m) {
		const struct group *x = group_of(g, m);
		uint32_t i = 0;

		if (!x->name)
			continue;
		/* Two addresses under one name: only a column of persons says that they are one person's. */
		while (i < k && !(g->groups[seen[i]].name == x->name && (x->personal || x->by_email == NONE || g->groups[seen[i]].by_email == NONE)))
			i++;
		if (i < k)
			join(g, seen[i], g->members[m].group);
		else if (k < LOOK_BACK)
			seen[k++] = g->members[m].group;
		else
			return;
	}
}

/* All groups of a number that is one person's. Those with another name are somebody else who is reached there, too. */
static void join_by_number(struct contact_groups *g, struct node *n, uint32_t owner)
{
	uint64_t name = 0;
	bool sure = false, two = false;

	EACH_GROUP(g, n, m) {
		const struct group *x = group_of(g, m);

		if ((owner == NONE || x->by_email == owner) && x->sure) {
			two = two || (sure && name != x->name);
			name = x->name;
			sure = true;
		}
	}
	/* With an owner, several names are writings of one; without, they are several persons. */
	if (owner == NONE && two) {
		n->shared = true;
		join_same_name(g, n);
		return;
	}
	EACH_GROUP(g, n, m) {
		const struct group *x = group_of(g, m);

		if (owner != NONE && x->by_email == NONE && x->sure && sure && x->name != name && !two)
			n->shared = true;
		else
			join(g, owner != NONE ? owner : g->members[n->first].group, g->members[m].group);
	}
	if (n->shared)
		join_same_name(g, n);
}

static void join_by_phone(struct contact_groups *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct node *n = &g->nodes[i];
		uint32_t owner = NONE;
		bool several = false;

		if (!n->phone)
			continue;
		EACH_GROUP(g, n, m) {
			uint32_t e = group_of(g, m)->by_email;

			several = several || (e != NONE && owner != NONE && e != owner);
			owner = e != NONE ? e : owner;
		}
		if (several) { /* a switchboard, or a person with two addresses */
			n->shared = true;
			join_same_name(g, n);
		} else {
			join_by_number(g, n, owner);
		}
	}
}

/* --- counting --- */

/* Does it hold a detail by which this person, and not just a post, is reached? */
static bool counts(const struct contact_groups *g, const struct group *x)
{
	bool role = false, shared = false;

	for (uint32_t i = 0; i < x->n; i++) {
		const struct node *n = &g->nodes[g->members[x->first + i].node];

		if (n->phone ? !n->shared : !n->role)
			return true;
		role = role || !n->phone;
		shared = shared || n->phone;
	}
	/* Only a number that others have, too: somebody with a name is a person, a company's own line with info@ is none. */
	return shared && x->sure && !role;
}

uint64_t contact_groups_persons(struct contact_groups *g)
{
	uint32_t persons = 0;

	join_by_email(g);
	join_by_phone(g);
	for (uint32_t i = 0; i < g->n_groups; i++)
		if (counts(g, &g->groups[i]))
			g->groups[find(g, i)].counts = true;
	for (uint32_t i = 0; i < g->n_groups; i++) {
		uint32_t root = find(g, i);

		if (g->groups[root].counts && !g->groups[root].person)
			g->groups[root].person = ++persons;
		g->groups[i].person = g->groups[root].person;
	}
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct node *n = &g->nodes[i];

		if (n->role || n->shared)
			continue;
		EACH_GROUP(g, n, m)
			if (group_of(g, m)->person)
				n->group = g->members[m].group;
	}
	return persons;
}

uint32_t contact_groups_person_of(const struct contact_groups *g, const struct node *n)
{
	return n->group == NONE ? 0 : g->groups[n->group].person;
}

/* --- words --- */

/* By first letter, each between spaces. */
static const char *const roles[26] = {
	['a' - 'a'] = " abuse accounting accounts admin administration administrator alert alerts ",
	['b' - 'a'] = " billing booking bookings ",
	['c' - 'a'] = (" careers center compliance contact contactus contracts customer customercare customers customerservice "
		"customersupport "),
	['d' - 'a'] = " desk do donotreply dpo daemon ",
	['e' - 'a'] = " editor eigyo eigyou email enquiries enquiry events export ",
	['f' - 'a'] = " fax feedback finance frontdesk ",
	['g' - 'a'] = " general ",
	['h' - 'a'] = " hello help helpdesk hostmaster hr ",
	['i' - 'a'] = " import info infodesk information inquiries inquiry invoice invoices it ",
	['j' - 'a'] = " jimukyoku jinji jobs ",
	['k' - 'a'] = " keiri kikaku koho kouhou ",
	['l' - 'a'] = " legal logistics ",
	['m' - 'a'] = " mail mailbox mailerdaemon mailer main manager marketing media ",
	['n' - 'a'] = " news newsletter no noreply notice notification notifications notify ",
	['o' - 'a'] = " office order ordering orders otoiawase ",
	['p' - 'a'] = " personnel postmaster pr press privacy purchase purchasing ",
	['r' - 'a'] = " reception recruit recruiting recruitment register registration reply reservation reservations root ",
	['s' - 'a'] = (" sa saiyo saiyou sales secretary security service services shipping shop soumu somu staff store subscribe support "
		"system "),
	['t' - 'a'] = " team tech technical toiawase ",
	['u' - 'a'] = " unsubscribe ",
	['w' - 'a'] = " web webadmin webinfo webmaster welcome ",
};

/* Of small letters, not empty. */
static bool is_role(str word)
{
	for (const char *p = roles[word.p[0] - 'a']; p && p[1]; p = strchr(p + 1, ' '))
		if (strncmp(p + 1, word.p, word.n) == 0 && p[1 + word.n] == ' ')
			return true;
	return false;
}

bool contact_role(str email)
{
	const char *at = memchr(email.p, '@', email.n);
	str local = { email.p, at ? (size_t)(at - email.p) : email.n };
	bool first = true, role = false;

	/* Words between . - _ + and digits: the first is a post, the others are posts or short ("jp", "tokyo1" is not: that may be a name). */
	for (size_t i = 0; i < local.n;) {
		size_t n = 0;
		str w;

		while (i + n < local.n && local.p[i + n] >= 'a' && local.p[i + n] <= 'z')
			n++;
		w = (str){ local.p + i, n };
		if (n && first)
			role = is_role(w) && !str_eq(w, STR("do")) && !str_eq(w, STR("no"));
		if (n && first && (str_eq(w, STR("no")) || str_eq(w, STR("do")))) /* no-reply, do-not-reply */
			role = memmem(local.p + i, local.n - i, "reply", 5) != NULL;
		else if (n && !first && n > 3 && !is_role(w))
			return false;
		first = first && !n;
		i += n ? n : 1;
	}
	return role;
}

/* "Customer" may be a company: such a column tells rows apart, and joins none. */
static const struct { const char *text; enum name_column kind; } headers[] = {
	{ "full name", COLUMN_PERSON }, { "fullname", COLUMN_PERSON }, { "contact name", COLUMN_PERSON }, { "contact person", COLUMN_PERSON },
	{ "person", COLUMN_PERSON }, { "person in charge", COLUMN_PERSON }, { "first name", COLUMN_PERSON }, { "firstname", COLUMN_PERSON },
	{ "last name", COLUMN_PERSON }, { "lastname", COLUMN_PERSON }, { "surname", COLUMN_PERSON }, { "given name", COLUMN_PERSON },
	{ "family name", COLUMN_PERSON }, { "attention", COLUMN_PERSON }, { "attn", COLUMN_PERSON }, { "representative", COLUMN_PERSON },
	{ "member name", COLUMN_PERSON }, { "employee", COLUMN_PERSON }, { "employee name", COLUMN_PERSON }, { "氏名", COLUMN_PERSON },
	{ "お名前", COLUMN_PERSON }, { "ご氏名", COLUMN_PERSON }, { "担当", COLUMN_PERSON }, { "担当者", COLUMN_PERSON }, { "担当者名", COLUMN_PERSON },
	{ "担当者氏名", COLUMN_PERSON }, { "ご担当者", COLUMN_PERSON }, { "ご担当者名", COLUMN_PERSON }, { "ご担当者様", COLUMN_PERSON }, { "顧客氏名", COLUMN_PERSON },
	{ "姓", COLUMN_PERSON }, { "名", COLUMN_PERSON }, { "姓名", COLUMN_PERSON }, { "代表者", COLUMN_PERSON }, { "代表者名", COLUMN_PERSON },
	{ "連絡先氏名", COLUMN_PERSON }, { "会員氏名", COLUMN_PERSON }, { "社員名", COLUMN_PERSON }, { "社員氏名", COLUMN_PERSON },
	{ "name", COLUMN_NAME }, { "contact", COLUMN_NAME }, { "client name", COLUMN_NAME }, { "customer name", COLUMN_NAME },
	{ "client", COLUMN_NAME }, { "customer", COLUMN_NAME }, { "member", COLUMN_NAME }, { "owner", COLUMN_NAME }, { "名前", COLUMN_NAME },
	{ "顧客名", COLUMN_NAME }, { "お客様名", COLUMN_NAME },
	{ "会員名", COLUMN_NAME }, { "お客様", COLUMN_NAME }, { "顧客", COLUMN_NAME }, { "名称", COLUMN_NAME },
	{ "company", COLUMN_COMPANY }, { "company name", COLUMN_COMPANY }, { "organisation", COLUMN_COMPANY }, { "organization", COLUMN_COMPANY },
	{ "firm", COLUMN_COMPANY }, { "employer", COLUMN_COMPANY }, { "account", COLUMN_COMPANY }, { "account name", COLUMN_COMPANY },
	{ "会社", COLUMN_COMPANY }, { "会社名", COLUMN_COMPANY }, { "企業名", COLUMN_COMPANY }, { "法人名", COLUMN_COMPANY }, { "勤務先", COLUMN_COMPANY },
	{ "社名", COLUMN_COMPANY }, { "御社名", COLUMN_COMPANY }, { "貴社名", COLUMN_COMPANY }, { "団体名", COLUMN_COMPANY }, { "取引先", COLUMN_COMPANY },
	{ "取引先名", COLUMN_COMPANY },
	{ "勤務先名", COLUMN_COMPANY }, { "組織名", COLUMN_COMPANY }, { "顧客企業", COLUMN_COMPANY },
};

enum name_column contact_header(str cell)
{
	char b[64];
	size_t n = 0;

	if (cell.n > sizeof(b))
		return COLUMN_OTHER;
	for (size_t i = 0; i < cell.n; i++) {
		char c = cell.p[i];

		if (c == '_' || c == '-' || c == '.')
			c = ' ';
		if (c == ':' || c == '*' || (c == ' ' && (n == 0 || b[n - 1] == ' ')))
			continue;
		b[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	while (n && b[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (str_eq((str){ b, n }, str_c(headers[i].text)))
			return headers[i].kind;
	return COLUMN_OTHER;
}
