"""What shoppers ask about prices, and what goes well together.

Words are looked for clause by clause: what asks for a price ("how much is ...", "怎么卖"), unless
the same clause is about something else that has a price or an amount: postage, a refund, a code
that does not work, how long, how heavy. Both languages are always tried, since shoppers mix them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Asked = Literal["price", "discount", "bulk"]
MAX_CHARS = 2000
MAX_ABOUT_CHARS = 80
BULK_FROM = 10

# A pair must have been in so many orders, and so much more often than by chance.
MIN_TOGETHER = 4
MIN_LIFT = 1.2


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """A question about a price: what kind, ``about`` what in the shopper's words, how many.

    ``about`` is empty when the words name nothing ("how much is it?").
    """

    kind: Asked
    about: str = ""
    quantity: int | None = None


def price_question(text: str, locale: str | None = None) -> PriceQuestion | None:
    """The question about a price that a message asks, or None.

    ``locale`` is a hint only: it says which language is tried first.

    >>> price_question("Hi! How much is the walnut desk lamp?")
    PriceQuestion(kind='price', about='walnut desk lamp', quantity=None)
    >>> price_question("这款胡桃木台灯多少钱")
    PriceQuestion(kind='price', about='胡桃木台灯', quantity=None)
    >>> price_question("How much longer until my parcel arrives?") is None
    True
    """
    clauses = _clauses(text)
    order: tuple[Callable[[str], Asked | None], ...] = (_asked_en, _asked_zh)
    if locale is not None and locale.startswith("zh"):
        order = (_asked_zh, _asked_en)
    found: list[tuple[int, Asked]] = []
    for number, clause in enumerate(clauses):
        kinds = (asked(clause) for asked in order)
        kind = next((one for one in kinds if one is not None), None)
        # "Are there customs duties, and how much?"
        of_goods = _plain(clause) or number == 0 or not _no_goods(clauses[number - 1])
        if kind is not None and of_goods:
            found.append((number, kind))
    if not found:
        return None
    strongest: Asked = max((kind for _, kind in found), key=_WEIGHT.__getitem__)
    quantity = _quantity(clauses)
    if quantity is not None and quantity >= BULK_FROM:
        strongest = "bulk"
    return PriceQuestion(strongest, _about(clauses, [number for number, _ in found]), quantity)


def buying_intent(text: str, locale: str | None = None) -> bool:
    """True when a message shows that its writer is about to buy.

    >>> buying_intent("Is the oak stool in stock? I'd like to order two")
    True
    >>> buying_intent("I want to return what I bought")
    False
    """
    if price_question(text, locale) is not None:
        return True
    # Who bought already and has trouble says so in any part of the message.
    clauses = _clauses(text)
    if any(_TROUBLE_EN.search(clause) or _TROUBLE_ZH.search(clause) for clause in clauses):
        return False
    return any(_BUY_EN.search(clause) or _BUY_ZH.search(clause) for clause in clauses)


@dataclass(frozen=True, slots=True)
class Pair:
    """How often two products were in the same order. ``orders`` is the number of all orders."""

    sku: str
    other_sku: str
    together: int
    sku_orders: int
    other_orders: int
    orders: int

    @property
    def lift(self) -> float:
        """How many times as often as if neither had to do with the other; 1 is chance.

        Brin, Motwani, Ullman, Tsur: Dynamic itemset counting (1997), there called interest.
        """
        by_chance = self.sku_orders * self.other_orders
        return self.together * self.orders / by_chance if by_chance else 0.0

    @property
    def confidence(self) -> float:
        """The share of the orders with the first product that also held the other."""
        return self.together / self.sku_orders if self.sku_orders else 0.0


def worth_saying(pair: Pair) -> bool:
    """Whether two products go together often enough, and more often than by chance."""
    return pair.sku != pair.other_sku and pair.together >= MIN_TOGETHER and pair.lift >= MIN_LIFT


def best_pairs(pairs: Sequence[Pair], *, limit: int) -> list[Pair]:
    """The best partners of one product, those with most orders behind them first among equals.

    Ordered by the lower end of what the confidence can be (Wilson, 95 %) over chance, so that four
    orders of four do not beat four hundred of five hundred.
    """
    found = [pair for pair in pairs if worth_saying(pair)]
    return sorted(found, key=lambda pair: (-_sure_lift(pair), pair.other_sku))[:limit]


def _sure_lift(pair: Pair) -> float:
    n, z = pair.sku_orders, 1.96
    share = pair.confidence
    middle = share + z * z / (2 * n)
    spread = z * ((share * (1 - share) + z * z / (4 * n)) / n) ** 0.5
    low: float = (middle - spread) / (1 + z * z / n)
    return low * pair.orders / pair.other_orders


# What a conversation is tagged with while a complaint is open, in either language.
COMPLAINTS = frozenset({"complaint", "complaints", "投诉", "客诉"})


def is_complaint(tag: str) -> bool:
    """True for a tag that says that somebody complains."""
    return tag.strip().casefold() in COMPLAINTS


# Words. Patterns work on casefolded NFKC text with the traditional forms of a few characters
# written the simplified way.

_WEIGHT: dict[Asked, int] = {"price": 0, "discount": 1, "bulk": 2}
_SIMPLE = str.maketrans(
    "錢價優報發訂麼賣塊貴幾買單個運費郵這還嗎點問給團購樣現貨",
    "钱价优报发订么卖块贵几买单个运费邮这还吗点问给团购样现货",
)
_SPLIT = re.compile(
    r"[。！!\n;；,，…~]+|(?<=[?？])|(?<=[a-z])\.(?=\s|$)|\bbut\b|\bbecause\b|但是|不过|因为"
)
_HAN = re.compile("[\u3400-\u9fff]")


def _words(*lines: str) -> re.Pattern[str]:
    return re.compile("|".join(lines))


_HOW_MUCH = _words(
    r"\bhow\s*much\b",
    r"\bhm\b(?=\s*(?:\?|for|is))",
)
# After "how much": an amount of something else, or of what was or will be given back.
_NO_AMOUNT = _words(
    r"\bhow\s*much\s+(?:longer|later|more\s+time|time|notice|space|room|water|weight|liquid|coffee"
    r"|memory|storage|power|battery|light|of|bigger|smaller|larger|heavier|lighter|taller|wider"
    r"|faster|earlier|further|money|stock|stuff|fabric|hassle|i\s+(?:paid|owe|spent|hate|love)"
    r"|was|were|did|have\s+i|has|had|can\s+(?:i|it|we)|should\s+i|do\s+(?:i|we)\s+(?:owe|have\s+left|get"
    r"|earn|need\s+to\s+(?:assemble|wait)))\b",
    r"\b(?:weigh|weighs|hold|holds|shrink|shrinks|stretch|carry|fit\s+in|measure|assembly)\b",
    r"\b(?:thank|thanks|thx)\b.*\bso\s+much\b",
    r"\b(?:left|remaining|remains|balance|account|bill)\b",
    r"\bhow\s*much\s+(?:do|does|am|are)\s+(?:i|we|my)\b(?!\s+(?:have\s+to\s+|need\s+to\s+)?pay\s+for)",
    r"\b(?:very|so|too|as|that|pretty)\s+much\b",
)
# What has a price without being for sale, and money that has changed hands already.
_NO_GOODS = _words(
    r"\b(?:shipping|delivery|deliver|postage|courier|freight|customs|dut(?:y|ies)|tax|taxes|vat"
    r"|returns?|returning|refund(?:s|ed)?|restocking|repairs?|warranty|insurance|fees?|surcharge|deposit)\b",
    r"\b(?:charged|overcharged|charging|charge\s+me|billed|paid|deducted|credited|owe)\b",
    r"\b(?:points|balance|gift\s*card|store\s+credit)\b",
)
_BUT_GOODS = _words(
    r"\b(?:including|includes?|incl\.?|with|plus|without|excluding|before)\s+(?:\w+\s+)?"
    r"(?:shipping|delivery|postage|tax|taxes|vat)\b",
    r"\bfree\s+(?:shipping|delivery)\b.*\b(?:price|discount)\b",
)
_PRICE_WORD = _words(
    r"\bprices?\b(?!\s*(?:tags?|stickers?|labels?|match|adjust|protect|guarantee|drop))",
    r"\b(?:pricing|price\s*list|quote|quotation|rrp|msrp)\b",
    r"\bcosts?\b(?!\s*(?:extra|anything|nothing|more|centre|center))",
)
_ASKS_EN = _words(
    r"\?",
    r"\b(?:what|what's|whats|which|how)\b",
    r"\b(?:can|could|may|would|will|do|does)\s+(?:i|we|you|it|the|this|that|these|they)\b",
    r"\b(?:tell|send|give|share|show|let)\s+(?:me|us)\b",
    r"\b(?:need|want|like|looking\s+for|wondering|know|get|check|confirm|enquire|inquire|ask)\b",
    r"\b(?:pls|plz|please)\b",
)
_NO_PRICE = _words(
    r"\b(?:wrong|incorrect|different|difference|adjust\w*|protection|refund)\b",
    r"\b(?:without|no|hide|remove|leave\s+out|don't|do\s+not)\b.*\bprices?\b",
    r"\b(?:worth|great|good|nice|fair|decent|for)\s+(?:the|that|this)?\s*prices?\b(?!\s*\?)",
    r"\bprices?\s+(?:is|was|are|were|seems?|looks?)\s+(?:right|great|good|ok|okay|fine|fair|high|too"
    r"|a\s+bit|very|so|not|higher|lower|wrong|fixed)\b",
    r"\bprices?\s+(?:went|has|have|dropped|changed|increased|doubled|of\s+gas)\b",
    r"\bwhy\b|\bat\s+(?:all|any)\s+costs?\b|\bno\s+costs?\b|\bcost\s+me\s+a\b|\bpricey\b",
)
_DISCOUNT_WORD = _words(
    r"\bdiscount(?:s|ed)?\b",
    r"\b(?:coupons?|vouchers?|promo(?:s|tion|tions)?)\b",
    r"\b(?:special|any|better|bundle|package|black\s+friday)\s+(?:offers?|deals?)\b",
    r"\b(?:better|best|lower|lowest|cheaper|reduced|student|sale|special|final)\s+price\b",
    r"\bcheaper\b",
    r"\b(?:on|any|next|a|winter|summer|christmas|friday)\s+sales?\b(?!\s+(?:team|rep|person))",
    r"\b\d{1,2}\s?%\s+(?:off|discount)",
    r"\b(?:knock|come\s+down|lower\s+the\s+price|price\s+match|match\s+(?:the|this|that)\s+price)\b",
)
_NO_DISCOUNT = _words(
    r"\b(?:not|isn't|doesn't|didn't|won't|wont|can't|cannot|never|failed|fails|invalid|expired|error)\b",
    r"\b(?:apply|applied|applies|applying|enter|redeem|stack|combine|multiple|more\s+than\s+one|use\s+my"
    r"|forgot|missing|already|how\s+many|promised)\b",
    r"\b(?:unsubscribe|emails?\s+about|newsletter|after[\s-]?sales?|final\s+sale|cheaper\s+(?:than|quality"
    r"|material|looking|made))\b",
    r"\b(?:refund|adjust\w*|difference|protection|policy|guarantee)\b",
)
_BULK_EN = _words(
    r"\bmoq\b",
    r"\bminimum\s+(?:order|quantity|purchase)\b",
    r"\bwholesale\b",
    r"\bbulk\b(?!y)",
    r"\btrade\s+(?:price|discount|account)s?\b",
    r"\bvolume\s+(?:price|pricing|discount)s?\b",
    r"\bif\s+(?:i|we)\s+(?:buy|order|take|purchase|get)\s+(?:\w+\s+)?\d{2,6}\b",
)
_BUY_EN = _words(
    r"\b(?:want|like|love|ready|going|trying|looking)\s+to\s+(?:buy|order|purchase|get)\b",
    r"\b(?:can|could|may)\s+(?:i|we)\s+(?:still\s+)?(?:buy|order|purchase|pre-?order|reserve)\b",
    r"\bhow\s+(?:do|can)\s+(?:i|we)\s+(?:buy|order|purchase|pre-?order)\b",
    r"\b(?:in|back\s+in)\s+stock\b",
    r"\b(?:is|are)\s+(?:this|it|the|these|they)\b.*\bavailable\b",
    r"\bi(?:'ll|\s+will)\s+(?:take|buy|order)\b",
    r"\bdo\s+you\s+(?:still\s+)?(?:have|sell|stock)\b",
)
_TROUBLE_EN = _words(
    r"\b(?:cancel|return|refund|exchange|broken|damaged|faulty|wrong|missing|complain\w*|lost|late)\b",
    r"\b(?:already|my\s+(?:last\s+)?order|ordered|bought|received|arrived|track\w*)\b",
    r"\b(?:phone\s+number|contact|invoice|receipt|manual|record\s+of|my\s+address|help)\b",
)

_PRICE_ZH = _words(
    r"多少钱|多钱|几多钱|多少(?:元|块|米|刀)(?!以|的)|几块钱?|几(?:百|十)块|怎么卖|咋卖|怎么个卖法",
    r"(?:什么|啥|何|多少|几)(?:价|价格|价位|价钱)|(?:价|价格|价位|价钱|单价|售价)(?:是|要|大概|大约)?(?:多少|几何|怎么|咋|什么|呢|吗|如何)",
    r"报(?:个|一下|下|一个)?价(?!单错)|询价|问(?:下|一下|问|个)?(?:\S{0,8})价",
    r"(?:发|给|要|求|看)(?:我|一?[下个份])?(?:\S{0,6})(?:价格表|报价|价目表|价格)",
    r"多少(?:一|1)(?:个|件|套|张|把|台|只|米|盒|双|条|斤|瓶|箱|对|盏|块|本)",
    r"(?:一|1)(?:个|件|套|张|把|台|只|米|盒|双|条|斤|瓶|箱|对|盏|本)(?:是|要)?多少(?:$|[?？])",
    r"^(?:价格|价钱|单价|价|多少米)[?？]?$",
    r"^(?:这|那)(?:个|款|件|把|张|盏|套|双|条)?多少[?？]?$",
)
_NO_PRICE_ZH = _words(
    r"运费|邮费|快递费|配送费|寄费|关税|交税|税费|手续费|安装费|服务费|维修费|保险费|押金|定金|邮资",
    r"退(?:我|款|回|还|给|多少|了|货|换|差)|返(?:还|我)|赔|补(?:我|差|多少|偿|发)|差价|保价|价保",
    r"(?:付|花|扣|收|欠|交|充|转|刷)(?:了|过|我|走|掉)|(?:付|花|收|还|欠)(?:的|了)?多少|还(?:要|得|需)?(?:付|还|交)|余额|积分|额度|利息|零钱|红包里",
    r"满(?:了|够)?多少|多少(?:钱|元|块)(?:才|起|可以|能|以上|就|包邮|免)|包邮|免运",
    r"(?:不管|无论|不论|哪怕)|多少钱(?:都|也)|什么价(?:都|也)",
    r"价格(?:标签|牌|单|标|贴)|(?:不要|别|不用|不能|请勿|不)(?:放|写|显示|附|带|贴)\S{0,4}价",
    r"价(?:格|钱)?(?:不错|合适|实惠|公道|挺|很|太|有点|偏|比|也|都|倒|真|还可以|可以接受|便宜|没问题|无所谓|不对|错)",
    r"(?:值|不值)(?:这|那|个)*(?:价|钱)|性价比|讨价|身价|评价|代价|高价回收|当时|之前买|上次买|买的时候",
    r"(?:为什么|为啥|怎么).{0,8}(?:涨|降|变)|(?:涨|降)价了",
    r"多少(?:天|号|码|公斤|斤重|厘米|升|瓦|人|次|个人|钱的货)|(?:重|长|宽|高|厚|容量)\S{0,3}多少",
)
_DISCOUNT_ZH = _words(
    r"优惠|打(?:个)?(?:几|[一二三四五六七八九]|\d)?\.?\d?折|折扣|几折|便宜(?:点|一点|一些|些|多少|吗|么|不)",
    r"(?:最低|底)(?:价|多少)|最低(?:能|可以)?(?:多少|什么价)|(?:能|可以|可不可以|能不能)(?:再)?少(?:点|一点|些|多少)?",
    r"(?:有|搞|做|什么|啥|参加|没有)(?:\S{0,4})(?:活动|促销|满减)|(?:学生|会员|活动|老客|新人|内部|员工|双十一|618)价",
    r"(?:优惠|代金|抵扣|折扣|满减|现金|新人)券|有(?:没有)?券|有券|券(?:吗|么)",
    r"让(?:点|个)?利|抹(?:个)?零|砍(?:个|点)?价|还(?:个)?价|刀一?下|便宜卖|降(?:点|一点|些|价)(?:吗|么|呗|不|$|[?？])",
    r"(?:能|可以|可不可以|能不能)(?:不能)?按\S{0,6}价",
)
_ASKS_ZH = _words(
    r"[?？]|吗|么|嘛|呢|呗|吧|不$|没$|有没有|能不能|可不可以|可以|能|能否|多少|几|什么|啥|怎么|如何|求|给|想|哪|有$|有(?:优惠|折|券|活动|促销)"
)
_NO_DISCOUNT_ZH = _words(
    r"用不了|不能用|没法用|无法|失效|过期|不生效|没(?:有)?(?:生效|用上|到账|抵扣|享受|减|优惠到)|领不|叠加|同时用|一起用|已(?:经)?(?:使用|过)",
    r"怎么(?:用|使用)|忘(?:了|记)|使用不了|显示|不见了|退(?:款|货|回|差|券)|差价|保价|价保|补",
    r"便宜(?:没好货|货)|(?:很|真|好|挺|最|太|贪|图)便宜(?!.*(?:吗|么|[?？]))|活动(?:结束|规则|范围)|(?:不要|别|取消|退订).*(?:推送|短信|通知)",
    r"(?:说好|答应|承诺)",
)
_COUNTER = "个|件|套|张|把|台|只|箱|盒|条|双|米|份|本|盏|块|瓶|对|卷|包|袋"
_BULK_ZH = _words(
    r"起订量?|起批|最(?:少|低|小)(?:要)?(?:订|拿|买|批)(?:多少|几)|批发(?!商城|部)|团购|大批量|批量(?!发货)|量大|拿货|代理价|出厂价",
    r"(?:买|拿|订)(?:得|的)?多(?!少).{0,6}(?:优惠|便宜|打折|折扣|少)",
    r"moq",
)
_BUY_ZH = _words(
    r"(?:想|要|准备|打算|考虑)(?:再)?(?:买|订|下单|拍|入手|购买|订购|要)(?!回)",
    r"怎么(?:买|下单|拍|购买|订)|(?:在)?哪(?:里|儿)?(?:可以|能)?(?:买|下单)",
    r"有(?:没有)?(?:现)?货|现货|(?:还|能|可以)(?:有|买|拍)(?:得到)?(?:货)?(?:吗|么|嘛|不)|(?:什么时候|几时|啥时候)(?:到货|补货|有货|上架)",
    rf"(?:我|给我)?(?:要|来|拍)(?:\d+|[一二两三四五六七八九十])(?:{_COUNTER})|这就(?:拍|下单|买)",
)
_TROUBLE_ZH = _words(
    r"退|换货|换一|取消|坏|破|裂|少发|漏发|发错|错发|没收到|投诉|差评|赔|补发|维修|售后|发票|客服|转人工|电话",
    r"买了|买的|下单了|拍了|已(?:经)?(?:买|下单|拍|付)|物流|快递|到哪|订单|收货",
)


def _clauses(text: str) -> list[str]:
    """The parts of a message that each say one thing, in the form the patterns want."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS]).casefold().translate(_SIMPLE)
    plain = plain.replace("\u2019", "'")
    return [part for part in (piece.strip() for piece in _SPLIT.split(plain)) if part]


def _asked_en(clause: str) -> Asked | None:
    if _NO_GOODS.search(clause) and not _BUT_GOODS.search(clause):
        return None
    if (
        _BULK_EN.search(clause)
        and not _TROUBLE_EN.search(clause)
        and (_ASKS_EN.search(clause) or len(clause.split()) <= 4)
    ):
        return "bulk"
    if _DISCOUNT_WORD.search(clause):
        short = len(clause.split()) <= 4
        if not _NO_DISCOUNT.search(clause) and (short or _ASKS_EN.search(clause)):
            return "discount"
        return None
    if _HOW_MUCH.search(clause):
        return None if _NO_AMOUNT.search(clause) else "price"
    if _PRICE_WORD.search(clause) and not _NO_PRICE.search(clause):
        return "price" if len(clause.split()) <= 4 or _ASKS_EN.search(clause) else None
    return None


def _asked_zh(clause: str) -> Asked | None:
    if not _HAN.search(clause) and "moq" not in clause:
        return None
    if _DISCOUNT_ZH.search(clause) and _NO_DISCOUNT_ZH.search(clause):
        return None
    if _BULK_ZH.search(clause):
        asks = _ASKS_ZH.search(clause) or _PRICE_ZH.search(clause) or "价" in clause
        return "bulk" if asks and not _NO_PRICE_ZH.search(clause) else None
    if _DISCOUNT_ZH.search(clause):
        return "discount" if _ASKS_ZH.search(clause) and not _NO_GOODS_ZH.search(clause) else None
    if _PRICE_ZH.search(clause) and not _NO_PRICE_ZH.search(clause):
        return "price"
    return None


_NO_GOODS_ZH = _words(r"运费|邮费|快递费|手续费|安装费|退货|退款")


def _no_goods(clause: str) -> bool:
    return bool(_NO_GOODS.search(clause) or _NO_GOODS_ZH.search(clause))


_NUMBER_EN = re.compile(
    r"\b(\d{1,6})\s*(?:pcs|pieces?|units?|sets?|items?|boxes|cartons|of\s+(?:them|these|those|it|this))\b"
    r"|\b(?:for|of|order|buy|take|need|want|purchase|get|x)\s+(\d{2,6})\b(?!\s*(?:days?|hours?|weeks?|%|cm|mm|kg|g|inch|years?|usd|eur|gbp|dollars))"
)
_NUMBER_ZH = re.compile(rf"(\d{{1,6}})\s*(?:{_COUNTER})")


def _quantity(clauses: Sequence[str]) -> int | None:
    for clause in clauses:
        found = _NUMBER_EN.search(clause) or _NUMBER_ZH.search(clause)
        if found is not None:
            number = int(next(group for group in found.groups() if group))
            if number > 1:
                return number
    return None


_FILLER_EN = re.compile(
    r"\b(?:hi|hello|hey|there|good\s+(?:morning|afternoon|evening)|please|pls|plz|thanks?|thx|sorry|excuse|me"
    r"|how\s*much|what(?:'?s|s)?|which|does|do|did|is|are|was|would|will|can|could|may|might|be|have|has|get"
    r"|got|give|tell|send|share|let|know|want|wants|like|likes|need|needs|looking|wondering|ask|asking|check"
    r"|i|i'm|im|i'd|you|your|we|us|our|my|it|its|it's|this|that|these|those|they|them|one|ones|the|a|an|of"
    r"|for|on|in|at|to|with|if|any|some|about|and|or|also|so|just|now|today|current|currently|right|still|per"
    r"|each|piece|pieces|pcs|units?|sets?|price|prices|pricing|priced|cost|costs|costing|quote|quotation|list"
    r"|discount|discounts|discounted|coupon|coupons|voucher|vouchers|promo|promotion|promotions|deal|deals"
    r"|offer|offers|sale|sales|cheaper|better|best|lower|lowest|special|student|black|friday|code|moq|minimum"
    r"|order|orders|ordering|quantity|purchase|buy|buying|wholesale|bulk|trade|off|going|go|come|down|there's|"
    r"when|next|shop|store|website|page|interested|see|seen|saw|hm|make|more|than|both"
    r"|yesterday|take|taking|work|works|love|really|first|two|re|ll|ve|again|soon)\b"
)
_FILLER_ZH = re.compile(
    r"请问一?下?|你好|您好|亲亲?|在吗|在不在|老板|客服|麻烦|谢谢|问一?下|咨询一?下|想问|我想|我要|想要|知道|看看"
    r"|(?:这|那)(?:个|款|件|把|张|盏|套|双|条|种|本|台|只)?|你们?家?|您家?|店(?:里|铺)|现在|今天|昨天|第一次|双十一|双11|会更?|按|目前|最近|到底|大概|大约|一般"
    r"|多少钱?|多钱|几块钱?|怎么卖|咋卖|什么价格?|啥价格?|价格表?|价钱|价位|单价|售价|报个?价|询价|多少|一(?:个|件|套|张|把|台|只|盏|本)"
    r"|优惠券?|打几?折|打折|折扣|几折|便宜(?:一?点|些)?|活动|促销|满减|最低价?|底价|学生价|会员价|能不能|可不可以|可以|能否|有没有|是不是"
    r"|起订量?|起批|批发价?|团购价?|批量|量大|拿货|是|有|能|吗|呢|啊|呀|哦|哈|么|嘛|吧|呗|了|买|卖|要|给|发|我|的话"
    rf"|\d+(?:{_COUNTER})|moq"
)
_EDGES = " \t?？!.:：、\"'“”‘’()（）-—的"


def _about(clauses: Sequence[str], asking: Sequence[int]) -> str:
    """What a question names: the asking clause without its asking words, else its neighbours."""
    near = [clauses[number] for number in asking]
    rest = [clauses[n] for at in asking for n in (at - 1, at + 1) if 0 <= n < len(clauses)]
    for group in (near, rest):
        for clause in group:
            words = _plain(clause)
            if words:
                return words[:MAX_ABOUT_CHARS].strip()
    return ""


def _plain(clause: str) -> str:
    words = _FILLER_ZH.sub(" ", clause) if _HAN.search(clause) else clause
    words = _FILLER_EN.sub(" ", words)
    words = " ".join(part.strip(_EDGES) for part in words.split())
    return " ".join(part for part in words.split() if not part.strip("%").isdecimal() and part)
