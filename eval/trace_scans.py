"""Pages printed and scanned askew, or photographed from the side in uneven light, and text as bad OCR leaves it: which document is it from? See eval/README.md.

    eval/trace_scans.py          PAGES=40 (of each kind and language) NOISY=300 (of each kind and language) DOCUMENTS=400 SEED=tune
"""
import math, os
import texts
from common import Work, finish, rng, write
import office
from tracing import Score, State, ahead, right, told

SEED = os.environ.get('SEED', 'tune')
PAGES = int(os.environ.get('PAGES', '40'))
NOISY = int(os.environ.get('NOISY', '300'))
DOCUMENTS = int(os.environ.get('DOCUMENTS', '400'))
WANTED = {'scan': .95, 'photo': .85, 'text, at most 10 % wrong': .98, 'text, 10 to 20 % wrong': .90}
DPI = 150
FONTS = {False: ['/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf', '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'], True: ['/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf', '/usr/share/fonts/opentype/ipafont-gothic/ipagp.ttf']}
# What OCR takes for what. Both ways.
ALIKE = ['l1', 'lI', 'I1', 'O0', 'o0', 'ec', 'ce', 'S5', 'B8', 'uv', 'nr', 'hb', 'tf', 'aо', 'gq', 'ij', ',.', 'Z2', 'vy', 'mn']
PAIRS = [('rn', 'm'), ('cl', 'd'), ('vv', 'w'), ('ii', 'u'), ('li', 'h'), ('fi', 'fl')]
ALIKE_JA = ['ニ二', 'カ力', 'ロ口', 'エ工', 'タ夕', 'ハ八', 'ト卜', '日目', '未末', '大太', '人入', '上土', '千干', '貝見', '石右', '待持', '検険', '録緑', '料科', '間問', '書吉', '計訂', '部郎', 'はほ', 'わね', 'るろ', 'さき', 'シツ', 'ソン', 'クワ', 'コユ',
            '規現', '設投', '技枝', '績積', '議義', '期朝', '場揚', '運連', '送迭', '収牧', '経径', '準隼', '製裂', '延廷', '買貿', '価値', '、，', '。.']


def noisy(r, text, rate, ja):
    """TEXT with about RATE of its characters misread, lost, doubled, or a space or line end where there was none; the edit distance is checked by the caller."""
    out, i, edits = list(text), 0, round(rate * len(text))
    alike = {}
    for a in ALIKE_JA if ja else ALIKE:
        alike.setdefault(a[0], []).append(a[1])
        alike.setdefault(a[1], []).append(a[0])
    letters = [c for c in sorted(set(text)) if not c.isspace()]
    for at in r.sample(range(len(out)), edits):
        c, k = out[at], r.random()
        if k < .55:
            out[at] = r.choice(alike[c]) if c in alike and r.random() < .8 else r.choice(letters)
        elif k < .72:
            out[at] = ''
        elif k < .86:
            out[at] = c + r.choice(letters + [',', '.', '\'', '|', '-'])
        else:
            out[at] = c + (' ' if r.random() < .7 else '\n')
    return ''.join(out)


def distance(a, b):
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def wrapped(text, font, width, ja):
    lines, line = [], ''
    for piece in (text if ja else text.split(' ')):
        longer = line + piece if ja else (line + ' ' + piece).strip()
        if font.getlength(longer) > width and line:
            lines.append(line)
            line = piece
        else:
            line = longer
    return lines + [line]


def page(r, paragraphs, ja):
    """A printed A4 page that begins at a paragraph, with a page number."""
    from PIL import Image, ImageDraw, ImageFont
    w, h = round(8.27 * DPI), round(11.69 * DPI)
    size = round(r.choice([10, 10.5, 11, 12]) * DPI / 72)
    font = ImageFont.truetype(r.choice(FONTS[ja]), size)
    image = Image.new('L', (w, h), 255)
    draw = ImageDraw.Draw(image)
    margin, y = round(DPI * .9), round(DPI * .9)
    step = round(size * (1.6 if ja else 1.4))
    for p in paragraphs:
        for line in wrapped(p, font, w - 2 * margin, ja):
            if y > h - margin - step:
                break
            draw.text((margin, y), line, font=font, fill=r.choice([0, 0, 20]))
            y += step
        y += step // 2
        if y > h * r.uniform(.55, .9):
            break
    draw.text((w // 2, h - margin * 2 // 3), str(r.randint(1, 40)), font=font, fill=0)
    return image


def scan(r, image, file):
    """A scanner's 150 dpi, laid in 2 degrees askew, JPEG quality 40."""
    from PIL import Image, ImageChops, ImageFilter
    from PIL.Image import Resampling
    image = image.rotate(r.choice([-2, 2]), Resampling.BICUBIC, fillcolor=r.choice([255, 245])).filter(ImageFilter.GaussianBlur(r.uniform(.2, .6)))
    noise = Image.effect_noise(image.size, r.uniform(4, 14))
    image = ImageChops.add(image, noise, 1, -128)
    image.save(file, quality=40, dpi=(DPI, DPI))


def solve(a, b):
    n = len(b)
    m = [row[:] + [v] for row, v in zip(a, b)]
    for i in range(n):
        k = max(range(i, n), key=lambda x: abs(m[x][i]))
        m[i], m[k] = m[k], m[i]
        m[i] = [x / m[i][i] for x in m[i]]
        for j in range(n):
            if j != i:
                m[j] = [x - m[j][i] * y for x, y in zip(m[j], m[i])]
    return [row[n] for row in m]


def perspective(corners, w, h):
    """What PIL's transform wants for a page of w x h whose corners shall lie at CORNERS."""
    a, b = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (w, 0), (w, h), (0, h)]):
        a += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        b += [u, v]
    return solve(a, b)


def photo(r, image, file):
    """A hand-held photo: the page on a desk, seen from the side, a lamp on one side, slightly out of focus, sensor noise, JPEG quality 75."""
    from PIL import Image, ImageChops, ImageFilter
    from PIL.Image import Resampling, Transform
    w, h = image.size
    big = image.resize((w * 3 // 2, h * 3 // 2), Resampling.BICUBIC)
    w, h = big.size
    W, H = round(w * 1.12), round(h * 1.1)
    d = w * .05
    corners = [((W - w) / 2 + r.uniform(-.2, 1) * d + x * w, (H - h) / 2 + r.uniform(-.5, 1) * d + y * h) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    narrow = r.uniform(.02, .06) * w # the far edge is the shorter one
    corners[0], corners[1] = (corners[0][0] + narrow, corners[0][1]), (corners[1][0] - narrow, corners[1][1])
    c = perspective(corners, w, h)
    paper = big.transform((W, H), Transform.PERSPECTIVE, c, Resampling.BICUBIC, fillcolor=255)
    mask = Image.new('L', (w, h), 255).transform((W, H), Transform.PERSPECTIVE, c, Resampling.BICUBIC, fillcolor=0)
    desk = Image.new('L', (W, H), r.randint(60, 120))
    desk.paste(paper, (0, 0), mask)
    light = Image.new('L', (4, 4))
    lx, ly, dark = r.uniform(-1, 4), r.uniform(-1, 4), r.uniform(70, 120)
    light.putdata([max(90, round(250 - dark * math.hypot(x - lx, y - ly) / 4)) for y in range(4) for x in range(4)])
    seen = ImageChops.multiply(desk, light.resize((W, H), Resampling.BICUBIC)).filter(ImageFilter.GaussianBlur(r.uniform(.6, 1.2)))
    seen = ImageChops.add(seen, Image.effect_noise((W, H), r.uniform(4, 10)), 1, -128)
    tint = [seen.point(lambda v, f=f: min(255, round(v * f))) for f in (1, r.uniform(.93, 1), r.uniform(.8, .95))]
    Image.merge('RGB', tint).save(file, quality=75)


def main():
    score = Score()
    with Work() as work:
        documents = []
        for i in range(DOCUMENTS):
            r = rng(SEED, 'document', i)
            ja = i % 2 == 1
            paragraphs = texts.document(SEED, i, ja, r.randint(3000, 15000) // (2 if ja else 1))
            path = os.path.join(work, 'documents', f'{i}.' + ('docx' if r.random() < .4 else 'txt'))
            write(path, office.docx(paragraphs) if path.endswith('docx') else '\n'.join(paragraphs))
            documents.append((path, ja, paragraphs))
        pictures, truth = [], {}
        os.makedirs(os.path.join(work, 'leaks'))
        for ja in (False, True):
            mine = [d for d in documents if d[1] == ja]
            for kind, make in (('scan', scan), ('photo', photo)):
                for k in range(PAGES):
                    r = rng(SEED, kind, ja, k)
                    path, _, paragraphs = r.choice(mine)
                    at = r.randint(0, max(0, len(paragraphs) - 8))
                    file = os.path.join(work, 'leaks', f'{kind}-{"ja" if ja else "en"}-{k}.jpg')
                    make(r, page(r, paragraphs[at:], ja), file)
                    truth[file] = path, kind, ja
                    pictures.append(file)
            for kind, low, high in (('text, at most 10 % wrong', .01, .1), ('text, 10 to 20 % wrong', .1, .2)):
                for k in range(NOISY):
                    r = rng(SEED, kind, ja, k)
                    path, _, paragraphs = r.choice(mine)
                    whole = ('' if ja else ' ').join(paragraphs)
                    at = r.randint(0, len(whole) - 200)
                    clean = whole[at:at + 200]
                    rate = r.uniform(low, high)
                    leak = noisy(r, clean, rate, ja)
                    if k < 40:
                        assert distance(clean, leak) <= math.ceil(high * 200), 'more errors than said'
                    file = os.path.join(work, 'leaks', f'{round(high * 100)}-{"ja" if ja else "en"}-{k}.txt')
                    write(file, leak)
                    truth[file] = path, kind, ja
        print(f'{DOCUMENTS} documents, {len(pictures)} pictures, {len(truth) - len(pictures)} noisy texts of 200 characters')
        with State() as s:
            s.scan(os.path.join(work, 'documents'))
            answers = s.trace([f for f in truth if f.endswith('.txt')], label='noisy texts:')
            for i in range(0, len(pictures), 12):
                answers.update(s.trace(pictures[i:i + 12], label=f'pictures {i} to {min(i + 12, len(pictures))} of {len(pictures)}:'))
        both = Score()
        for file, (path, kind, ja) in truth.items():
            ok, good = right(answers.get(file), path), ahead(answers.get(file), path)
            score.add(kind, ok, '', good)
            both.add(f'{kind}, {"Japanese" if ja else "English"}', ok, f'{os.path.basename(file)} of {os.path.basename(path)}: {told(answers.get(file))}', good)
    ok = score.show(WANTED)
    both.show(None)
    both.examples()
    finish(ok)


if __name__ == '__main__':
    main()
