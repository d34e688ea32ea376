#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/varint.h"
#include "evidence/note.h"

static char dir[] = "/tmp/tyto-test-note-XXXXXX";
static int dirfd = -1;
static struct note_key *key;
static struct note_verifier verifier;

static int setup(void **state)
{
	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirfd >= 0);
	assert_int_equal(note_key_generate("example.com/log", &key), 0);
	note_verifier_of(key, &verifier);
	assert_int_equal(note_key_save(key, dirfd, "log.key"), 0);
	return 0;
}

static int teardown(void **state)
{
	note_key_free(key);
	unlinkat(dirfd, "log.key", 0);
	close(dirfd);
	return rmdir(dir);
}

/* Published in c2sp.org/signed-note and golang.org/x/mod/sumdb/note. */
#define FOO_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_NOTE "This is an example message.\n\n\xe2\x80\x94 example.com/foo " \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define PN_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PN_TEXT "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define PN_NOTE PN_TEXT "\n\xe2\x80\x94 PeterNeumann " \
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define SOFA "example.com/behind-the-sofa"
#define SOFA_NOTE SOFA "\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\xe2\x80\x94 " SOFA \
	" Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"

static void test_vkeys(void **state)
{
	static const char *const good[] = { FOO_KEY, PN_KEY };
	static const char *const bad[] = { "", "+", "++", "PeterNeumann", "PeterNeumann+c74f20a3", "PeterNeumann+c74f20a3+",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
		"PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", /* of another length, with its hash */
		"PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" };     /* of an unknown algorithm, with its hash */
	struct note_verifier none;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct note_verifier v;

		assert_int_equal(note_verifier_parse(str_c(good[i]), &v), 0);
		note_verifier_put(&b, &v);
		assert_str(buf_str(&b), good[i]);
		for (size_t k = 0; k < b.n; k++) {
			b.p[k]++;
			assert_int_equal(note_verifier_parse(buf_str(&b), &v), -EBADMSG);
			b.p[k]--;
		}
		for (size_t from = 0; from < b.n; from++)
			for (size_t n = b.n - from - !from; n > 0; n--)
				assert_int_equal(note_verifier_parse((str){ b.p + from, n }, &v), -EBADMSG);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(note_verifier_parse(str_c(bad[i]), &none), -EBADMSG);
	assert_int_equal(note_verifier_parse(STR_NONE, &none), -EBADMSG);
}

/* The same text by the same key under other names is another key; long names are refused. */
static void test_names(void **state)
{
	static const char *const bad[] = { "", "a b", "a+b", "a\xc2\xa0""b", "a\xe3\x80\x80", "\xff", "a\tb", "\xe2\x80\xa8" };
	char longest[NOTE_NAME_MAX + 2] = { 0 };
	struct note_verifier v;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(note_verifier_from_public(bad[i], verifier.public_key, &v), -EINVAL);
	memset(longest, 'x', NOTE_NAME_MAX);
	assert_int_equal(note_verifier_from_public(longest, verifier.public_key, &v), 0);
	assert_true(v.id != verifier.id);
	longest[NOTE_NAME_MAX] = 'x';
	assert_int_equal(note_verifier_from_public(longest, verifier.public_key, &v), -EINVAL);
	assert_int_equal(note_verifier_from_public("\xe6\x9d\xb1\xe4\xba\xac", verifier.public_key, &v), 0);
}

static void test_published(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct note_verifier v[3] = { 0 };
	struct checkpoint c;
	uint64_t by = 77;
	str text = STR("-");

	assert_int_equal(note_verifier_parse(STR(FOO_KEY), &v[0]), 0);
	assert_int_equal(note_verifier_parse(STR(PN_KEY), &v[1]), 0);
	assert_int_equal(note_open(STR(FOO_NOTE), v, 2, &text, &by), 0);
	assert_str(text, "This is an example message.\n");
	assert_int_equal(by, 1);
	assert_int_equal(note_open(STR(PN_NOTE), v, 2, &text, &by), 0);
	assert_str(text, PN_TEXT);
	assert_int_equal(by, 2);
	assert_int_equal(checkpoint_parse(STR(PN_NOTE), v, 2, &c, &by), -EBADMSG); /* signed, and no checkpoint */
	buf_puts(&b, STR(FOO_NOTE));
	for (size_t i = 0; i < 8 * b.n; i++) {
		b.p[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(note_open(buf_str(&b), v, 2, &text, &by), 0);
		b.p[i / 8] ^= (char)(1 << i % 8);
	}
	/* The key of this one is not published: as a stranger's it is passed over, as a known one's it must verify. */
	by = 77;
	assert_int_equal(checkpoint_parse(STR(SOFA_NOTE), v, 2, &c, &by), -ENOKEY);
	memcpy(v[2].name, SOFA, sizeof(SOFA));
	v[2].id = 0x033de0ae;
	assert_int_equal(checkpoint_parse(STR(SOFA_NOTE), v, 3, &c, &by), -EKEYREJECTED);
	v[2].id++;
	assert_int_equal(checkpoint_parse(STR(SOFA_NOTE), v, 3, &c, &by), -ENOKEY);
	assert_int_equal(by, 77);
}

/* A note over any text, signed by the log's key without help from note.c. */
static void sign_text(struct buf *b, str text)
{
	int fd = openat(dirfd, "log.key", O_RDONLY | O_CLOEXEC);
	FILE *f = fdopen(fd, "r");
	EVP_PKEY *pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t raw[68];
	size_t n = 64;

	put_be32(raw, verifier.id);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, raw + 4, &n, (const uint8_t *)text.p, text.n), 1);
	buf_clear(b);
	buf_puts(b, text);
	buf_puts(b, STR("\n\xe2\x80\x94 example.com/log "));
	base64_encode(b, (str){ (char *)raw, sizeof(raw) });
	buf_putc(b, '\n');
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	fclose(f);
}

#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* Soundly signed, so that only the form of the text decides. */
static void test_checkpoint_text(void **state)
{
	static const struct { const char *text; int want; } cases[] = {
		{ "example.com/log\n0\n" ROOT "\n", 0 },
		{ "example.com/log\n18446744073709551615\n" ROOT "\n", 0 },
		{ "other\n1\n" ROOT "\n", 0 },
		{ "example.com/log\n1\n" ROOT "\nextension\nmore of it\n", 0 },
		{ "example.com/log\n1\n" ROOT "\nextension\n\nmore of it\n", -EBADMSG },
		{ "example.com/log\n1\n" ROOT "\n\n", -EBADMSG },
		{ "\n1\n" ROOT "\n", -EBADMSG },
		{ "\n", -EBADMSG },
		{ "example.com/log\n", -EBADMSG },
		{ "example.com/log\n1\n", -EBADMSG },
		{ "example log\n1\n" ROOT "\n", -EBADMSG },
		{ "example+log\n1\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n01\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n-1\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n+1\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n1 \n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n0x1\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n18446744073709551616\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n", -EBADMSG },
		{ "example.com/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", -EBADMSG }, /* bits behind the end */
		{ "example.com/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n", -EBADMSG },
		{ "example.com/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA\n", -EBADMSG },
		{ "example.com/log\n1\n47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=\n", -EBADMSG },
		{ "example.com/log\r\n1\n" ROOT "\n", -EBADMSG },
		{ "example.com/log\n1\n" ROOT "\nex\ttension\n", -EBADMSG },
		{ "example.com/log\n1\n" ROOT "\n\xff\n", -EBADMSG },
		{ "example.com/log\n1\n" ROOT "\n\xed\xa0\x80\n", -EBADMSG },
	};
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct checkpoint c = { .size = 5 };
		uint64_t by = 77;

		sign_text(&b, str_c(cases[i].text));
		assert_int_equal(checkpoint_parse(buf_str(&b), &verifier, 1, &c, &by), cases[i].want);
		assert_int_equal(by, cases[i].want ? 77 : 1);
		if (cases[i].want)
			assert_int_equal(c.size, 5);
	}
	sign_text(&b, STR("example.com/log\n1\n" ROOT "\nnul\0\n"));
	assert_int_equal(checkpoint_parse(buf_str(&b), &verifier, 1, &(struct checkpoint){ 0 }, &(uint64_t){ 0 }), -EBADMSG);
}

/* Signature lines put behind a sound note. */
static void test_signature_lines(void **state)
{
	static const char *const bad[] = { "\n", "-- x AAAAAAA=\n", "\xe2\x80\x94 x\n", "\xe2\x80\x94 x \n", "\xe2\x80\x94 x AAAAAA==\n",
		"\xe2\x80\x94  AAAAAAA=\n", "\xe2\x80\x94 x AAAAAAA\n", "\xe2\x80\x94 x AAAAAAA= \n", "\xe2\x80\x94 x+y AAAAAAA=\n",
		"\xe2\x80\x94 x AAAAAAA=", "x", "\xe2\x80\x94 x y AAAAAAA=\n", "\xe2\x80\x93 x AAAAAAA=\n", "\xe2\x80\x94x AAAAAAA=\n",
		"\n\xe2\x80\x94 x AAAAAAA=\n" };
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n;
	str text;
	uint64_t by;

	sign_text(&b, STR("any text\n"));
	n = b.n;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		b.n = n;
		buf_puts(&b, str_c(bad[i]));
		assert_int_not_equal(note_open(buf_str(&b), &verifier, 1, &text, &by), 0);
	}
	b.n = n;
	for (unsigned i = 1; i < NOTE_KEYS_MAX; i++) { /* strangers' lines: names and signatures of any length */
		buf_puts(&b, STR("\xe2\x80\x94 "));
		for (unsigned k = 0; k < 10 * i; k++)
			buf_putc(&b, 'x');
		buf_puts(&b, STR(" AAAAAAA=\n"));
		assert_int_equal(note_open(buf_str(&b), &verifier, 1, &text, &by), 0);
		assert_str(text, "any text\n");
	}
	buf_puts(&b, STR("\xe2\x80\x94 x AAAAAAA=\n"));
	assert_int_equal(note_open(buf_str(&b), &verifier, 1, &text, &by), -EBADMSG);
	b.n = n;
	while (b.n-- > 0)
		assert_int_not_equal(note_open(buf_str(&b), &verifier, 1, &text, &by), 0);
	assert_int_equal(note_open(STR_NONE, &verifier, 1, &text, &by), -EBADMSG);
	assert_int_equal(note_open(STR("\n\n"), &verifier, 1, &text, &by), -EBADMSG);
}

static void test_two_keys(void **state)
{
	struct checkpoint c = { .origin = "example.com/log", .size = 300 }, got;
	_cleanup_buf_ struct buf b = BUF_INIT, bad = BUF_INIT;
	struct note_verifier v[3];
	struct note_key *next;
	uint64_t by;

	assert_int_equal(note_key_generate("example.com/log", &next), 0);
	note_verifier_of(key, &v[0]);
	note_verifier_of(next, &v[1]);
	v[2] = v[0];
	v[2].id++;
	assert_int_equal(checkpoint_sign(&c, (const struct note_key *const[]){ key, next }, 2, &b), 0);
	assert_int_equal(checkpoint_parse(buf_str(&b), v, 3, &got, &by), 0);
	assert_int_equal(by, 3);
	assert_int_equal(checkpoint_parse(buf_str(&b), v + 1, 2, &got, &by), 0);
	assert_int_equal(by, 1);
	assert_int_equal(checkpoint_parse(buf_str(&b), v + 2, 1, &got, &by), -ENOKEY);
	/* One sound signature does not excuse a bad one by a key that is known too. */
	for (unsigned line = 0; line < 2; line++) {
		size_t at = b.n - (line ? 20 : 150);

		buf_clear(&bad);
		buf_puts(&bad, buf_str(&b));
		bad.p[at] = bad.p[at] == 'A' ? 'B' : 'A';
		assert_int_equal(checkpoint_parse(buf_str(&bad), v, 2, &got, &by), -EKEYREJECTED);
		assert_int_equal(checkpoint_parse(buf_str(&bad), &v[!line], 1, &got, &by), 0);
	}
	buf_clear(&bad);
	assert_int_equal(checkpoint_sign(&c, NULL, 0, &bad), -EINVAL);
	c.origin[0] = ' ';
	assert_int_equal(checkpoint_sign(&c, (const struct note_key *const[]){ key }, 1, &bad), -EINVAL);
	assert_int_equal(note_sign(STR("no newline"), (const struct note_key *const[]){ key }, 1, &bad), -EINVAL);
	assert_int_equal(note_sign(STR("a\tb\n"), (const struct note_key *const[]){ key }, 1, &bad), -EINVAL);
	assert_int_equal(note_sign(STR("\xff\n"), (const struct note_key *const[]){ key }, 1, &bad), -EINVAL);
	assert_int_equal(note_sign(STR_NONE, (const struct note_key *const[]){ key }, 1, &bad), -EINVAL);
	assert_int_equal(bad.n, 0);
	note_key_free(next);
}

static int load_named(const char *file)
{
	const char *why = NULL;
	struct note_key *k = NULL;
	int r = note_key_load(dirfd, file, "example.com/log", &k, &why);

	assert_true((r < 0) == (why != NULL) && (r == 0) == (k != NULL));
	if (k)
		assert_memory_equal(note_key_public(k), verifier.public_key, 32);
	note_key_free(k);
	return r;
}

static void put_file(const char *file, const void *p, size_t n)
{
	int fd = openat(dirfd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, p, n), (ssize_t)n);
	close(fd);
}

static void test_key_file(void **state)
{
	static const mode_t loose[] = { 0640, 0604, 0610, 0601, 0620, 0602 };
	static char large[70000];
	char pem[256];
	struct stat st;
	int fd = openat(dirfd, "log.key", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, pem, sizeof(pem));

	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_true(n > 0 && str_starts((str){ pem, (size_t)n }, STR("-----BEGIN PRIVATE KEY-----\n")));
	assert_int_equal(load_named("log.key"), 0);
	assert_int_equal(note_key_save(key, dirfd, "log.key"), -EEXIST);
	assert_int_equal(load_named("log.key"), 0);
	assert_int_equal(note_key_save(key, dirfd, "no-such-dir/key"), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(loose); i++) {
		assert_int_equal(fchmodat(dirfd, "log.key", loose[i], 0), 0);
		assert_int_equal(load_named("log.key"), -EPERM);
	}
	assert_int_equal(fchmodat(dirfd, "log.key", 0400, 0), 0);
	assert_int_equal(load_named("log.key"), 0);
	assert_int_equal(fchmodat(dirfd, "log.key", 0600, 0), 0);
	assert_int_equal(load_named("none"), -ENOENT);
	assert_int_equal(symlinkat("log.key", dirfd, "link"), 0);
	assert_int_equal(load_named("link"), -ELOOP);
	assert_int_equal(mkfifoat(dirfd, "fifo", 0600), 0);
	assert_int_equal(load_named("fifo"), -EPERM);
	assert_int_equal(load_named("."), -EPERM);
	for (ssize_t cut = 0; cut < n - 2; cut += 7) {
		put_file("cut", pem, (size_t)cut);
		assert_int_equal(load_named("cut"), -EBADMSG);
	}
	memset(large, '\n', sizeof(large));
	memcpy(large, pem, (size_t)n);
	put_file("cut", large, sizeof(large));
	assert_int_equal(load_named("cut"), -EBADMSG);
	unlinkat(dirfd, "link", 0);
	unlinkat(dirfd, "fifo", 0);
	unlinkat(dirfd, "cut", 0);
}

static void test_other_key_kind(void **state)
{
	int fd = openat(dirfd, "ec", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	FILE *f = fdopen(fd, "w");

	assert_int_equal(PEM_write_PKCS8PrivateKey(f, ec, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	EVP_PKEY_free(ec);
	assert_int_equal(load_named("ec"), -EBADMSG);
	unlinkat(dirfd, "ec", 0);
}

/* As root: another's file in our folder is refused, that of the folder's owner is not. Anybody: a file that may not be read. */
static void test_owner(void **state)
{
	if (geteuid() != 0) {
		assert_int_equal(fchmodat(dirfd, "log.key", 0, 0), 0);
		assert_int_equal(load_named("log.key"), -EACCES);
		assert_int_equal(fchmodat(dirfd, "log.key", 0600, 0), 0);
		return;
	}
	assert_int_equal(fchownat(dirfd, "log.key", 4242, 4242, 0), 0);
	assert_int_equal(load_named("log.key"), -EPERM);
	assert_int_equal(fchown(dirfd, 4242, 4242), 0);
	assert_int_equal(load_named("log.key"), 0);
	assert_int_equal(fchown(dirfd, 0, 0), 0);
	assert_int_equal(fchownat(dirfd, "log.key", 0, 0, 0), 0);
	assert_int_equal(fchmod(dirfd, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(load_named("log.key"), -EACCES);
	assert_int_equal(note_key_save(key, dirfd, "new"), -EACCES);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmod(dirfd, 0700), 0);
}

/* The example of c2sp.org/tlog-proof, with its shortened checkpoint. */
#define P_HEAD "c2sp.org/tlog-proof@v1\n"
#define P_EXTRA "extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n"
#define P_HASHES "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n" \
	"EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n" \
	"AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n"
#define P_NOTE "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n" \
	"\xe2\x80\x94 example.com/fancylog hI2DJw[...]1roloI=\n"

static void test_proof(void **state)
{
	static const char *const bad[] = { "", "\n", P_HEAD, P_HEAD "index 1\n", P_HEAD "\n", P_HEAD "index 1\n" P_HASHES, P_HEAD "index 01\n\n",
		P_HEAD "index\n\n", P_HEAD "index -1\n\n", P_HEAD "index 18446744073709551616\n\n", P_HEAD "index 1 \n\n", P_HEAD "extra AA==\n\n",
		P_HEAD "extra A\nindex 1\n\n", P_HEAD "extra AB==\nindex 1\n\n", P_HEAD "extra AA==\nextra AA==\nindex 1\n\n",
		P_HEAD "index 1\nextra AA==\n\n", P_HEAD "index 1\nAAAA\n\n", P_HEAD "index 1\n" ROOT " \n\n", P_HEAD "index 1\nx" ROOT "\n\n",
		"c2sp.org/tlog-proof@v2\nindex 1\n\n", "c2sp.org/tlog-proof@v1 \nindex 1\n\n", "c2sp.org/tlog-proof@v1\r\nindex 1\n\n" };
	_cleanup_buf_ struct buf b = BUF_INIT, first = BUF_INIT;
	hash32 proof[MERKLE_PROOF_MAX];
	uint64_t index = 7;
	str text = STR("-");
	size_t n = 7;

	assert_int_equal(proof_parse(STR(P_HEAD P_EXTRA "index 73894\n" P_HASHES "\n" P_NOTE), &index, proof, &n, &text), 0);
	assert_true(index == 73894 && n == 5);
	assert_str(text, P_NOTE);
	base64_encode(&first, (str){ (char *)proof[0].b, 32 });
	assert_str(buf_str(&first), "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=");
	assert_int_equal(proof_put(&b, index, proof, n, text), 0);
	assert_str(buf_str(&b), P_HEAD "index 73894\n" P_HASHES "\n" P_NOTE);
	assert_int_equal(proof_parse(STR(P_HEAD "extra AA==\nindex 18446744073709551615\n\n"), &index, proof, &n, &text), 0);
	assert_true(index == UINT64_MAX && n == 0 && text.n == 0);
	n = 7;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(proof_parse(str_c(bad[i]), &index, proof, &n, &text), -EBADMSG);
	assert_int_equal(n, 7);
	buf_clear(&b);
	buf_puts(&b, STR(P_HEAD "index 5\n"));
	for (unsigned i = 0; i < MERKLE_PROOF_MAX + 1; i++) {
		size_t at;

		buf_puts(&b, STR(ROOT "\n"));
		at = b.n;
		buf_putc(&b, '\n');
		assert_int_equal(proof_parse(buf_str(&b), &index, proof, &n, &text), i < MERKLE_PROOF_MAX ? 0 : -EBADMSG);
		b.n = at;
	}
}

static void test_checkpoint(void **state)
{
	struct checkpoint c = { .origin = "example.com/log", .size = 7, .root.b = { 1, 2, 3 } }, got;
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t by;

	assert_int_equal(checkpoint_sign(&c, (const struct note_key *const[]){ key }, 1, &b), 0);
	assert_int_equal(checkpoint_parse(buf_str(&b), &verifier, 1, &got, &by), 0);
	assert_int_equal(by, 1);
	assert_string_equal(got.origin, c.origin);
	assert_int_equal(got.size, 7);
	assert_memory_equal(&got.root, &c.root, 32);
	assert_int_equal(checkpoint_parse(buf_str(&b), &verifier, 0, &got, &by), -ENOKEY);
	for (size_t i = 0; i < 8 * b.n; i++) {
		b.p[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(checkpoint_parse(buf_str(&b), &verifier, 1, &got, &by), 0);
		b.p[i / 8] ^= (char)(1 << i % 8);
	}
}

static void test_tile_path(void **state)
{
	static const struct { int level; uint64_t n; unsigned width; const char *path; } cases[] = {
		{ 0, 0, 256, "tile/0/000" }, { 1, 0, 1, "tile/1/000.p/1" }, { -1, 0, 255, "tile/entries/000.p/255" }, { 0, 999, 256, "tile/0/999" },
		{ 0, 1000, 256, "tile/0/x001/000" }, { 0, 999999, 256, "tile/0/x999/999" }, { 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ -1, 273, 112, "tile/entries/273.p/112" }, { 7, UINT64_MAX, 256, "tile/7/x018/x446/x744/x073/x709/x551/615" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		tile_path(&b, cases[i].level, cases[i].n, cases[i].width);
		assert_str(buf_str(&b), cases[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vkeys), cmocka_unit_test(test_names), cmocka_unit_test(test_published), cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_text), cmocka_unit_test(test_signature_lines), cmocka_unit_test(test_two_keys),
		cmocka_unit_test(test_key_file), cmocka_unit_test(test_other_key_kind), cmocka_unit_test(test_owner), cmocka_unit_test(test_proof),
		cmocka_unit_test(test_tile_path),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
