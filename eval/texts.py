"""Long business documents, English and Japanese, from a seeded word model: sentences of a small grammar whose words are skewed towards the common ones, as in life, so that short phrases recur in many documents
and a longer run is a document's own. No text of others is in here. See eval/README.md."""
from common import rng

NOUN = '''report plan contract price market supplier delivery quarter customer region office budget review order stock factory engine pump valve sensor software licence server network meeting committee board manager
clerk engineer invoice payment discount margin forecast target project schedule deadline test sample batch failure repair warranty complaint answer letter proposal offer tender bid survey audit risk measure result table
figure chapter section annex drawing model prototype patent standard rule law tax insurance bank loan account rate currency wage training course team department branch warehouse truck ship port customs container pallet
package label catalogue brochure campaign website visitor subscription service support ticket update version release defect specification requirement interface database backup archive record policy procedure checklist form
signature approval permit inspection certificate laboratory material steel copper resin glass paper cotton oil gas water power heat pressure temperature voltage current signal cable battery motor gear bearing shaft
housing filter nozzle coating surface thickness weight length tolerance accuracy yield cost saving investment share dividend subsidiary partner agent distributor retailer consumer household hospital school ministry'''.split()
ADJ = '''new old large small annual monthly final early late high low internal external regional domestic foreign joint single double second third common special technical legal financial commercial public private
available necessary possible likely open closed current former future actual average total partial complete rough exact simple complex stable weak strong light heavy cheap expensive fast slow broad narrow formal
temporary permanent preliminary additional remaining previous recent regular separate similar different independent digital manual automatic electric thermal chemical mechanical'''.split()
VERB = '''reached exceeded missed covered changed replaced delayed improved reduced raised lowered confirmed rejected approved signed delivered received returned checked tested measured compared combined divided moved
shortened extended opened closed started stopped ordered cancelled postponed described explained showed listed counted reported planned prepared finished revised corrected completed supported financed insured
exported imported produced assembled repaired inspected packed shipped stored sold bought leased licensed patented protected limited affected caused prevented required allowed'''.split()
PLAN = 'will|should|must|may|cannot|is expected to|was unable to|has agreed to|intends to|failed to'.split('|')
BASE = '''reach exceed cover change replace delay improve reduce raise lower confirm reject approve sign deliver receive return check test measure compare combine divide move shorten extend open close start stop order
cancel postpone describe explain show list count report plan prepare finish revise correct complete support finance insure export import produce assemble repair inspect pack ship store sell buy lease license protect
limit affect cause prevent require allow'''.split()
PREP = 'of|for|in|with|from|under|after|before|between|against|without|during|for the sake of|in view of|by means of|on account of'.split('|')
LINK = '|||||||However, |In addition, |For this reason, |By contrast, |As a result, |In the meantime, |According to the minutes, |As stated above, |In our view, '.split('|')
TIME = 'in March|last week|this year|in the second quarter|since the summer|by the end of the month|on Tuesday|until further notice|at short notice|within ten days|over the holidays|for the third time'.split('|')
SYL = 'ba be bi bo da de di do fa fe ga go ha he hi ka ke ki ko la le li lo lu ma me mi mo na ne ni no pa pe ra re ri ro ru sa se si so ta te ti to tu va ve vi vo xa za zo'.split()

JNOUN = '''営業 計画 契約 価格 市場 仕入 納品 四半期 顧客 地域 予算 審査 注文 在庫 工場 機械 部品 装置 電源 回路 制御 通信 設計 試験 試作 量産 検査 品質 保証 修理 苦情 回答 提案 見積 入札 調査 監査 危険 対策 結果 図面 仕様 規格 特許
法令 税務 保険 銀行 融資 口座 金利 為替 賃金 研修 組織 部門 支店 倉庫 輸送 船便 税関 梱包 表示 広告 販促 会員 保守 更新 改訂 不具合 要件 画面 台帳 保管 記録 規程 手順 点検 書式 署名 承認 許可 認証 研究 材料 鋼材 樹脂 硝子 紙器 繊維
原油 電力 温度 圧力 電圧 信号 配線 電池 軸受 筐体 濾過 塗装 表面 厚み 重量 精度 歩留 費用 削減 投資 株式 配当 子会社 代理店 販売店 消費者 病院 学校 官庁 会議 委員会 取締役 担当者 技術者 資料 報告 統計 指標 目標 実績 予測 需要 供給 採用 人事 経理 総務 広報 物流 開発
生産 製造 購買 財務 法務 知財 環境 安全 衛生 防災 情報 端末 基盤 運用 監視 障害 復旧 移行 連携 分析 評価 選定 比較 検証 導入 展開 縮小 統合 分割 撤退 参入 提携 買収 出資 譲渡'''.split()
JMOD = '新しい|大きな|主要な|重要な|一部の|すべての|当社の|先方の|昨年の|来期の|国内の|海外の|追加の|従来の|次の|前回の|最新の|正式な|暫定の|独自の|共通の|必要な|残りの|複数の|'.split('|')
JVERB = '''上回った 下回った 見直した 変更した 延期した 改善した 削減した 確認した 却下した 承認した 締結した 受領した 返送した 測定した 比較した 移転した 短縮した 延長した 開始した 中止した 説明した 報告した 準備した 修正した 完了した 支援した 輸出した 輸入した 組み立てた 検査した
出荷した 保管した 販売した 購入した 保護した 制限した 防止した 要求した 許可した 見込んでいる 検討している 予定している 進めている 求めている 示している 必要としている 避けるべきである 行わなければならない 決定した 公表した 共有した 集計した 記録した'''.split()
JTIME = '三月に|先週|今年度は|第二四半期に|夏以降|月末までに|火曜日に|当面|急遽|十日以内に|連休中に|三度目に|先月|翌週|年度末に|'.split('|')
JPLACE = '本社で|大阪支店で|第二工場で|名古屋で|現地で|会議の席で|書面で|両社の間で|北海道で|九州地区で|海外拠点で||||'.split('|')
JLINK = '|||||また、|しかし、|このため、|一方、|その結果、|なお、|議事録によれば、|前述のとおり、|当方の見解では、|加えて、'.split('|')
JCONJ = 'ため、|ので、|が、|ことから、|ものの、|うえで、|一方で、'.split('|')
# What stands in everybody's papers.
STOCK = """Please do not hesitate to contact the office if there are any further questions.|The figures are preliminary and have not been audited.|All amounts are net of value added tax unless stated otherwise.|The minutes of the last meeting were approved without changes.
This paper replaces all previous versions.|The table below shows the results of the last three years.|Further details can be found in the annex to this report.|The committee took note of the report and thanked all who had contributed to it.
There were no further comments, and the meeting was closed.|The project is on schedule and within the approved budget.|No decision was taken, and the item was postponed to the next meeting.""".replace('\n', '|').split('|')
JSTOCK = """ご不明な点がございましたら、担当までお問い合わせくださいますようお願い申し上げます。|本資料の数値は速報値であり、監査を受けたものではありません。|金額は特に断りのない限り、すべて消費税抜きで表示しております。|前回の議事録は、修正なく全会一致で承認された。
本書は従来の版に代わるものであり、旧版は破棄してください。|下表は過去三年間の実績をまとめたものである。詳細は添付資料を参照されたい。|詳細については、本報告書に添付した別紙をご参照ください。|その他に特段の意見はなく、以上をもって会議を終了した。
引き続き関係部署と連携し、計画どおり進めてまいります。|結論は得られず、次回の会議で改めて審議することとなった。""".replace('\n', '|').split('|')
KATA = 'アイウエオカキクケコサシスセソタチツテトナニネノハヒフヘホマミムメモラリルレロ'


class Writer:
    """Writes sentences of one document: its own project words, the skewed common words of all."""
    def __init__(self, r, ja):
        self.ja, self.f = ja, r.random
        self.terms = [self.term() for _ in range(6)]

    def pick(self, a):
        return a[int(self.f() * len(a))]

    def skew(self, a):
        return a[int(self.f() ** 1.6 * len(a))]

    def term(self):
        if self.ja:
            return ''.join(self.pick(KATA) for _ in range(3 + int(self.f() * 3))) + ('' if self.f() < .7 else 'ー')
        return ''.join(self.pick(SYL) for _ in range(2 + int(self.f() * 2))).capitalize() + self.pick(['', '', 'n', 'x', 's', 'r'])

    def number(self):
        k = self.f()
        if self.ja:
            return f'{int(self.f() * 900) + 10}万円' if k < .3 else f'{int(self.f() * 99) + 1}件' if k < .6 else f'{self.f() * 40:.1f}％' if k < .8 else f'{1 + int(self.f() * 12)}月{1 + int(self.f() * 28)}日'
        return f'{int(self.f() * 900) + 10},{int(self.f() * 900) + 100}' if k < .3 else str(int(self.f() * 990) + 2) if k < .6 else f'{self.f() * 40:.1f} %' if k < .8 else f'{1 + int(self.f() * 28)} {self.pick(["January", "March", "April", "June", "July", "September", "October"])}'

    def thing(self):
        k = self.f()
        if k < .12:
            return self.pick(self.terms)
        n = self.skew(NOUN)
        if k < .35:
            n = self.skew(NOUN) + ' ' + n
        if k > .55:
            n = self.skew(ADJ) + ' ' + n
        return self.pick(['the ', 'the ', 'the ', 'this ', 'our ', 'each ', 'no ', 'their ']) + n

    def clause(self):
        s = self.thing() + ' ' + (self.skew(VERB) if self.f() < .6 else self.pick(PLAN) + ' ' + self.skew(BASE)) + ' ' + self.thing()
        while self.f() < .45:
            s += ' ' + self.skew(PREP) + ' ' + self.thing()
        if self.f() < .25:
            s += ' by ' + self.number()
        if self.f() < .3:
            s += ' ' + self.pick(TIME)
        return s

    def jthing(self):
        k = self.f()
        if k < .12:
            return self.pick(self.terms)
        n = self.skew(JNOUN)
        if k < .6:
            n += self.skew(JNOUN)
        if k < .2:
            n += 'の' + self.skew(JNOUN)
        return (self.skew(JMOD) if self.f() < .4 else '') + n

    def jclause(self):
        return (self.pick(JTIME) + self.jthing() + self.pick(['は', 'が', 'について', 'では', 'も', 'に対して', 'に関して']) + self.pick(JPLACE) + (self.number() + 'の' if self.f() < .25 else '')
                + self.jthing() + self.pick(['を', 'を', 'を', 'までを', 'との連携を', 'の一部を']) + self.skew(JVERB))

    def sentence(self):
        if self.f() < .012:
            return self.pick(JSTOCK if self.ja else STOCK)
        if self.ja:
            s = self.pick(JLINK) + self.jclause()
            if self.f() < .35:
                s += self.pick(JCONJ) + self.jclause()
            return s + '。'
        s = self.pick(LINK) + self.clause()
        if self.f() < .4:
            s += self.pick([', and ', ', but ', ' because ', ', although ', ', while ', '; ', ' so that ']) + self.clause()
        return s[0].upper() + s[1:] + '.'

    def paragraph(self, sentences=None):
        return ('' if self.ja else ' ').join(self.sentence() for _ in range(sentences or 3 + int(self.f() * 6)))

    def bare(self):
        """A thing without its article, as a head or a label."""
        if self.ja:
            return self.jthing()
        t = self.thing()
        return (t.split(' ', 1)[1] if ' ' in t else t).capitalize()

    def title(self):
        return self.bare() + ('について' if self.ja else ' ' + self.pick(PREP[:6]) + ' ' + self.thing())

    def text(self, chars):
        """Paragraphs with a heading now and then, of at least so many characters."""
        out, n = [self.title()], 0
        while n < chars:
            if self.f() < .12:
                out.append(self.title())
            out.append(self.paragraph())
            n += len(out[-1]) + 1
        return out


def document(seed, i, ja, chars):
    """The paragraphs of document i."""
    return Writer(rng(seed, 'document', i), ja).text(chars)
