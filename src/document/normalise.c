/* The normal form of text.
 *
 * Definition. The text is cut into extended grapheme clusters (UAX 29, as utf8proc has them). The normal form is that of each cluster, one
 * after the other:
 *   1. its first CLUSTER_MAX code points: NFKC, case folded, default-ignorable code points left out (utf8proc), done again until nothing
 *   changes;
 *   2. letters, numbers and what is not assigned yet (scripts newer than the library) stay; all else is dropped: white space, punctuation,
 *   controls and format
 *      characters, and symbols and private use too, because conversions change them: 〜 and ~, the minus and the hyphen, ¥ and \, the
 *      bullets of a symbol font, the
 *      `>` of a quoted mail, `|` and `+` around a table, emoji. A mark stays unless the character that it stands on, in its cluster, is
 *      dropped.
 * Interlinear annotations (ruby: U+FFFA … U+FFFB, at most RUBY_MAX bytes) are dropped as a whole; the extractors have taken those of HTML
 * and office formats aside.
 *
 * Because each cluster is looked at alone, the normal form of a piece that is cut at cluster boundaries is a piece of the normal form (but
 * for a cut inside ruby, whose rest is taken for text). The price: letters of neighbouring clusters do not compose, such as half-width
 * Hangul.
 *
 * Most code points are a cluster of their own whatever stands beside them unless an extender follows: these are `quick`, and what becomes
 * of them stands in pages of 256 that are filled from the definition itself when first met. ASCII goes eight at a time. Everything else
 * goes the long way.
 */
#include "document/normalise.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <utf8proc.h>

#include "base/utf8.h"

#define CLUSTER_MAX 30  /* code points; as Unicode's stream-safe format */
#define FORM_MAX 640    /* code points of one cluster's normal form before dropping: U+FDFA has 18 */
#define RUBY_MAX 256
#define CHUNK 4096      /* bytes for which room is made at once */
#define MANY_MAX 4      /* code points that one quick one may become */

/* What becomes of a code point: itself or another, or … */
#define QUICK_DROP 0x00200000u
#define QUICK_MANY 0x00400000u /* see many[] */
#define QUICK_SLOW 0x00800000u

struct page {
	uint32_t what[256];
	uint8_t *counts;
	uint32_t (*many)[MANY_MAX];
};

static _Atomic(struct page *) pages[0x1100];
static struct page no_memory_page; /* all slow: right, only slower */
static uint32_t ascii[128];

/* --- the definition --- */

static bool stays(int32_t c)
{
	static const bool kept[32] = {
		[UTF8PROC_CATEGORY_LU] = true, [UTF8PROC_CATEGORY_LL] = true, [UTF8PROC_CATEGORY_LT] = true, [UTF8PROC_CATEGORY_LM] = true,
		[UTF8PROC_CATEGORY_LO] = true, [UTF8PROC_CATEGORY_ND] = true, [UTF8PROC_CATEGORY_NL] = true, [UTF8PROC_CATEGORY_NO] = true,
		[UTF8PROC_CATEGORY_CN] = true,
	};

	return kept[utf8proc_category(c) & 31];
}

static bool is_mark(int32_t c)
{
	static const bool mark[32] = { [UTF8PROC_CATEGORY_MN] = true, [UTF8PROC_CATEGORY_MC] = true, [UTF8PROC_CATEGORY_ME] = true };

	return mark[utf8proc_category(c) & 31];
}

/* NFKC, folded, once: from UTF-8 to code points; at most FORM_MAX. */
static size_t fold_once(const uint8_t *p, size_t n, int32_t *out)
{
	const utf8proc_option_t o = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_COMPOSE;
	utf8proc_ssize_t r = utf8proc_decompose(p, (utf8proc_ssize_t)n, out, FORM_MAX, o);

	if (r <= 0 || r > FORM_MAX)
		return 0;
	r = utf8proc_normalize_utf32(out, r, o);
	return r < 0 ? 0 : (size_t)r;
}

static size_t encode(const int32_t *c, size_t n, uint8_t *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)utf8proc_encode_char(c[i], out + at);
	return at;
}

/* The normal form of one cluster: how many code points, at most FORM_MAX. */
static size_t cluster_form(const int32_t *cluster, size_t n, int32_t *out)
{
	uint8_t bytes[4 * FORM_MAX];
	int32_t again[FORM_MAX + 1]; /* utf8proc writes one more when it composes */
	size_t had = 0, kept = 0;
	bool base = true;

	had = fold_once(bytes, encode(cluster, n, bytes), out);
	for (unsigned round = 0; round < 4; round++) {
		size_t m = fold_once(bytes, encode(out, had, bytes), again);
		bool same = m == had && !memcmp(again, out, m * sizeof(*out));

		memcpy(out, again, m * sizeof(*out));
		had = m;
		if (same)
			break;
	}
	for (size_t i = 0; i < had; i++) {
		if (is_mark(out[i])) {
			if (!base)
				continue;
		} else {
			base = stays(out[i]);
			if (!base)
				continue;
		}
		out[kept++] = out[i];
	}
	return kept;
}

/* --- pages --- */

static bool stands_alone(int32_t c)
{
	static const bool alone[32] = {
		[UTF8PROC_BOUNDCLASS_OTHER] = true, [UTF8PROC_BOUNDCLASS_CONTROL] = true, [UTF8PROC_BOUNDCLASS_CR] = true,
		[UTF8PROC_BOUNDCLASS_LF] = true,
	};

	return alone[utf8proc_get_property(c)->boundclass & 31] && (c < 0xFFF9 || c > 0xFFFB);
}

static void fill(struct page *g, unsigned at, int32_t c)
{
	int32_t form[FORM_MAX + 1];
	size_t n;

	g->what[at] = QUICK_SLOW;
	if (!stands_alone(c))
		return;
	n = cluster_form(&c, 1, form);
	if (n <= 1) {
		g->what[at] = n ? (uint32_t)form[0] : QUICK_DROP;
		return;
	}
	if (n > MANY_MAX)
		return;
	if (!g->many) {
		g->many = calloc(256, sizeof(*g->many));
		g->counts = calloc(256, 1);
	}
	if (!g->many || !g->counts)
		return;
	for (size_t i = 0; i < n; i++)
		g->many[at][i] = (uint32_t)form[i];
	g->counts[at] = (uint8_t)n;
	g->what[at] = QUICK_MANY;
}

static void page_free(struct page *g)
{
	free(g->many);
	free(g->counts);
	free(g);
}

/* Two threads may fill the same one: the first stays. Pages are kept until the end. */
static const struct page *make_page(unsigned number)
{
	struct page *g = calloc(1, sizeof(*g)), *there = NULL;

	if (!g) {
		for (unsigned i = 0; i < 256; i++)
			no_memory_page.what[i] = QUICK_SLOW;
		return &no_memory_page;
	}
	for (unsigned i = 0; i < 256; i++)
		fill(g, i, (int32_t)(number << 8 | i));
	if (atomic_compare_exchange_strong(&pages[number], &there, g))
		return g;
	page_free(g);
	return there;
}

static inline const struct page *page_of(uint32_t c)
{
	const struct page *g = atomic_load_explicit(&pages[c >> 8], memory_order_acquire);

	return likely(g != NULL) ? g : make_page(c >> 8);
}

static inline uint32_t quick(uint32_t c)
{
	return page_of(c)->what[c & 255];
}

static inline unsigned emitted(uint32_t c, uint32_t what)
{
	if (what < QUICK_DROP)
		return 1;
	return what == QUICK_MANY ? page_of(c)->counts[c & 255] : 0;
}

/* --- the text --- */

/* Well-formed UTF-8. */
static inline uint32_t decode(const uint8_t *p, unsigned *ret_n)
{
	if (p[0] < 0x80) {
		*ret_n = 1;
		return p[0];
	}
	if (p[0] < 0xE0) {
		*ret_n = 2;
		return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
	}
	if (p[0] < 0xF0) {
		*ret_n = 3;
		return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
	}
	*ret_n = 4;
	return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

static int grow(struct normalised *x, size_t more)
{
	size_t cap = MAX(x->n + more + 1, x->cap + x->cap / 2);
	uint32_t *c, *at;

	if (cap > SIZE_MAX / sizeof(*c))
		return -ENOMEM;
	c = realloc(x->c, cap * sizeof(*c));
	if (!c)
		return -ENOMEM;
	x->c = c;
	at = realloc(x->at, cap * sizeof(*at));
	if (!at)
		return -ENOMEM;
	x->at = at;
	x->cap = cap;
	return 0;
}

static inline int room(struct normalised *x, size_t more)
{
	return likely(x->cap > x->n + more) ? 0 : grow(x, more);
}

static inline void put(struct normalised *x, uint32_t c, uint32_t at)
{
	x->c[x->n] = c;
	x->at[x->n++] = at;
}

/* Where an annotation that begins at i ends; i where it does not within RUBY_MAX. */
static size_t skip_ruby(const uint8_t *p, size_t i, size_t n)
{
	const uint8_t *end = memmem(p + i, MIN(n - i, (size_t)RUBY_MAX), "\xEF\xBF\xBB", 3);

	return end ? (size_t)(end - p) + 3 : i;
}

/* Clusters from i on, until a quick code point begins one. Returns where, or -errno. */
static ssize_t slow(struct normalised *x, const uint8_t *p, size_t i, size_t n, uint32_t base)
{
	while (i < n) {
		int32_t cluster[CLUSTER_MAX], form[FORM_MAX + 1], state = 0;
		unsigned len, count = 1;
		uint32_t last = decode(p + i, &len), next = 0;
		size_t from = i, m;

		cluster[0] = (int32_t)last;
		for (i += len; i < n; i += len) {
			next = decode(p + i, &len);
			if (utf8proc_grapheme_break_stateful((int32_t)last, (int32_t)next, &state))
				break;
			if (count < CLUSTER_MAX)
				cluster[count++] = (int32_t)next;
			last = next;
		}
		if (cluster[0] == 0xFFFA) {
			i = skip_ruby(p, i, n);
			if (i < n)
				next = decode(p + i, &len);
		}
		m = cluster_form(cluster, count, form);
		if (room(x, m) < 0)
			return -ENOMEM;
		for (size_t k = 0; k < m; k++)
			put(x, (uint32_t)form[k], base + (uint32_t)from);
		if (i < n && quick(next) != QUICK_SLOW)
			break;
	}
	return (ssize_t)i;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,popcnt")))

static uint32_t squeeze[256][8]; /* for a mask: the lanes that stay, then anything */

/* Eight bytes at a time while they are ASCII; at most `n` bytes, room is there. Returns where it stopped. */
AVX2 static size_t ascii_avx2(struct normalised *x, const uint8_t *p, size_t i, size_t n, uint32_t base)
{
	const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

	for (; i + 8 <= n; i += 8) {
		__m128i b = _mm_loadl_epi64((const __m128i *)(p + i));
		__m128i low, letters, digits;
		__m256i order;
		unsigned mask;

		if (_mm_movemask_epi8(b) & 0xFF)
			break;
		low = _mm_or_si128(b, _mm_set1_epi8(0x20));
		letters = _mm_and_si128(_mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(low, _mm_set1_epi8('z' + 1)));
		digits = _mm_and_si128(_mm_cmpgt_epi8(b, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(b, _mm_set1_epi8('9' + 1)));
		b = _mm_blendv_epi8(b, low, letters);
		mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(letters, digits)) & 0xFF;
		order = _mm256_loadu_si256((const __m256i *)squeeze[mask]);
		_mm256_storeu_si256((__m256i *)(x->c + x->n), _mm256_permutevar8x32_epi32(_mm256_cvtepu8_epi32(b), order));
		_mm256_storeu_si256((__m256i *)(x->at + x->n),
			_mm256_permutevar8x32_epi32(_mm256_add_epi32(_mm256_set1_epi32((int)(base + (uint32_t)i)), lanes), order));
		x->n += (unsigned)__builtin_popcount(mask);
	}
	return i;
}

static bool have_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

static void squeeze_make(void)
{
	for (unsigned m = 0; m < 256; m++)
		for (unsigned i = 0, at = 0; i < 8; i++)
			if (m >> i & 1)
				squeeze[m][at++] = i;
}
#else
static size_t ascii_avx2(struct normalised *x, const uint8_t *p, size_t i, size_t n, uint32_t base)
{
	return i;
}

static bool have_avx2(void)
{
	return false;
}

static void squeeze_make(void)
{
}
#endif

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static bool wide;

static void prepare(void)
{
	for (unsigned c = 0; c < 128; c++)
		ascii[c] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : c >= 'A' && c <= 'Z' ? c + 32 : QUICK_DROP;
	squeeze_make();
	wide = have_avx2();
}

/* Takes back the code point before i, which a cluster has turned out to go on from. Returns where it begins. */
static size_t take_back(struct normalised *x, const uint8_t *p, size_t i)
{
	unsigned len;
	uint32_t c;

	do
		i--;
	while ((p[i] & 0xC0) == 0x80);
	c = decode(p + i, &len);
	x->n -= emitted(c, quick(c));
	return i;
}

/* Quick code points from i to at most `to` (room is there). Stops at one that is not quick. */
static size_t quick_run(struct normalised *x, const uint8_t *p, size_t i, size_t to, uint32_t base)
{
	while (i < to) {
		unsigned len;
		uint32_t c, what;

		if (p[i] < 0x80) {
			if (wide && !utf8_portable && i + 8 <= to) {
				size_t at = ascii_avx2(x, p, i, to, base);

				if (at != i) {
					i = at;
					continue;
				}
			}
			what = ascii[p[i]];
			if (what < QUICK_DROP)
				put(x, what, base + (uint32_t)i);
			i++;
			continue;
		}
		c = decode(p + i, &len);
		what = quick(c);
		if (likely(what < QUICK_DROP)) {
			put(x, what, base + (uint32_t)i);
		} else if (what == QUICK_MANY) {
			const struct page *g = page_of(c);

			for (unsigned k = 0; k < g->counts[c & 255]; k++)
				put(x, g->many[c & 255][k], base + (uint32_t)i);
		} else if (what == QUICK_SLOW) {
			return i;
		}
		i += len;
	}
	return i;
}

/* The end of the code point that begins before `to`. */
static size_t whole(const uint8_t *p, size_t to, size_t n)
{
	while (to < n && (p[to] & 0xC0) == 0x80)
		to++;
	return to;
}

int normalise(struct normalised *x, str utf8, uint32_t base)
{
	const uint8_t *p = (const uint8_t *)utf8.p;
	size_t n = utf8.n, i = 0, fast_from = 0;

	pthread_once(&prepared, prepare);
	if (room(x, 0) < 0)
		return -ENOMEM;
	while (i < n) {
		size_t to = whole(p, MIN(n, i + CHUNK), n);
		ssize_t r;

		if (room(x, 2 * (to - i) + 16) < 0)
			return -ENOMEM;
		i = quick_run(x, p, i, to, base);
		if (i >= to)
			continue;
		r = slow(x, p, i > fast_from ? take_back(x, p, i) : i, n, base);
		if (r < 0)
			return (int)r;
		fast_from = i = (size_t)r;
	}
	x->at[x->n] = base + (uint32_t)n;
	return 0;
}

void normalised_free(struct normalised *x)
{
	free(x->c);
	free(x->at);
	*x = (struct normalised){ 0 };
}
