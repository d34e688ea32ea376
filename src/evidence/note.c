#include "evidence/note.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/varint.h"

#define ED25519 1 /* signature type of c2sp.org/signed-note */
#define SIG_LEN 64
#define KEY_FILE_MAX 65536 /* one has 119 bytes */
#define NO_KEY "the key file does not hold an Ed25519 key in PEM form"

struct note_key {
	EVP_PKEY *pkey;
	struct note_verifier v;
};

/* A key name of signed-note: no space (Unicode's too), plus sign or control character. A stranger's may have any length. */
static bool name_ok(str s)
{
	static const char *const spaces[] = { "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f",
		"\xe3\x80\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
		"\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a" };

	if (s.n == 0 || !str_utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '+')
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (memmem(s.p, s.n, spaces[i], strlen(spaces[i])))
			return false;
	return true;
}

/* One that we keep: of a key of ours, or an origin. */
static bool own_name_ok(str s)
{
	return s.n <= NOTE_NAME_MAX && name_ok(s);
}

int note_verifier_from_public(const char *name, const uint8_t public_key[static 32], struct note_verifier *ret)
{
	_cleanup_sha256_ struct sha256 *sha = NULL;
	struct note_verifier v = { 0 };
	uint8_t h[SHA256_LEN];

	if (!own_name_ok(str_c(name)))
		return -EINVAL;
	sha = sha256_new();
	if (!sha)
		return -ENOMEM;
	sha256_parts(sha, (str[]){ str_c(name), STR("\n\1"), { (const char *)public_key, 32 } }, 3, h);
	memcpy(v.name, name, strlen(name));
	memcpy(v.public_key, public_key, 32);
	v.id = get_be32(h);
	*ret = v;
	return 0;
}

static int key_wrap(EVP_PKEY *pkey, const char *name, struct note_key **ret)
{
	struct note_key *k = calloc(1, sizeof(*k));
	uint8_t pub[32];
	size_t n = sizeof(pub);
	int r = k ? 0 : -ENOMEM;

	if (r == 0 && (!EVP_PKEY_is_a(pkey, "ED25519") || EVP_PKEY_get_raw_public_key(pkey, pub, &n) != 1))
		r = -EBADMSG;
	if (r == 0)
		r = note_verifier_from_public(name, pub, &k->v);
	if (r < 0) {
		EVP_PKEY_free(pkey);
		free(k);
		return r;
	}
	k->pkey = pkey;
	*ret = k;
	return 0;
}

int note_key_generate(const char *name, struct note_key **ret)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	return pkey ? key_wrap(pkey, name, ret) : -ENOMEM;
}

/* The folder's owner could put any file there: as good an owner as ourselves. */
static bool owner_ok(int dirfd, uid_t owner)
{
	struct stat dir;

	return owner == geteuid() || (fstatat(dirfd, "", &dir, AT_EMPTY_PATH) == 0 && owner == dir.st_uid);
}

static int key_file_open(int dirfd, const char *file, FILE **ret, const char **ret_why)
{
	_cleanup_close_ int fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0) {
		r = -errno;
		*ret_why = r == -ENOENT ? "there is no key file" :
			r == -ELOOP ? "the key file is a symbolic link" : "the key file cannot be opened";
		return r;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077)) {
		*ret_why = "the key file must be a regular file that only its owner can read (mode 0600)";
		return -EPERM;
	}
	if (!owner_ok(dirfd, st.st_uid)) {
		*ret_why = "the key file belongs to another user";
		return -EPERM;
	}
	if (st.st_size > KEY_FILE_MAX) {
		*ret_why = NO_KEY;
		return -EBADMSG;
	}
	*ret = fdopen(fd, "r");
	if (!*ret) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	(void)TAKE_FD(fd);
	return 0;
}

int note_key_load(int dirfd, const char *file, const char *name, struct note_key **ret, const char **ret_why)
{
	EVP_PKEY *pkey;
	FILE *f = NULL;
	int r = key_file_open(dirfd, file, &f, ret_why);

	if (r < 0)
		return r;
	pkey = PEM_read_PrivateKey(f, NULL, NULL, (void *)"");
	fclose(f);
	ERR_clear_error();
	r = pkey ? key_wrap(pkey, name, ret) : -EBADMSG;
	if (r < 0)
		*ret_why = r == -EINVAL ? "the name of the log is not allowed in a key" : NO_KEY;
	return r;
}

int note_key_save(const struct note_key *k, int dirfd, const char *file)
{
	int fd = openat(dirfd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = 0;
	FILE *f;

	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		unlinkat(dirfd, file, 0);
		return -ENOMEM;
	}
	if (PEM_write_PKCS8PrivateKey(f, k->pkey, NULL, NULL, 0, NULL, NULL) != 1 || fflush(f) || fsync(fd) < 0)
		r = -EIO;
	if (fclose(f) && r == 0)
		r = -EIO;
	if (r < 0)
		unlinkat(dirfd, file, 0);
	return r;
}

struct note_key *note_key_free(struct note_key *k)
{
	if (k)
		EVP_PKEY_free(k->pkey);
	free(k);
	return NULL;
}

const uint8_t *note_key_public(const struct note_key *k)
{
	return k->v.public_key;
}

void note_verifier_of(const struct note_key *k, struct note_verifier *ret)
{
	*ret = k->v;
}

void note_verifier_put(struct buf *b, const struct note_verifier *v)
{
	uint8_t raw[33] = { ED25519 };

	memcpy(raw + 1, v->public_key, 32);
	buf_putf(b, "%s+%08x+", v->name, v->id);
	base64_encode(b, (str){ (char *)raw, sizeof(raw) });
}

int note_verifier_parse(str line, struct note_verifier *ret)
{
	const char *plus = line.n ? memchr(line.p, '+', line.n) : NULL;
	size_t name_n = plus ? (size_t)(plus - line.p) : 0;
	char name[NOTE_NAME_MAX + 1] = { 0 };
	_cleanup_buf_ struct buf raw = BUF_INIT;
	struct note_verifier v;
	uint8_t id[4];
	int r;

	if (!plus || !own_name_ok((str){ line.p, name_n }) || line.n < name_n + 10 || plus[9] != '+' || hex_decode((str){ plus + 1, 8 }, id,
		4) < 0)
		return -EBADMSG;
	r = base64_decode(&raw, (str){ plus + 10, line.n - name_n - 10 });
	if (r == -ENOMEM)
		return r;
	if (r < 0 || raw.n != 33 || raw.p[0] != ED25519)
		return -EBADMSG;
	memcpy(name, line.p, name_n);
	r = note_verifier_from_public(name, (uint8_t *)raw.p + 1, &v);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || v.id != get_be32(id))
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int sign_line(const struct note_key *k, str text, struct buf *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t raw[4 + SIG_LEN];
	size_t n = SIG_LEN;
	bool ok;

	put_be32(raw, k->v.id);
	ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		EVP_DigestSign(ctx, raw + 4, &n, (const uint8_t *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	buf_putf(ret, "\xe2\x80\x94 %s ", k->v.name);
	base64_encode(ret, (str){ (char *)raw, sizeof(raw) });
	buf_putc(ret, '\n');
	return buf_error(ret);
}

/* UTF-8 without control characters, lines ended by newlines. */
static bool text_ok(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n')
			return false;
	return s.n > 0 && s.p[s.n - 1] == '\n' && str_utf8_valid(s);
}

int note_sign(str text, const struct note_key *const *keys, size_t n, struct buf *ret)
{
	_cleanup_buf_ struct buf sigs = BUF_INIT;

	if (!text_ok(text) || n == 0 || n > NOTE_KEYS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int r = sign_line(keys[i], text, &sigs);

		if (r < 0)
			return r;
	}
	buf_puts(ret, text);
	buf_putc(ret, '\n');
	buf_puts(ret, buf_str(&sigs));
	return buf_error(ret);
}

int checkpoint_sign(const struct checkpoint *c, const struct note_key *const *keys, size_t n, struct buf *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!own_name_ok(str_c(c->origin)))
		return -EINVAL;
	buf_putf(&text, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	base64_encode(&text, (str){ (const char *)c->root.b, 32 });
	buf_putc(&text, '\n');
	return buf_error(&text) ? buf_error(&text) : note_sign(buf_str(&text), keys, n, ret);
}

static bool verifies(const struct note_verifier *v, str text, const uint8_t *sig)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, v->public_key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestVerify(ctx, sig, SIG_LEN, (const uint8_t *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

/* Cuts a line (without its newline) off the front of *s. */
static bool next_line(str *s, str *ret)
{
	const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;

	if (!nl)
		return false;
	*ret = (str){ s->p, (size_t)(nl - s->p) };
	s->n -= ret->n + 1;
	s->p = nl + 1;
	return true;
}

static int parse_hash(str line, hash32 *ret)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;

	int r = line.n == 44 ? base64_decode(&raw, line) : -EBADMSG;

	if (r == -ENOMEM)
		return r;
	if (r < 0 || raw.n != 32)
		return -EBADMSG;
	memcpy(ret->b, raw.p, 32);
	return 0;
}

static int check_signature(str line, str text, const struct note_verifier *keys, size_t n, uint64_t *signed_by)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;
	const char *space;
	str name;
	int r;

	if (!str_starts(line, STR("\xe2\x80\x94 ")))
		return -EBADMSG;
	line = (str){ line.p + 4, line.n - 4 };
	space = line.n ? memchr(line.p, ' ', line.n) : NULL;
	name = (str){ line.p, space ? (size_t)(space - line.p) : 0 };
	r = name_ok(name) ? base64_decode(&raw, (str){ space + 1, line.n - name.n - 1 }) : -EBADMSG;
	if (r == -ENOMEM)
		return r;
	if (r < 0 || raw.n < 5)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (keys[i].id != get_be32(raw.p) || !str_eq(name, str_c(keys[i].name)))
			continue;
		if (raw.n != 4 + SIG_LEN || !verifies(&keys[i], text, (uint8_t *)raw.p + 4))
			return -EKEYREJECTED;
		*signed_by |= (uint64_t)1 << i;
	}
	return 0;
}

/* Behind the text and its newline; NULL where no empty line ends it. */
static const char *signatures_of(str note)
{
	for (size_t i = note.n; i-- > 1;)
		if (note.p[i] == '\n' && note.p[i - 1] == '\n')
			return note.p + i + 1;
	return NULL;
}

int note_open(str note, const struct note_verifier *keys, size_t n, str *ret_text, uint64_t *ret_signed)
{
	const char *behind = signatures_of(note);
	uint64_t signed_by = 0;
	str text, sigs, line;
	unsigned lines = 0;
	int r;

	if (!behind || n > NOTE_KEYS_MAX || !text_ok(note))
		return -EBADMSG;
	text = (str){ note.p, (size_t)(behind - note.p) - 1 };
	sigs = (str){ behind, note.n - text.n - 1 };
	for (; next_line(&sigs, &line); lines++) {
		r = lines < NOTE_KEYS_MAX ? check_signature(line, text, keys, n, &signed_by) : -EBADMSG;

		if (r < 0)
			return r;
	}
	if (lines == 0)
		return -EBADMSG;
	if (!signed_by)
		return -ENOKEY;
	*ret_text = text;
	*ret_signed = signed_by;
	return 0;
}

static int parse_checkpoint_text(str text, struct checkpoint *ret)
{
	str line;
	int r;

	*ret = (struct checkpoint){ 0 };
	if (!next_line(&text, &line) || !own_name_ok(line))
		return -EBADMSG;
	memcpy(ret->origin, line.p, line.n);
	if (!next_line(&text, &line) || str_to_u64(line, &ret->size) < 0 || !next_line(&text, &line))
		return -EBADMSG;
	r = parse_hash(line, &ret->root);
	if (r < 0)
		return r;
	while (next_line(&text, &line)) /* extension lines: signed, of no meaning to us, never empty */
		if (line.n == 0)
			return -EBADMSG;
	return text.n ? -EBADMSG : 0;
}

int checkpoint_parse(str note, const struct note_verifier *keys, size_t n, struct checkpoint *ret, uint64_t *ret_signed)
{
	struct checkpoint c;
	uint64_t signed_by;
	str text;
	int r = note_open(note, keys, n, &text, &signed_by);

	if (r < 0)
		return r;
	r = parse_checkpoint_text(text, &c);
	if (r < 0)
		return r;
	*ret = c;
	*ret_signed = signed_by;
	return 0;
}

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

int proof_put(struct buf *b, uint64_t index, const hash32 *proof, size_t n, str checkpoint_text)
{
	buf_putf(b, PROOF_HEAD "\nindex %llu\n", (unsigned long long)index);
	for (size_t i = 0; i < n; i++) {
		base64_encode(b, (str){ (const char *)proof[i].b, 32 });
		buf_putc(b, '\n');
	}
	buf_putc(b, '\n');
	buf_puts(b, checkpoint_text);
	return buf_error(b);
}

int proof_parse(str text, uint64_t *ret_index, hash32 *ret_proof, size_t *ret_n, str *ret_checkpoint)
{
	_cleanup_buf_ struct buf extra = BUF_INIT; /* anybody may have changed it: checked for its form and passed over */
	hash32 proof[MERKLE_PROOF_MAX];
	uint64_t index;
	size_t n = 0;
	str line;

	if (!next_line(&text, &line) || !str_eq(line, STR(PROOF_HEAD)) || !next_line(&text, &line))
		return -EBADMSG;
	if (str_starts(line, STR("extra ")) && (base64_decode(&extra, (str){ line.p + 6, line.n - 6 }) < 0 || !next_line(&text, &line)))
		return -EBADMSG;
	if (!str_starts(line, STR("index ")) || str_to_u64((str){ line.p + 6, line.n - 6 }, &index) < 0)
		return -EBADMSG;
	for (;;) {
		if (!next_line(&text, &line))
			return -EBADMSG;
		if (line.n == 0)
			break;
		if (n == MERKLE_PROOF_MAX || parse_hash(line, &proof[n++]) < 0)
			return -EBADMSG;
	}
	memcpy(ret_proof, proof, n * sizeof(proof[0]));
	*ret_index = index;
	*ret_n = n;
	*ret_checkpoint = text;
	return 0;
}

void tile_path(struct buf *b, int level, uint64_t n, unsigned width)
{
	unsigned part[7], k = 0;

	do {
		part[k++] = (unsigned)(n % 1000);
		n /= 1000;
	} while (n);
	if (level < 0)
		buf_puts(b, STR("tile/entries"));
	else
		buf_putf(b, "tile/%d", level);
	while (k-- > 0)
		buf_putf(b, k ? "/x%03u" : "/%03u", part[k]);
	if (width < MERKLE_TILE)
		buf_putf(b, ".p/%u", width);
}
