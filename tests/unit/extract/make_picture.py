#!/usr/bin/python3
"""Draws pages of text, and pictures without, as a scanner or a camera gives them: make_picture.py KIND [FORMAT].

KIND: a row of `kinds` below; FORMAT: png jpeg tiff gif bmp webp. Bytes go to standard output.
"""
import io
import math
import sys

from PIL import Image, ImageDraw, ImageFilter, ImageFont

ENGLISH = """Quarterly review of the northern depot
The stock of copper wire fell by eleven per cent against the plan
because two deliveries from the harbour arrived after the closing date.
Orders above forty pallets are now confirmed by the regional office
and a written note is kept for each of them until the next audit.
Contact the warehouse clerk before any change of the loading times.
CONFIDENTIAL
Prices in this table must not be shown to carriers or suppliers."""
JAPANESE = """第三四半期の在庫報告書
銅線の在庫は計画に対して十一パーセント減少した。
港からの二回の配送が締切日の後に到着したためである。
四十パレットを超える注文は地域事務所が確認する。
次の監査まで書面による記録を保存すること。
社外秘
この表の価格を運送業者に見せてはならない。"""
GOTHIC = "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf"
SANS = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def page(text, font, dpi=150):
    """A4 at this resolution, 11 points."""
    size = (int(8.27 * dpi), int(11.69 * dpi))
    im = Image.new("L", size, 255)
    f = ImageFont.truetype(font, round(11 * dpi / 72))
    ImageDraw.Draw(im).multiline_text((dpi * 0.9, dpi), text, fill=20, font=f, spacing=dpi * 0.09)
    return im


def scanned(im):
    return im.rotate(2, resample=Image.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.5))


def photographed(im):
    """From the side, under a lamp at the left."""
    w, h = im.size
    im = im.transform((w, h), Image.QUAD, (0, 0, -0.02 * w, 1.03 * h, 1.03 * w, 1.01 * h, 1.02 * w, -0.02 * h), Image.BICUBIC, fillcolor=255)
    lamp = Image.linear_gradient("L").rotate(90).resize((w, h)).point(lambda v: 110 + v * 0.55)
    return Image.composite(im, Image.new("L", (w, h), 0), lamp).filter(ImageFilter.GaussianBlur(0.7))


def scene(k, size=(640, 420)):
    """Waves and discs: something to hash."""
    im = Image.new("RGB", size)
    w, h = size
    for y in range(h):
        for x in range(w):
            v = int(127 + 60 * math.sin(k + x * 7.0 / w) + 60 * math.cos(k * 2 + y * 5.0 / h))
            im.putpixel((x, y), (v, (v * 2 + k * 40) % 256, 255 - v))
    d = ImageDraw.Draw(im)
    for i in range(4):
        x, y = (k * 97 + i * 171) % w, (k * 53 + i * 119) % h
        d.ellipse((x - w / 9, y - h / 9, x + w / 9, y + h / 9), fill=(i * 60, 255 - i * 60, k * 30 % 256))
    return im


kinds = {
    "english": lambda: page(ENGLISH, SANS),
    "english-scan": lambda: scanned(page(ENGLISH, SANS)),
    "english-photo": lambda: photographed(page(ENGLISH, SANS, 200)),
    "english-sideways": lambda: page(ENGLISH, SANS).rotate(90, expand=True),
    "japanese-scan": lambda: scanned(page(JAPANESE, GOTHIC)),
    "japanese-photo": lambda: photographed(page(JAPANESE, GOTHIC, 200)),
    "scene-1": lambda: scene(1),
    "scene-2": lambda: scene(2),
    "scene-small": lambda: scene(1).resize((213, 140), Image.LANCZOS),
    "blank": lambda: Image.new("L", (600, 400), 255),
    "clear": lambda: Image.new("RGBA", (600, 400), (0, 0, 0, 0)),
    "icon": lambda: scene(2, (48, 48)),
}


def main():
    im = kinds[sys.argv[1]]()
    fmt = (sys.argv[2] if len(sys.argv) > 2 else "png").upper()
    out = io.BytesIO()
    options = {"JPEG": {"quality": 40}, "TIFF": {"save_all": True, "append_images": [page("Second sheet of two", SANS)], "compression": "tiff_lzw"}}
    if fmt == "GIF":
        im = im.convert("P")
    im.save(out, fmt, **options.get(fmt, {}))
    sys.stdout.buffer.write(out.getvalue())


main()
