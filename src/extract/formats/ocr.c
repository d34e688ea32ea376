/* OCR: a scan is made upright and even, then tesseract reads it. */
#include "extract/formats/ocr.h"

#include <dlfcn.h>
#include <errno.h>
#include <leptonica/allheaders.h>
#include <tesseract/capi.h>
#include <time.h>

#include "extract/format.h"

#define LONG_SIDE 3500        /* an A4 page at 300 dpi, at which the models were made */
#define SMALL_SIDE 2400       /* below: a page at 150 dpi or a part of a screen, doubled */
#define PAGE_MS 60000
#define RESERVE_MS 3000       /* of the document's time: for what comes after */
#define LEAST_MS 1000
#define LINE_SURE 20.0f       /* per cent: what is less sure is dirt and pictures */
#define PAGE_SURE 60          /* a page on its side gives less */
#define SKEW_LEAST 0.15f      /* degrees */
#define SKEW_SURE 2.5f        /* leptonica's confidence */
#define LIBRARY "libtesseract.so.5"

/* By name, when they are wanted: linked, tesseract and all that it needs would be loaded into every worker. */
#define FUNCTIONS(f) \
	f(TessBaseAPICreate) f(TessBaseAPIInit2) f(TessBaseAPISetVariable) f(TessBaseAPISetPageSegMode) f(TessBaseAPISetImage2) \
	f(TessBaseAPISetSourceResolution) f(TessBaseAPIRecognize) f(TessBaseAPIGetIterator) f(TessBaseAPIMeanTextConf) f(TessBaseAPIClear) \
	f(TessBaseAPIDetectOrientationScript) f(TessResultIteratorGetUTF8Text) f(TessResultIteratorConfidence) f(TessResultIteratorNext) \
	f(TessResultIteratorDelete) f(TessDeleteText) f(TessMonitorCreate) f(TessMonitorDelete) f(TessMonitorSetDeadlineMSecs)
#define FIELD(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(FIELD)
} lib;

static TessBaseAPI *reader, *turner;

static int load(void)
{
	void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return -ENOENT;
#define RESOLVE(name) \
	*(void **)&lib.name = dlsym(so, #name); \
	if (!lib.name) \
		return -ENOENT;
	FUNCTIONS(RESOLVE)
	return 0;
}

static TessBaseAPI *model(const char *languages, TessOcrEngineMode engine)
{
	TessBaseAPI *t = lib.TessBaseAPICreate();

	return t && lib.TessBaseAPIInit2(t, NULL, languages, engine) == 0 ? t : NULL;
}

int ocr_prepare(void)
{
	static const char *const languages[] = { "eng+jpn", "jpn", "eng" };

	if (ocr_mode_of_worker != OCR_NOW || reader || load() < 0)
		return 0;
	for (size_t i = 0; !reader && i < ARRAY_SIZE(languages); i++)
		reader = model(languages[i], OEM_LSTM_ONLY);
	turner = reader ? model("osd", OEM_TESSERACT_ONLY) : NULL; /* without it, pages on their side are not turned */
	if (reader) {
		lib.TessBaseAPISetVariable(reader, "preserve_interword_spaces", "1");
		lib.TessBaseAPISetPageSegMode(reader, PSM_AUTO);
	}
	return 0;
}

bool ocr_ready(void)
{
	return reader;
}

static int64_t time_left(void)
{
	struct timespec t;

	if (!document_until)
		return PAGE_MS;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return MIN(document_until - RESERVE_MS - (t.tv_sec * 1000 + t.tv_nsec / 1000000), (int64_t)PAGE_MS);
}

/* ---- the picture ---- */

static void replace(struct Pix **p, struct Pix *by)
{
	if (by) {
		pixDestroy(p);
		*p = by;
	}
}

static void scale(struct Pix **p)
{
	l_int32 side = MAX(pixGetWidth(*p), pixGetHeight(*p));

	if (side <= SMALL_SIDE)
		replace(p, pixScaleGray2xLI(*p));
	else if (side > LONG_SIDE + LONG_SIDE / 4)
		replace(p, pixScaleAreaMap(*p, (l_float32)LONG_SIDE / (l_float32)side, (l_float32)LONG_SIDE / (l_float32)side));
}

/* Light letters on dark ground are read badly. */
static void dark_on_light(struct Pix *p)
{
	l_float32 mean = 255;

	if (pixGetAverageMasked(p, NULL, 0, 0, 4, L_MEAN_ABSVAL, &mean) == 0 && mean < 100)
		pixInvert(p, p);
}

static void straighten(struct Pix **p)
{
	struct Pix *bin = pixThresholdToBinary(*p, 150);
	l_float32 angle = 0, sure = 0;

	/* Within 7 degrees as a scanner lays it; a hand's 20, where that finds nothing. */
	if (bin && (pixFindSkew(bin, &angle, &sure) || sure <= SKEW_SURE))
		pixFindSkewSweepAndSearch(bin, &angle, &sure, 4, 2, 20, 1, 0.01f);
	if (sure > SKEW_SURE && (angle > SKEW_LEAST || angle < -SKEW_LEAST))
		replace(p, pixRotate(*p, (l_float32)(3.14159265 / 180) * angle, L_ROTATE_AREA_MAP, L_BRING_IN_WHITE, 0, 0));
	pixDestroy(&bin);
}

/* A copy, fit to be read. */
static struct Pix *prepare(struct Pix *grey)
{
	struct Pix *p = pixCopy(NULL, grey);

	if (!p)
		return NULL;
	scale(&p);
	dark_on_light(p);
	replace(&p, pixBackgroundNormSimple(p, NULL, NULL)); /* a lamp from the side */
	straighten(&p);
	return p;
}

/* ---- the text ---- */

static bool is_wide(const uint8_t *p)
{
	uint32_t c = p[0] >= 0xf0 ? 0x20000 : p[0] >= 0xe0 ? (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63) : 0;

	return (c >= 0x2e80 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00) || (c >= 0xff00 && c < 0xfff0) || c == 0x20000;
}

/* Japanese has no spaces between its letters: tesseract's are where a gap is wide. */
static void put_line(struct buf *b, const char *line)
{
	size_t n = strcspn(line, "\n"), last = SIZE_MAX; /* where the last letter begins */

	for (size_t i = 0; i < n;) {
		size_t k = i;

		while (k < n && line[k] == ' ')
			k++;
		if (k > i && !(last != SIZE_MAX && k < n && is_wide((const uint8_t *)line + last) && is_wide((const uint8_t *)line + k)) &&
		    last != SIZE_MAX && k < n)
			buf_putc(b, ' ');
		if (k == n)
			break;
		last = i = k;
		do
			buf_putc(b, line[i++]);
		while (i < n && ((uint8_t)line[i] & 0xc0) == 0x80);
	}
	buf_putc(b, '\n');
}

static void take_lines(struct buf *ret)
{
	TessResultIterator *it = lib.TessBaseAPIGetIterator(reader);

	if (!it)
		return;
	do {
		char *line = lib.TessResultIteratorGetUTF8Text(it, RIL_TEXTLINE);

		if (line && line[strspn(line, " \n")] && lib.TessResultIteratorConfidence(it, RIL_TEXTLINE) >= LINE_SURE)
			put_line(ret, line);
		if (line)
			lib.TessDeleteText(line);
	} while (lib.TessResultIteratorNext(it, RIL_TEXTLINE));
	lib.TessResultIteratorDelete(it);
}

/* *ret_sure: mean confidence in per cent. */
static int recognise(struct Pix *p, struct buf *ret, int *ret_sure)
{
	int64_t left = time_left();
	ETEXT_DESC *monitor;
	int r = 0;

	if (left < LEAST_MS)
		return -ETIME;
	monitor = lib.TessMonitorCreate();
	lib.TessMonitorSetDeadlineMSecs(monitor, (int)left);
	lib.TessBaseAPISetImage2(reader, p);
	lib.TessBaseAPISetSourceResolution(reader, 300);
	r = lib.TessBaseAPIRecognize(reader, monitor) ? -EIO : 0;
	if (time_left() < LEAST_MS)
		r = -ETIME;
	*ret_sure = lib.TessBaseAPIMeanTextConf(reader);
	take_lines(ret);
	lib.TessBaseAPIClear(reader);
	lib.TessMonitorDelete(monitor);
	return r;
}

/* Quarter turns clockwise that make it upright; 0 not known. */
static int quarter_turns(struct Pix *p)
{
	int degrees = 0;
	float sure = 0, script_sure;
	const char *script;

	if (!turner)
		return 0;
	lib.TessBaseAPISetImage2(turner, p);
	if (!lib.TessBaseAPIDetectOrientationScript(turner, &degrees, &sure, &script, &script_sure))
		degrees = 0;
	lib.TessBaseAPIClear(turner);
	return sure > 1 ? (360 - degrees) % 360 / 90 : 0;
}

int ocr_read(struct Pix *grey, struct buf *ret)
{
	_cleanup_buf_ struct buf first = BUF_INIT, again = BUF_INIT;
	struct Pix *p = reader ? prepare(grey) : NULL, *turned;
	int sure = 0, sure_again = 0, turns, r;

	if (!p)
		return reader ? -ENOMEM : -ENOTSUP;
	r = recognise(p, &first, &sure);
	turns = r == 0 && sure < PAGE_SURE ? quarter_turns(p) : 0;
	turned = turns ? pixRotateOrth(p, turns) : NULL;
	if (turned) {
		straighten(&turned);
		r = recognise(turned, &again, &sure_again);
		pixDestroy(&turned);
	}
	buf_puts(ret, sure_again > sure ? buf_str(&again) : buf_str(&first));
	pixDestroy(&p);
	return r;
}
