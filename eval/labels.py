"""Labels: documents with a marking in one zone, with none, with sentences that only mention one, and with Microsoft labels. See eval/README.md.

    eval/labels.py          DOCUMENTS=700 SEED=20251125
"""
import collections, email.message, email.policy, html, io, os
import numbers_ as N
import office
from common import Work, finish, rng, scan, table, verdict, write

SEED = os.environ.get('SEED', '20251125')
DOCUMENTS = int(os.environ.get('DOCUMENTS', '700'))
WANTED = .97
EITHER = {'internal', 'confidential'}
# How a marking is written -> labels that are right.
MARKINGS = [('CONFIDENTIAL', {'confidential'}), ('Confidential', {'confidential'}), ('COMPANY CONFIDENTIAL', {'confidential'}), ('ＣＯＮＦＩＤＥＮＴＩＡＬ', {'confidential'}), ('秘', {'confidential'}), ('【秘】', {'confidential'}),
            ('INTERNAL USE ONLY', {'internal'}), ('For internal use only', {'internal'}), ('STRICTLY CONFIDENTIAL', {'restricted', 'confidential'}), ('TOP SECRET', {'restricted'}), ('極秘', {'restricted'}), ('【極秘】', {'restricted'}),
            ('社外秘', EITHER), ('【社外秘】', EITHER), ('部外秘', EITHER), ('関係者外秘', EITHER), ('取扱注意', EITHER), ('TLP:RED', {'restricted'}), ('TLP:AMBER', {'confidential'}), ('TLP:GREEN', {'internal'}), ('TLP:CLEAR', {'public'})]
AROUND = ['{}', '{}', '{}', '{} - Northwind Trading', 'Northwind Trading | {}', '{}  2025-11-25'] # in headers and footers
AROUND_JA = ['{}', '{}', '{}', '{}　北野商事株式会社', '{} - 営業部', '北野商事 {}']
TITLES = ['Price list 2026', 'Quarterly forecast', 'Merger options', 'Client migration plan', 'Supplier terms']
TITLES_JA = ['価格表 2026', '四半期見通し', '統合案', '顧客移行計画', '仕入条件']
TEXT = ['The quarter closed above plan in three of four regions.', 'Delivery moves to the second week of March.', 'The committee will meet again after the holidays.', 'Costs of transport rose, those of storage fell.',
        'Both suppliers have answered and the cheaper one was chosen.', 'Training takes place on Tuesdays in the large room.']
TEXT_JA = ['第三四半期は四地域のうち三地域で計画を上回った。', '納品は三月の第二週に移る。', '委員会は休暇明けに再び開かれる。', '輸送費は上がり、保管費は下がった。', '二社から回答があり、安い方を選んだ。', '研修は火曜日に大会議室で行う。']
MENTION = ['Please keep your password confidential and change it twice a year.', 'The word CONFIDENTIAL must be printed on every page of such papers.', 'Files marked "INTERNAL USE ONLY" go into the grey cabinet.', 'We signed a confidentiality agreement with both suppliers.',
           'Nobody may send papers labelled TOP SECRET by ordinary mail.', 'Under the protocol, TLP:RED means that nothing may be passed on.', 'Is this draft confidential, or may the agency see it?', 'Handling of strictly confidential material is taught in the second lesson.',
           'The recipe is no longer secret since the patent was published.', 'Our internal use only policy was replaced in May.']
MENTION_JA = ['社外秘の資料は金庫に入れてください。', '極秘と書かれた封筒は秘書が開封する。', '取扱注意のラベルは倉庫にある。', '部外秘とするかどうかは部長が決める。', '秘密保持契約を両社と結んだ。', '「社外秘」の印は赤で押すこと。', 'この案が極秘かどうかを確認したい。', 'CONFIDENTIALの印がある書類は持ち出せない。']
MENTION_TITLE = ['How to handle confidential papers', 'Confidentiality agreement (template)', 'Training: when is a paper confidential?', 'What TLP:RED means']
MENTION_TITLE_JA = ['秘密保持契約書（ひな形）', '社外秘文書の取り扱い規程', '極秘資料の管理について', '秘書課からのお知らせ']
ZONES = {'docx': ['title', 'header', 'footer', 'watermark', 'property', 'custom property', 'body line', 'ms labelinfo', 'ms custom', 'ms disabled'], 'xlsx': ['title', 'header', 'footer', 'property', 'sheet name', 'body line'],
         'pptx': ['title', 'footer', 'property', 'body line', 'slide title'], 'pdf': ['title', 'header', 'footer', 'watermark', 'property', 'body line'], 'html': ['title', 'header', 'footer', 'property', 'body line'],
         'txt': ['first line', 'last line', 'body line'], 'eml': ['subject', 'body line', 'ms header']}


class Doc:
    def __init__(self, i):
        self.r = r = rng(SEED, 'label', i)
        self.format = list(ZONES)[i % len(ZONES)]
        k = r.random()
        self.kind = 'marking' if k < .6 else 'mention' if k < .9 else 'none'
        self.ja = r.random() < .5
        self.zone = r.choice(ZONES[self.format]) if self.kind == 'marking' else 'sentence' if self.kind == 'mention' else 'none'
        self.title = r.choice(TITLES_JA if self.ja else TITLES)
        self.body = r.sample(TEXT_JA if self.ja else TEXT, r.randint(2, 5))
        self.guid = '-'.join(N.pick(r, '0123456789abcdef', n) for n in (8, 4, 4, 4, 12))
        self.why = '' # what label_why has to hold
        self.header = self.footer = self.watermark = self.category = self.sheet = self.custom = ''
        self.labelinfo = self.mail = ''
        self.mark, self.want = '', set()
        if self.kind == 'mention':
            self.mark = r.choice(MENTION_JA if self.ja else MENTION)
            if r.random() < .2:
                self.mark = self.title = r.choice(MENTION_TITLE_JA if self.ja else MENTION_TITLE)
                self.zone = 'sentence in title'
            self.body.insert(r.randint(0, len(self.body)), self.mark if r.random() < .6 else self.mark + ' ' + r.choice(TEXT_JA if self.ja else TEXT))
        elif self.kind == 'marking':
            self.put()

    def put(self):
        r, zone = self.r, self.zone
        if zone.startswith('ms '):
            self.ms()
            return
        pool = [m for m in MARKINGS if (m[0][0] > '~') == self.ja or self.ja and r.random() < .3] or MARKINGS
        self.mark, self.want = r.choice(pool)
        around = r.choice(AROUND_JA if self.ja else AROUND).format(self.mark) if '秘】' not in self.mark and self.mark != '秘' else self.mark
        if zone in ('title', 'slide title', 'subject'):
            m = self.mark if self.mark != '秘' else '【秘】'
            self.title = r.choice(['{m}: {t}', '{t} ({m})', '{m} {t}', '{t} - {m}'] if m[0] < '~' else ['{m}{t}', '{t}（{m}）', '{m}　{t}'] if m[0] == '【' else ['【{m}】{t}', '{t}（{m}）', '{m}　{t}']).format(m=m, t=self.title)
        elif zone == 'header':
            self.header = around
        elif zone == 'footer':
            self.footer = around if r.random() < .7 else around + '   1 / 3'
        elif zone == 'watermark':
            self.watermark = self.mark
        elif zone == 'property':
            self.category = self.mark
        elif zone == 'custom property':
            self.custom = self.mark
        elif zone == 'sheet name':
            self.sheet = self.mark.replace(':', ' ') if ':' not in self.mark else 'CONFIDENTIAL'
            if ':' in self.mark:
                self.mark, self.want = 'CONFIDENTIAL', {'confidential'}
        else:
            at = {'first line': 0, 'last line': len(self.body)}.get(zone, r.randint(0, len(self.body)))
            self.body.insert(at, self.mark)

    def ms(self):
        r, g = self.r, self.guid
        name = r.choice(['Confidential', 'Internal', 'Highly Confidential'])
        tenant = '-'.join(N.pick(r, '0123456789abcdef', n) for n in (8, 4, 4, 4, 12))
        self.mark, self.why = f'{name} {g}', g
        if self.zone == 'ms labelinfo':
            self.labelinfo = (f'<?xml version="1.0" encoding="utf-8" standalone="yes"?><clbl:labelList xmlns:clbl="http://schemas.microsoft.com/office/2020/mipLabelMetadata"><clbl:label id="{{{g}}}" enabled="1" method="Privileged" '
                              f'siteId="{{{tenant}}}" contentBits="0" removed="0"/></clbl:labelList>')
        elif self.zone == 'ms header':
            self.mail = f'MSIP_Label_{g}_Enabled=True;MSIP_Label_{g}_SiteId={tenant};MSIP_Label_{g}_SetDate=2025-11-25T08:00:00.0000000Z;MSIP_Label_{g}_Name={name};MSIP_Label_{g}_ContentBits=0;MSIP_Label_{g}_Method=Privileged'
        else:
            on = self.zone == 'ms custom'
            self.ms_custom = [(f'MSIP_Label_{g}_Enabled', 'true' if on else 'false'), (f'MSIP_Label_{g}_SetDate', '2025-11-25T08:00:00Z'), (f'MSIP_Label_{g}_Method', 'Privileged'), (f'MSIP_Label_{g}_Name', name),
                              (f'MSIP_Label_{g}_SiteId', tenant), (f'MSIP_Label_{g}_ContentBits', '0')]
            if not on:
                self.why = ''

    def data(self):
        return getattr(self, self.format)()

    def docx(self):
        import docx
        d = docx.Document()
        d.core_properties.title = self.title
        d.core_properties.category = self.category if self.r.random() < .5 or not self.category else ''
        if self.category and not d.core_properties.category:
            d.core_properties.keywords = self.category
        section = d.sections[0]
        if self.header:
            section.header.paragraphs[0].text = self.header
        if self.footer:
            section.footer.paragraphs[0].text = self.footer
        if self.watermark: # as Word writes one: a shape with a text path in the header
            from docx.oxml import parse_xml
            section.header.paragraphs[0]._p.append(parse_xml(
                f'<w:r xmlns:w="{office.W}" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"><w:pict><v:shape id="PowerPlusWaterMarkObject1" o:spid="_x0000_s2049" type="#_x0000_t136" '
                f'style="position:absolute;width:468pt;height:117pt;rotation:315"><v:textpath style="font-family:&quot;Calibri&quot;;font-size:1pt" string="{html.escape(self.watermark)}"/></v:shape></w:pict></w:r>'))
        d.add_heading(self.title, 1)
        for p in self.body:
            d.add_paragraph(p)
        b = io.BytesIO()
        d.save(b)
        more = {}
        pairs = ([('Classification', self.custom)] if self.custom else []) + getattr(self, 'ms_custom', [])
        if pairs:
            more['docProps/custom.xml'] = office.custom(pairs)
        if self.labelinfo:
            more['docMetadata/LabelInfo.xml'] = self.labelinfo
        return self.linked(b.getvalue(), more) if more else b.getvalue()

    @staticmethod
    def linked(data, more):
        """With the parts named in the package's own relationships and types, as a word processor does."""
        import zipfile
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            rels, types = z.read('_rels/.rels').decode(), z.read('[Content_Types].xml').decode()
        kinds = {'docProps/custom.xml': ('http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties', 'application/vnd.openxmlformats-officedocument.custom-properties+xml'),
                 'docMetadata/LabelInfo.xml': ('http://schemas.microsoft.com/office/2020/02/relationships/classificationlabels', 'application/vnd.ms-office.classificationlabels+xml')}
        for i, name in enumerate(more):
            rel, kind = kinds[name]
            rels = rels.replace('</Relationships>', f'<Relationship Id="rIdX{i}" Type="{rel}" Target="{name}"/></Relationships>')
            types = types.replace('</Types>', f'<Override PartName="/{name}" ContentType="{kind}"/></Types>')
        return office.add_parts(data, {**more, '_rels/.rels': rels, '[Content_Types].xml': types})

    def xlsx(self):
        import openpyxl
        book = openpyxl.Workbook()
        book.properties.title, book.properties.category = self.title, self.category or None
        s = book.active
        s.title = self.sheet or ('売上' if self.ja else 'sales')
        s.append([self.title])
        for p in self.body:
            s.append([p] if self.zone == 'body line' or self.kind != 'marking' else [p, self.r.randint(1, 999)])
        if self.header:
            s.oddHeader.center.text = self.header
        if self.footer:
            s.oddFooter.left.text = self.footer
        b = io.BytesIO()
        book.save(b)
        return b.getvalue()

    def pptx(self):
        shown = self.title if self.zone != 'title' else self.r.choice(TITLES)
        slides = [[(shown, 'title'), ('\n'.join(self.body), 'body')] + ([(self.footer, 'ftr')] if self.footer else []) for _ in range(2)]
        if self.zone in ('body line', 'sentence', 'sentence in title'):
            slides[1] = [(self.r.choice(TITLES), 'title'), (self.r.choice(TEXT), 'body')]
        return office.pptx(slides, dict(title=self.title if self.zone != 'slide title' else '', category=self.category))

    def pdf(self):
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen import canvas
        pdfmetrics.registerFont(TTFont('IPAGothic', '/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf'))
        b = io.BytesIO()
        c = canvas.Canvas(b, pagesize=(595, 842))
        c.setTitle(self.title)
        if self.category:
            c.setKeywords(self.category)
        for page in range(3): # a running header shows as one when it runs
            c.setFont('IPAGothic', 9)
            if self.header:
                c.drawString(60, 810, self.header)
            if self.footer:
                c.drawCentredString(297, 30, self.footer)
            if self.watermark:
                c.saveState()
                c.translate(297, 421)
                c.rotate(45)
                c.setFillGray(.85)
                c.setFont('IPAGothic', 60 if len(self.watermark) < 13 else 36)
                c.drawCentredString(0, 0, self.watermark)
                c.restoreState()
            if page == 0:
                c.setFont('IPAGothic', 16)
                c.drawString(60, 760, self.title)
            c.setFont('IPAGothic', 11)
            lines = self.body if page == 0 else self.r.sample(TEXT_JA if self.ja else TEXT, 4)
            for k, p in enumerate(lines):
                c.drawString(60, 720 - 34 * k, p)
            c.showPage()
        c.save()
        return b.getvalue()

    def html(self):
        e = html.escape
        meta = f'<meta name="classification" content="{e(self.category)}">' if self.category else ''
        head = f'<header><p>{e(self.header)}</p></header>' if self.header else ''
        foot = f'<footer><p>{e(self.footer)}</p></footer>' if self.footer else ''
        return (f'<!DOCTYPE html><html lang="{"ja" if self.ja else "en"}"><head><meta charset="utf-8"><title>{e(self.title)}</title>{meta}</head><body>{head}<h1>{e(self.title)}</h1>'
                + ''.join(f'<p>{e(p)}</p>\n' for p in self.body) + f'{foot}</body></html>').encode()

    def txt(self):
        data = '\n\n'.join(([] if self.zone == 'first line' else [self.title]) + self.body) + '\n'
        return data.encode('cp932', 'replace') if self.ja and self.r.random() < .3 else data.encode()

    def eml(self):
        m = email.message.EmailMessage(policy=email.policy.SMTP)
        m['From'], m['To'], m['Date'] = 'sales@northwind.example', 'office@kitano.example', 'Tue, 25 Nov 2025 09:00:00 +0900'
        m['Subject'] = self.title
        if self.mail:
            m['msip_labels'] = self.mail
        m.set_content('\n\n'.join(self.body) + '\n')
        return m.as_bytes()


def main():
    with Work() as top:
        docs = {}
        for i in range(DOCUMENTS):
            d = Doc(i)
            name = f'{i:03d}.{d.format}'
            write(os.path.join(top, name), d.data())
            docs[name] = d
        got = {os.path.basename(p): x for p, x in scan(top).items()}
    cells, wrong = collections.defaultdict(lambda: [0, 0]), []
    for name, d in docs.items():
        x = got.get(name)
        label, why = (x or {}).get('label') or '', (x or {}).get('label_why') or ''
        why = why if isinstance(why, str) else ' '.join(map(str, why))
        ok = x is not None and (label in d.want if d.want else not label) and d.why.lower() in why.lower()
        cells[d.format, d.zone][0] += 1
        cells[d.format, d.zone][1] += ok
        if not ok:
            wrong.append((name, d, label, why, x))
    table(('format', 'zone', 'documents', 'right'), [(f, z, n, r) for (f, z), (n, r) in sorted(cells.items())])
    right = len(docs) - len(wrong)
    ok = right >= WANTED * len(docs)
    print(f'\n{len(docs)} documents, {right} right ({right / len(docs):.3f}): {verdict(ok)} (≥ {WANTED})\n')
    for name, d, label, why, x in wrong[:80]:
        print(f'- {name} {d.zone}: {d.mark!r}: said {label or "no label"}{f" ({why})" if why else ""}{" " + x["error"] if x and x.get("error") else ""}, wanted {" or ".join(sorted(d.want)) or "none" + (" and why" if d.why else "")}')
    finish(ok)


if __name__ == '__main__':
    main()
