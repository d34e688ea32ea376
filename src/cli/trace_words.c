#include "cli/trace_words.h"

#include "base/timefmt.h"
#include "cli/show.h"

const char words_limits[] =
		"What is compared: characters without spaces and punctuation, in runs of 32 or more; identifiers of tables; pictures. "
	"A paraphrase, a translation, a document that no scan has ever seen and text that was typed off with many mistakes are not found. Whoever "
	"is "
	"named here had a document; that is not having passed it on.";

static void words(struct buf *b, const char *s)
{
	buf_puts(b, str_c(s));
}

static void how_many(struct buf *b, uint64_t n, const char *one, const char *many)
{
	put_number(b, n);
	buf_putf(b, " %s", n == 1 ? one : many);
}

const char *words_label(enum event_label l)
{
	return event_label_name(l) ?: "no label";
}

void words_hash(struct buf *b, const uint8_t hash[static 32])
{
	words(b, "sha256:");
	for (int i = 0; i < 32; i++)
		buf_putf(b, "%02x", hash[i]);
}

void words_where(struct buf *b, uint32_t from, uint32_t to)
{
	words(b, "byte ");
	put_number(b, from);
	words(b, " to ");
	put_number(b, to);
}

/* "/srv/share/offer.docx (confidential)" */
static void put_document(struct buf *b, const struct found_document *d)
{
	if (d->path.n)
		buf_puts(b, buf_str(&d->path));
	else
		words_hash(b, d->hash);
	if (d->label)
		buf_putf(b, " (%s)", event_label_name(d->label));
}

static void exact(struct buf *b, const struct found_match *m)
{
	bool picture = !(m->m->how & TRACE_BY_HASH);

	words(b, picture ? "A picture of this is one in " : m->document.gone ? "This stood at " : "This is ");
	put_document(b, &m->document);
	if (!picture)
		words(b, m->document.gone ? " until that was changed or deleted: the same to the last byte" : ", the same to the last byte");
	else if (m->document.gone)
		words(b, ", which has been changed or deleted since");
	buf_putc(b, '.');
}

/* "1,204 of its 1,260 characters stand there, 980 of them in no other document" */
static void text_numbers(struct buf *b, const struct found_part *p, const struct trace_match *m, bool whole)
{
	bool likeness = !(m->how & TRACE_BY_TEXT);

	if (m->chars == p->result.chars)
		words(b, "all of its ");
	else
		put_number(b, m->chars);
	words(b, m->chars == p->result.chars ? "" : " of its ");
	how_many(b, p->result.chars, "character", "characters");
	words(b, likeness ? " agree with what stands" : m->chars == 1 ? " stands" : " stand");
	if (!whole)
		return;
	words(b, likeness ? " there, as far as they could be read" : " there");
	if (m->distinct == 0)
		return;
	words(b, ", ");
	if (m->distinct == m->chars)
		words(b, "all of them");
	else
		put_number(b, m->distinct);
	words(b, m->distinct == m->chars ? " in no other document" : " of them in no other document");
}

static void identifier_numbers(struct buf *b, const struct found_part *p, const struct trace_match *m)
{
	if (m->identifiers == p->result.identifiers)
		words(b, "all of its ");
	else
		put_number(b, m->identifiers);
	words(b, m->identifiers == p->result.identifiers ? "" : " of its ");
	how_many(b, p->result.identifiers, "identifier (an address, a number)", "identifiers (e-mail addresses, phone numbers and the like)");
	words(b, " stand");
}

static void from_one(struct buf *b, const struct found_part *p, const struct found_match *m)
{
	bool table = (m->m->how & TRACE_BY_IDENTIFIERS) && m->m->identifiers, text = m->m->how & (TRACE_BY_TEXT | TRACE_BY_LIKENESS);
	size_t sources = found_sources(p);

	words(b, "This is from ");
	if (sources > 1) {
		how_many(b, sources, "document", "documents");
		words(b, ", most of it from ");
	}
	put_document(b, &m->document);
	if (m->n_alternatives) {
		if (m->n_alternatives == 1) {
			words(b, " or from another version of it");
		} else {
			words(b, " or from one of ");
			how_many(b, m->n_alternatives, "other version of it", "other versions of it");
		}
		words(b, ", which this cannot tell apart");
	}
	words(b, ": ");
	if (table) {
		identifier_numbers(b, p, m->m);
		words(b, text ? " there, and " : " there");
	}
	if (text || !table)
		text_numbers(b, p, m->m, true);
	buf_putc(b, '.');
	if (m->document.gone)
		words(b, " That document does not stand there any more.");
}

static void shared(struct buf *b, const struct found_part *p)
{
	const struct found_match *m = p->n ? &p->matches[0] : NULL;
	uint32_t by = m ? found_shared_by(m->m) : 0;

	words(b, "Where this is from cannot be said: ");
	if (!m) {
		words(b, "its words stand in many documents.");
		return;
	}
	if (m->m->identifiers && !m->m->chars)
		identifier_numbers(b, p, m->m);
	else
		text_numbers(b, p, m->m, false);
	words(b, " in ");
	put_document(b, &m->document);
	if (m->m->public) {
		words(b, ", which is marked as public");
	} else if (by) {
		words(b, ", but at least ");
		how_many(b, by, "other document has", "other documents have");
		words(b, " the same words");
	} else if (m->m->distinct) {
		words(b, ", but only ");
		put_number(b, m->m->distinct);
		words(b, " of them in no other document");
	} else {
		words(b, ", but that is too little to tell");
	}
	buf_putc(b, '.');
}

static void none(struct buf *b, const struct found *f, const struct found_part *p)
{
	words(b, "Nothing of this is known here: ");
	if (p->result.chars == 0) {
		words(b, "there is no text in it, and none of the ");
		how_many(b, f->documents, "document that was scanned has", "documents that were scanned has");
		words(b, " the same bytes or pictures.");
		return;
	}
	words(b, "no passage of its ");
	how_many(b, p->result.chars, "character stands", "characters stands");
	words(b, " in any of the ");
	how_many(b, f->documents, "document that was scanned.", "documents that were scanned.");
}

void words_verdict(struct buf *b, const struct found *f, const struct found_part *p)
{
	const struct found_match *m = found_source(p);

	if (p->result.verdict == TRACE_EXACT && m)
		exact(b, m);
	else if (p->result.verdict == TRACE_SOURCE && m)
		from_one(b, p, m);
	else if (p->result.verdict == TRACE_SHARED_ONLY)
		shared(b, p);
	else
		none(b, f, p);
}

void words_meaning(struct buf *b, const struct found_part *p)
{
	if (p->result.verdict == TRACE_SHARED_ONLY)
		words(b, "What it says stands in several documents, as the words of a form, a template or a law do. That is no evidence of which of them "
				"it "
			"was taken from, or that it was taken here at all; so nobody is named.");
	else if (p->result.verdict == TRACE_NONE)
		words(b, "That is no proof that it is not from here: a document that was never scanned, a paraphrase and a translation are out of reach. "
			"Nobody is named.");
}

void words_remark(struct buf *b, const char *remark)
{
	size_t at = b->n;

	words(b, remark);
	if (buf_error(b) || b->n == at)
		return;
	if (b->p[at] >= 'a' && b->p[at] <= 'z')
		b->p[at] += 'A' - 'a';
	if (b->p[b->n - 1] != '.')
		buf_putc(b, '.');
}

void words_alternatives(struct buf *b, const struct found_match *m)
{
	how_many(b, m->n_alternatives, "version", "versions");
	words(b, " cannot be told apart from it by this leak; whoever had one of them is counted");
}

static const struct { enum trace_how how; const char *name; } hows[] = {
	{ TRACE_BY_HASH, "the same bytes" }, { TRACE_BY_PICTURE, "a picture" }, { TRACE_BY_TEXT, "passages" },
	{ TRACE_BY_IDENTIFIERS, "identifiers" }, { TRACE_BY_LIKENESS, "likeness" },
};

static void match_numbers(struct buf *b, const struct trace_match *m, uint64_t identifiers)
{
	bool tiny = m->coverage > 0 && m->coverage < 0.005;

	if (m->how & (TRACE_BY_TEXT | TRACE_BY_LIKENESS))
		buf_putf(b, ", %s%.0f %% of the leak", tiny ? "less than " : "", tiny ? 1 : m->coverage * 100);
	if (m->distinct) {
		words(b, ", ");
		how_many(b, m->distinct, "character", "characters");
		words(b, " in no other document");
	}
	if (m->how & TRACE_BY_IDENTIFIERS) {
		words(b, ", ");
		put_number(b, m->identifiers);
		words(b, " of ");
		how_many(b, identifiers, "identifier", "identifiers");
	}
}

void words_match(struct buf *b, const struct found_match *m, uint64_t identifiers)
{
	const char *gap = ", found by ";

	words(b, words_label(m->document.label));
	if (!m->m->why) /* it says these */
		match_numbers(b, m->m, identifiers);
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		if (!(m->m->how & hows[i].how))
			continue;
		words(b, gap);
		words(b, hows[i].name);
		gap = " and ";
	}
	if (m->m->public)
		words(b, ", of public origin");
	if (m->m->variant)
		words(b, ", the same text with other words in its places");
	if (m->document.gone)
		words(b, ", not there any more");
}

void words_passage(struct buf *b, const struct trace_passage *p)
{
	how_many(b, p->chars, "character", "characters");
	if (p->same < 0.9995f)
		buf_putf(b, ", %.1f %% of them the same", (double)p->same * 100);
	else
		words(b, ", word for word");
	if (p->shared_by) {
		words(b, ", also in ");
		how_many(b, p->shared_by, "other document", "other documents");
	} else {
		words(b, ", as a whole in no other document");
	}
}

/* A date where it is one. */
static void put_time(struct buf *b, int64_t time)
{
	char t[TIME_TEXT_MAX];
	str s = { t, time_format_local(time, t) };

	if (str_ends(s, STR(" 00:00:00")))
		s.n -= strlen(" 00:00:00");
	buf_puts(b, s);
}

/* "since 2026-03-01", "before …", "from … to …" */
static void put_range(struct buf *b, int64_t since, int64_t until)
{
	if (since) {
		words(b, until ? " from " : " since ");
		put_time(b, since);
	}
	if (until) {
		words(b, since ? " to " : " before ");
		put_time(b, until);
	}
}

void words_people(struct buf *b, const struct found_match *m, int64_t since, int64_t until)
{
	if (m->had == 0) {
		words(b, "The record names nobody who had it");
	} else {
		how_many(b, m->had, "person had it", "persons had it");
	}
	if (m->had && (since || until)) {
		words(b, "; ");
		if (m->had_in_time)
			put_number(b, m->had_in_time);
		else
			words(b, "none");
		words(b, " of them");
		put_range(b, since, until);
	}
	if (m->moved) {
		words(b, "; ");
		how_many(b, m->moved, "other", "others");
		words(b, " only moved, deleted or changed the rights of it");
	}
	if (m->more_places) {
		words(b, "; ");
		how_many(b, m->more_places, "place of it was", "places of it were");
		words(b, " too many to be asked about");
	}
	buf_putc(b, '.');
}
