#!/usr/bin/python3
"""Writes PDF documents object by object, with the standard library alone: make_pdf.py KIND. Bytes go to standard output."""
import io
import math
import sys
import zlib


class Pdf:
    """Objects in order; the first is the catalog."""

    def __init__(self):
        self.objects = []

    def add(self, body):
        self.objects.append(body if isinstance(body, bytes) else body.encode("latin-1"))
        return len(self.objects)

    def stream(self, dictionary, data):
        return self.add(b"<< %s /Length %d >>\nstream\n" % (dictionary.encode("latin-1"), len(data)) + data + b"\nendstream")

    def bytes(self, trailer=""):
        out, at = b"%PDF-1.7\n", []
        for i, o in enumerate(self.objects):
            at.append(len(out))
            out += b"%d 0 obj\n" % (i + 1) + o + b"\nendobj\n"
        xref = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(at) + 1) + b"".join(b"%010d 00000 n \n" % a for a in at)
        return out + (f"trailer << /Size {len(at) + 1} /Root 1 0 R {trailer}>>\nstartxref\n{xref}\n%%EOF\n").encode()


def text(x, y, s, size=11, matrix="1 0 0 1", font="F1"):
    s = s if s.startswith("<") else f"({s})"
    return f"BT /{font} {size} Tf {matrix} {x} {y} Tm {s} Tj ET\n"


def document(pages, catalog="", trailer="", more=(), fonts="/F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", resources=""):
    """more: objects (dictionary, stream or None) that take the numbers from 3 + 2 * len(pages) on."""
    p = Pdf()
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(len(pages)))
    p.add(f"<< /Type /Catalog /Pages 2 0 R {catalog}>>")
    p.add(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    for i, c in enumerate(pages):
        p.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * i} 0 R /Resources << /Font << {fonts} >> {resources} >> >>")
        p.stream("", c.encode("latin-1"))
    for dictionary, data in more:
        if data is None:
            p.add(dictionary)
        else:
            p.stream(dictionary, data)
    return p.bytes(trailer)


def paragraph(n, word, top=700):
    return "".join(text(72, top - 16 * i, f"Line {i} of page {n} tells of {word} and of little else in particular.") for i in range(10))


def japanese():
    """A font that is not embedded and a CMap of Adobe's: without poppler-data there is no text."""
    fonts = ("/F1 << /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /90ms-RKSJ-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 "
             "/BaseFont /Ryumin-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /DW 1000 >>] >>")
    lines = ["社外秘", "四半期の在庫報告書", "銅線の在庫は計画に対して減少した。"]
    return document(["".join(text(72, 760 - 90 * i, "<" + s.encode("cp932").hex() + ">", 12) for i, s in enumerate(lines))], fonts=fonts)


def headers():
    return document([text(72, 806, "Northern depot: internal use only") + paragraph(n, "copper") + paragraph(n + 10, "wire", 400) + text(280, 30, f"Page {n} of 4")
                     for n in (1, 2, 3, 4)])


def watermark():
    mark = text(150, 250, "CONFIDENTIAL", 64, "0.707 0.707 -0.707 0.707")
    return document([text(72, 806, "Depot") + paragraph(n, "copper") + mark for n in (1, 2)])


def watermarks():
    """A page each: a single letter last in its scrap, a scrap that begins with a colon, thin letters, two scraps on one line of pdftotext's."""
    marks = (("INTERNAL USE ONLY", 45, 36), ("TLP:AMBER", 45, 60), ("CONFIDENTIAL", 30, 60), ("TOP SECRET", 60, 60), ("Confidential", 30, 36),
             ("PRIVATE", -45, 60))
    pages = []
    for i, (mark, degrees, size) in enumerate(marks):
        c, s, half = math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), .3 * size * len(mark)
        pages.append(text(72, 806, "Depot") + paragraph(i + 1, "copper")
                     + text(round(297 - half * c), round(421 - half * s), mark, size, f"{c:.4f} {s:.4f} {-s:.4f} {c:.4f}")
                     + "".join(text(72, 200 - 30 * k, "So it is.") for k in range(3)))
    return document(pages)


def watermark_pair():
    """Two letters across the page."""
    fonts = ("/F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> /F2 << /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /90ms-RKSJ-H "
             "/DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Ryumin-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) "
             "/Supplement 2 >> /DW 1000 >>] >>")
    mark = text(255, 379, "<" + "極秘".encode("cp932").hex() + ">", 60, "0.707 0.707 -0.707 0.707", "F2")
    return document([paragraph(1, "copper") + mark], fonts=fonts)


def table(rows=40):
    page = text(72, 806, "Clients of the northern depot")
    cells = [("Name", "E-mail", "Telephone")] + [(f"Client {i} Ltd", f"client{i}@example.com", f"+81 3-5555-{i:04d}") for i in range(1, rows)]
    for i, row in enumerate(cells):
        page += "".join(text(x, 770 - 18 * i, s) for x, s in zip((72, 220, 420), row))
    return document([page])


XMP = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>
<rdf:Description pdfx:MSIP_Label_11111111-2222-3333-4444-555555555555_Enabled='true'>
<pdfx:MSIP_Label_11111111-2222-3333-4444-555555555555_Name>Secret</pdfx:MSIP_Label_11111111-2222-3333-4444-555555555555_Name>
<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def properties(packed=False):
    info = ("<< /Title <FEFF793E591679D8> /Author (clerk \\(depot\\)) /Keywords (a/b, \\143) /Project#20Code (7/G) "
            "/MSIP_Label_AAAAAAAA-2222-3333-4444-555555555555_Enabled (false) /MSIP_Label_AAAAAAAA-2222-3333-4444-555555555555_Name (Open) >>")
    if not packed:
        return document([paragraph(1, "copper")], "/Metadata 6 0 R ", "/Info 5 0 R ", [(info, None), ("/Type /Metadata /Subtype /XML", XMP)])
    head = b"9 0 "
    return document([paragraph(1, "copper")], "/Metadata 6 0 R ", "/Info 9 0 R ", [
        ("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", zlib.compress(head + info.encode())),
        ("/Type /Metadata /Subtype /XML /Filter /FlateDecode", zlib.compress(XMP))])


def attachment():
    return document([paragraph(1, "copper")], "/Names << /EmbeddedFiles << /Names [(x) 5 0 R] >> >> ", "", [
        ("<< /Type /Filespec /F (list.txt) /UF <FEFF540D7C3F002E007400780074> /EF << /F 6 0 R >> >>", None),
        ("/Type /EmbeddedFile /Filter /FlateDecode", zlib.compress(b"words of the list\n"))])


def bomb():
    """An attachment and object streams of 300 MiB each."""
    zeros = zlib.compressobj(9)
    data = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(300)) + zeros.flush()
    return document([paragraph(1, "copper")], "", "/Info 900 0 R ", [
        ("<< /Type /Filespec /F (zeros) /EF << /F 6 0 R >> >>", None), ("/Type /EmbeddedFile /Filter /FlateDecode", data),
        ("/Type /ObjStm /N 99999999 /First 8 /Filter /FlateDecode", data), ("/Type /ObjStm /N 99999999 /First 8 /Filter /FlateDecode", data)])


def many_pages():
    """A million pages that are all the same one."""
    p = Pdf()
    p.add("<< /Type /Catalog /Pages 2 0 R >>")
    p.add("<< /Type /Pages /Kids [" + "3 0 R " * 1000 + "] /Count 1000000 >>")
    p.add("<< /Type /Pages /Parent 2 0 R /Kids [" + "4 0 R " * 1000 + "] /Count 1000 >>")
    p.add("<< /Type /Page /Parent 3 0 R /MediaBox [0 0 595 842] >>")
    return p.bytes()


def page_loop():
    p = Pdf()
    p.add("<< /Type /Catalog /Pages 2 0 R >>")
    p.add("<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>")
    return p.bytes()


def scan(kind="english-scan", pages=1):
    """A picture, shown on each page, and not a letter."""
    import subprocess
    from PIL import Image
    here = __file__.rsplit("/", 1)[0]
    jpeg = subprocess.run([sys.executable, here + "/make_picture.py", kind, "jpeg"], check=True, stdout=subprocess.PIPE).stdout
    w, h = Image.open(io.BytesIO(jpeg)).size
    return document(["q 595 0 0 842 0 0 cm /Im Do Q\n"] * pages, resources=f"/XObject << /Im {3 + 2 * pages} 0 R >>", more=[
        (f"/Type /XObject /Subtype /Image /Width {w} /Height {h} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode", jpeg)])


kinds = {
    "headers": headers, "watermark": watermark, "watermarks": watermarks, "watermark-pair": watermark_pair,
    "table": table, "japanese": japanese, "properties": properties, "packed": lambda: properties(True),
    "attachment": attachment, "bomb": bomb, "many-pages": many_pages, "page-loop": page_loop, "scan": scan, "scan-japanese": lambda: scan("japanese-scan"),
    "scan-shared": lambda: scan(pages=2),
}
if __name__ == "__main__":
    sys.stdout.buffer.write(kinds[sys.argv[1]]())
