/* expat, kept short. */
#include "extract/formats/xml.h"

#include <errno.h>
#include <expat.h>
#include <sys/random.h>

#define PIECE (256u << 10)

struct xml {
	XML_Parser parser;
	struct sink *sink;
	const struct xml_handler *h;
	void *arg;
	const char *name;
	uint64_t fed;
	unsigned depth, skip; /* depth from which all is passed over; 0 none */
	int error;
	bool stopped;
};

static unsigned long salt;

int xml_prepare(void)
{
	if (!salt && getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	salt |= 1; /* expat takes 0 for none, and would look for its own later */
	return 0;
}

static const char *local_of(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static int id_of(const struct xml_handler *h, const char *name)
{
	size_t lo = 0, hi = h->n_names;

	name = local_of(name);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, h->names[mid].name);

		if (c == 0)
			return h->names[mid].id;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

static void stop(struct xml *x, int error)
{
	if (!x->error)
		x->error = error;
	x->stopped = true;
	XML_StopParser(x->parser, XML_FALSE);
}

static void on_start(void *arg, const char *name, const char **atts)
{
	struct xml *x = arg;

	if (x->stopped)
		return;
	if (++x->depth > XML_DEPTH_MAX) {
		sink_reason(x->sink, "%s: elements more than %d deep", x->name, XML_DEPTH_MAX);
		stop(x, -EMSGSIZE);
		return;
	}
	if (!x->skip)
		x->h->start(x->arg, x, id_of(x->h, name), atts);
}

static void on_end(void *arg, const char *name)
{
	struct xml *x = arg;

	if (x->stopped)
		return;
	if (x->skip == x->depth)
		x->skip = 0;
	if (!x->skip)
		x->h->end(x->arg, x, id_of(x->h, name));
	x->depth--;
	if (sink_full(x->sink))
		xml_stop(x);
}

static void on_text(void *arg, const char *s, int n)
{
	struct xml *x = arg;

	if (!x->skip && !x->stopped && n > 0)
		x->h->text(x->arg, (str){ s, (size_t)n });
}

static void on_entity(void *arg, const char *name, int is_parameter, const char *value, int n, const char *base, const char *system,
		const char *public,
	const char *notation)
{
	struct xml *x = arg;

	if (x->stopped)
		return;
	sink_reason(x->sink, "%s: declares an entity", x->name);
	stop(x, -EBADMSG);
}

void xml_skip(struct xml *x)
{
	if (!x->skip)
		x->skip = x->depth;
}

void xml_stop(struct xml *x)
{
	if (!x->stopped)
		stop(x, 0);
}

unsigned xml_depth(const struct xml *x)
{
	return x->depth;
}

static int feed_piece(struct xml *x, str s, bool last)
{
	if (XML_Parse(x->parser, s.p, (int)s.n, last) == XML_STATUS_ERROR) {
		if (x->stopped)
			return x->error ? x->error : -ECANCELED;
		if (XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY)
			return -ENOMEM;
		sink_reason(x->sink, "%s: %s at byte %lld", x->name, XML_ErrorString(XML_GetErrorCode(x->parser)),
			(long long)XML_GetCurrentByteIndex(x->parser));
		return -EBADMSG;
	}
	x->fed += s.n;
	if (x->fed > XML_BYTES_MAX) {
		sink_reason(x->sink, "%s: more than %u MiB of XML", x->name, XML_BYTES_MAX >> 20);
		return -EMSGSIZE;
	}
	/* What has no end yet is looked at again with each piece. */
	if (x->fed - (uint64_t)MAX(XML_GetCurrentByteIndex(x->parser), (XML_Index)0) > XML_TAG_MAX) {
		sink_reason(x->sink, "%s: a tag of more than %u MiB", x->name, XML_TAG_MAX >> 20);
		return -EMSGSIZE;
	}
	return 0;
}

static int feed(void *arg, str s, bool last)
{
	int r;

	do {
		str piece = { s.p, MIN(s.n, (size_t)PIECE) };

		s.p += piece.n;
		s.n -= piece.n;
		r = feed_piece(arg, piece, last && !s.n);
	} while (r == 0 && s.n);
	return r;
}

static int xml_new(struct xml *x)
{
	x->parser = XML_ParserCreate(NULL);
	if (!x->parser)
		return -ENOMEM;
	XML_SetHashSalt(x->parser, salt);
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetEntityDeclHandler(x->parser, on_entity);
	return 0;
}

int xml_read(struct package *p, const char *name, const struct xml_handler *h, void *arg)
{
	struct xml x = { .sink = package_sink(p), .h = h, .arg = arg, .name = name };
	int r;

	if (sink_full(x.sink))
		return 0;
	r = xml_new(&x);
	if (r == 0)
		r = package_read(p, name, feed, &x);
	XML_ParserFree(x.parser);
	return r == -ECANCELED ? 0 : r;
}

int xml_read_in(struct in *in, struct sink *s, const struct xml_handler *h, void *arg)
{
	_cleanup_free_ char *piece = malloc(PIECE);
	struct xml x = { .sink = s, .h = h, .arg = arg, .name = "the document" };
	int r = piece ? xml_new(&x) : -ENOMEM;

	for (uint64_t at = 0; r == 0;) {
		ssize_t n = in_read(in, at, piece, PIECE);

		if (n < 0) {
			r = (int)n;
			break;
		}
		r = feed_piece(&x, (str){ piece, (size_t)n }, n == 0);
		if (n == 0)
			break;
		at += (uint64_t)n;
	}
	if (x.parser)
		XML_ParserFree(x.parser);
	return r == -ECANCELED ? 0 : r;
}

const char *xml_attr(const char **atts, const char *local)
{
	for (; *atts; atts += 2)
		if (strcmp(local_of(atts[0]), local) == 0)
			return atts[1];
	return NULL;
}

const char *xml_attr_prefixed(const char **atts, const char *local)
{
	for (; *atts; atts += 2)
		if (strchr(atts[0], ':') && strcmp(local_of(atts[0]), local) == 0)
			return atts[1];
	return NULL;
}

bool xml_on(const char *v, bool dflt)
{
	if (!v)
		return dflt;
	return strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0 && strcasecmp(v, "off") != 0;
}

uint32_t xml_number(const char *v, uint32_t dflt, uint32_t max)
{
	uint64_t n = 0;

	if (!v || *v < '0' || *v > '9')
		return dflt;
	for (; *v >= '0' && *v <= '9'; v++)
		n = MIN(n * 10 + (uint64_t)(*v - '0'), (uint64_t)UINT32_MAX);
	return (uint32_t)MIN(n, (uint64_t)max);
}
