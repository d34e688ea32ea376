"""Office documents, written by hand where Debian has no writer of them (pptx) or the writer is slow (a docx table of thousands of rows). ECMA-376."""
import io, zipfile
from xml.sax.saxutils import escape

TYPES = 'http://schemas.openxmlformats.org/package/2006/content-types'
RELS = 'http://schemas.openxmlformats.org/package/2006/relationships'
DOC = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
W = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main'
A = 'http://schemas.openxmlformats.org/drawingml/2006/main'
P = 'http://schemas.openxmlformats.org/presentationml/2006/main'
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def package(parts):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            z.writestr(zipfile.ZipInfo(name, (2025, 11, 25, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return b.getvalue()


def types(overrides):
    return (XML + f'<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            + ''.join(f'<Override PartName="/{n}" ContentType="application/vnd.openxmlformats-officedocument.{t}+xml"/>' for n, t in overrides) + '</Types>')


def rels(*targets):
    return XML + f'<Relationships xmlns="{RELS}">' + ''.join(f'<Relationship Id="rId{i}" Type="{DOC}/{t}" Target="{n}"/>' for i, (t, n) in enumerate(targets, 1)) + '</Relationships>'


def paragraph(text):
    """A paragraph; line ends in it are line breaks."""
    return '<w:p><w:r>' + '<w:br/>'.join(f'<w:t xml:space="preserve">{escape(x)}</w:t>' for x in text.split('\n')) + '</w:r></w:p>'


def docx(blocks):
    """A docx of paragraphs (str) and tables (list of rows of cells)."""
    body = []
    for b in blocks:
        if isinstance(b, str):
            body.append(paragraph(b))
            continue
        n = max(len(row) for row in b)
        body.append('<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr><w:tblGrid>' + '<w:gridCol w:w="1500"/>' * n + '</w:tblGrid>')
        for row in b:
            body.append('<w:tr>' + ''.join(f'<w:tc><w:tcPr><w:tcW w:w="1500" w:type="dxa"/></w:tcPr>{paragraph(c)}</w:tc>' for c in list(row) + [''] * (n - len(row))) + '</w:tr>')
        body.append('</w:tbl><w:p/>')
    return package({'[Content_Types].xml': types([('word/document.xml', 'wordprocessingml.document.main')]), '_rels/.rels': rels(('officeDocument', 'word/document.xml')),
                    'word/document.xml': XML + f'<w:document xmlns:w="{W}"><w:body>{"".join(body)}<w:sectPr/></w:body></w:document>'})


def core(title='', category='', keywords='', subject=''):
    return (XML + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f'<dc:title>{escape(title)}</dc:title><dc:subject>{escape(subject)}</dc:subject><cp:keywords>{escape(keywords)}</cp:keywords><cp:category>{escape(category)}</cp:category></cp:coreProperties>')


def custom(pairs):
    return (XML + '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
            + ''.join(f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{i}" name="{escape(k)}"><vt:lpwstr>{escape(v)}</vt:lpwstr></property>' for i, (k, v) in enumerate(pairs, 2)) + '</Properties>')


def shape(text, kind=''):
    y = {'title': 274638, 'ftr': 6356350}.get(kind, 1600200)
    ph = f'<p:ph type="{kind}"/>' if kind else ''
    return (f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="{kind or "text"}"/><p:cNvSpPr/><p:nvPr>{ph}</p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x="457200" y="{y}"/><a:ext cx="8229600" cy="1143000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr/>'
            + ''.join(f'<a:p><a:r><a:t>{escape(t)}</a:t></a:r></a:p>' for t in text.split('\n')) + '</p:txBody></p:sp>')


def pptx(slides, properties=None):
    """Slides are lists of (text, kind of placeholder: title, ftr, '' …)."""
    parts = {'[Content_Types].xml': types([('ppt/presentation.xml', 'presentationml.presentation.main')] + [(f'ppt/slides/slide{i}.xml', 'presentationml.slide') for i in range(1, len(slides) + 1)]),
             '_rels/.rels': rels(('officeDocument', 'ppt/presentation.xml')).replace('</Relationships>', '<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>'),
             'docProps/core.xml': core(**(properties or {})),
             'ppt/_rels/presentation.xml.rels': rels(*[('slide', f'slides/slide{i}.xml') for i in range(1, len(slides) + 1)]),
             'ppt/presentation.xml': XML + f'<p:presentation xmlns:p="{P}" xmlns:r="{DOC}"><p:sldIdLst>' + ''.join(f'<p:sldId id="{255 + i}" r:id="rId{i}"/>' for i in range(1, len(slides) + 1)) + '</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/></p:presentation>'}
    for i, s in enumerate(slides, 1):
        parts[f'ppt/slides/slide{i}.xml'] = (XML + f'<p:sld xmlns:p="{P}" xmlns:a="{A}"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
                                             + ''.join(shape(t, k) for t, k in s) + '</p:spTree></p:cSld></p:sld>')
    return package(parts)


def add_parts(data, more):
    """An office document with more parts (no declaration of their types: readers find these by name)."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        parts = {n: z.read(n) for n in z.namelist()}
    parts.update(more)
    return package(parts)
