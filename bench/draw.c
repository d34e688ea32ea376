/* Random draws (splitmix64) with their information. */
#include <errno.h>
#include <math.h>

#include "draw.h"

uint64_t draw_raw(struct draw *d)
{
	uint64_t z = d->s += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* In (0, 1): never 0, so that its logarithm exists. */
static double unit(struct draw *d)
{
	return ((double)(draw_raw(d) >> 11) + 0.5) * 0x1p-53;
}

static void count(struct draw *d, enum office_info f, double p)
{
	if (d->measure)
		d->bits[f] -= log2(p);
}

uint64_t draw_below(struct draw *d, enum office_info f, uint64_t n)
{
	count(d, f, 1.0 / (double)n);
	return (uint64_t)(((unsigned __int128)draw_raw(d) * n) >> 64);
}

bool draw_chance(struct draw *d, enum office_info f, double p)
{
	bool yes = unit(d) < p;

	count(d, f, yes ? p : 1 - p);
	return yes;
}

unsigned draw_geometric(struct draw *d, enum office_info f, double mean)
{
	double q = mean / (mean + 1); /* P(k) = (1 − q) q^k */
	double k = floor(log(unit(d)) / log(q));
	unsigned v = k > 10000 ? 10000 : (unsigned)k;

	if (d->measure)
		d->bits[f] -= log2(1 - q) + v * log2(q);
	return v;
}

int64_t draw_wait(struct draw *d, enum office_info f, double mean_ns)
{
	double x = -log(unit(d)) * mean_ns;

	if (d->measure)
		d->bits[f] += log2(mean_ns) + x / mean_ns * M_LOG2E;
	return (int64_t)x;
}

unsigned draw_zipf(struct draw *d, enum office_info f, const struct zipf *z)
{
	uint64_t r = draw_raw(d);
	uint32_t at = (uint32_t)(((r >> 32) * z->n) >> 32);

	if ((float)(r & 0xffffff) * 0x1p-24f >= z->keep[at])
		at = z->other[at];
	if (d->measure)
		d->bits[f] += (double)z->info[at];
	return at;
}

unsigned draw_weighted(struct draw *d, enum office_info f, const uint8_t *weights, unsigned n)
{
	unsigned r = (unsigned)(draw_raw(d) & 255), sum = 0, i;

	for (i = 0; i + 1 < n && r >= sum + weights[i]; i++)
		sum += weights[i];
	count(d, f, (i + 1 < n ? weights[i] : 256 - sum) / 256.0);
	return i;
}

/* Vose's alias method: one draw in constant time. */
static void alias_fill(struct zipf *z, double *p, uint32_t *small, uint32_t *large)
{
	unsigned ns = 0, nl = 0;

	for (unsigned i = 0; i < z->n; i++)
		*(p[i] < 1 ? &small[ns++] : &large[nl++]) = i;
	while (ns && nl) {
		uint32_t s = small[--ns], l = large[nl - 1];

		z->keep[s] = (float)p[s];
		z->other[s] = l;
		p[l] -= 1 - p[s];
		if (p[l] < 1) {
			small[ns++] = l;
			nl--;
		}
	}
	while (nl)
		z->keep[large[--nl]] = 1;
	while (ns)
		z->keep[small[--ns]] = 1;
}

int zipf_init(struct zipf *z, unsigned n, double s)
{
	_cleanup_free_ double *p = calloc(n, sizeof(*p));
	_cleanup_free_ uint32_t *small = calloc(n, sizeof(*small)), *large = calloc(n, sizeof(*large));
	double sum = 0;

	*z = (struct zipf){ .n = n };
	z->keep = calloc(n, sizeof(*z->keep));
	z->info = calloc(n, sizeof(*z->info));
	z->other = calloc(n, sizeof(*z->other));
	if (!p || !small || !large || !z->keep || !z->info || !z->other) {
		zipf_done(z);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < n; i++)
		sum += p[i] = pow(i + 1, -s);
	for (unsigned i = 0; i < n; i++) {
		z->info[i] = (float)-log2(p[i] / sum);
		p[i] *= n / sum;
	}
	alias_fill(z, p, small, large);
	return 0;
}

void zipf_done(struct zipf *z)
{
	free(z->keep);
	free(z->info);
	free(z->other);
	*z = (struct zipf){ 0 };
}
