"""What shoppers of the demo shop ask and what its agents answer, as texts with slots.

Slots: {product}, {price}, {order}, {city}, {day}, {coupon}, {courier}, {name} (the agent),
{fact_q} and {fact_a} (a question about the product and its answer).
"""

# ruff: noqa: E501  (a sentence for people stays on one line)

from dataclasses import dataclass

from server.demo.words import Locale

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One matter, in one language: how it opens, what is answered, what may follow.

    `follows` are pairs of a shopper's further questions and the agent's answers, in the order in
    which they make sense. `mood` moves the rating: -1 annoyed, 0 neutral, 1 pleased.
    """

    topic: str
    team: str
    locale: Locale
    weight: int
    opens: Texts
    answers: Texts
    follows: tuple[tuple[Texts, Texts], ...]
    notes: Texts = ()
    mood: int = 0


SCENES: tuple[Scene, ...] = (
    Scene(
        "product", "before", "en", 24,
        (
            "Hi, {fact_q}",
            "Hello! One question before I buy: {fact_q}",
            "Quick question: {fact_q}",
            "Hey, {fact_q}",
        ),
        ("{fact_a}", "Good question. {fact_a}", "Hello! {fact_a}", "Hi, {name} here. {fact_a}"),
        (
            (
                ("Good to know. Is it in stock?", "Nice. Can you ship it this week?", "And how fast could I have it?"),
                (
                    "It’s in the warehouse; ordered before 16:00 it leaves today.",
                    "Yes, we have it here. To {city} it takes two to three days.",
                    "In stock. You’d have it by {day}.",
                ),
            ),
            (
                ("Does it come with a warranty?", "What if I don’t like it?", "How do returns work?"),
                (
                    "Two years on everything that isn’t wear. And 30 days to send it back, we pay the way.",
                    "Send it back within 30 days and we refund it, postage included.",
                    "You open a return in your account, print the label and drop it off. Refund in 3 days.",
                ),
            ),
        ),
        mood=1,
    ),
    Scene(
        "product", "before", "zh", 40,
        (
            "你好，{fact_q}",
            "想咨询一下，{fact_q}",
            "亲，{fact_q}",
            "请问{fact_q}",
            "看中了一款，{fact_q}",
        ),
        ("{fact_a}", "您好，{fact_a}", "您好，我是{name}。{fact_a}", "可以为您解答：{fact_a}"),
        (
            (
                ("好的，现在有现货吗", "那今天下单什么时候发货？", "寄到{city}大概几天？"),
                (
                    "有现货的，16 点前付款当天发出。",
                    "今天下单今天就发，{city}一般两到三天到。",
                    "现货，预计{day}送到您手上。",
                ),
            ),
            (
                ("不喜欢可以退吗", "有质保吗？", "退货运费谁出"),
                (
                    "30 天内都可以退，运费我们承担。",
                    "非人为损坏质保两年，坏了直接换新。",
                    "放心拍，我们送运费险，退货不用您出钱。",
                ),
            ),
        ),
        mood=1,
    ),
    Scene(
        "delivery", "before", "en", 9,
        (
            "How long does delivery to {city} take?",
            "Do you deliver to {city}? And what does it cost?",
            "If I order tonight, will it be here by {day}?",
            "Is express shipping possible? It’s a birthday present.",
        ),
        (
            "To {city} it’s two to three working days, free from ¥199.",
            "Ordered before 16:00 it leaves the same day, so {day} is realistic.",
            "Express is ¥25 and arrives the next day before noon.",
        ),
        (
            (
                ("Can the courier leave it with a neighbour?", "Could you deliver on Saturday?"),
                (
                    "Yes, write the neighbour’s name in the note field at checkout.",
                    "Saturdays are fine, the courier sends you a time window in the morning.",
                ),
            ),
            (
                ("Is the packaging free of plastic?", "Can you add a card with a few words?"),
                (
                    "Paper and corn starch only, for a year now.",
                    "Gladly, tell me the text and I’ll put it on the order.",
                ),
            ),
        ),
    ),
    Scene(
        "delivery", "before", "zh", 14,
        (
            "发{city}要几天？",
            "今晚下单{day}能到吗，送人的",
            "包邮吗？寄到{city}",
            "可以发顺丰吗，比较急",
        ),
        (
            "到{city}一般两到三天，满 199 元包邮。",
            "16 点前付款当天发出，{day}可以到的。",
            "可以发顺丰，补 12 元差价，次日达。",
        ),
        (
            (
                ("可以指定周末送吗", "能放快递柜吗？"),
                ("可以，下单时备注周末派送就行。", "可以的，备注一下柜子位置，我也跟快递员说一声。"),
            ),
            (
                ("能帮忙写张贺卡吗", "可以不放价格单吗，送朋友的"),
                ("没问题，把想写的话发我，手写一张放进去。", "好的，给您备注礼品单，不放任何价格信息。"),
            ),
        ),
    ),
    Scene(
        "parcel", "after", "en", 13,
        (
            "Where is my order {order}? The tracking hasn’t moved since {day}.",
            "Hi, order {order} should have arrived by now.",
            "My parcel {order} seems to be stuck. Can you check?",
            "Any news about {order}?",
        ),
        (
            "Let me look. It’s at the hub near {city} and goes out for delivery tomorrow.",
            "I see it: {courier} scanned it this morning, delivery is planned for {day}.",
            "I’m sorry about the wait. I’ve asked {courier} to look for it and will write to you today.",
        ),
        (
            (
                ("Why did nobody tell me?", "Could you give me the courier’s number?"),
                (
                    "You’re right, the notice should have gone out. I’ve reported it.",
                    "Of course: {courier}, and your tracking number is in the mail we sent.",
                ),
            ),
            (
                ("I won’t be home on {day}, can it wait?", "Can it go to my office instead?"),
                (
                    "I’ve asked them to hold it until the day after.",
                    "Yes, send me the address and I’ll redirect it.",
                ),
            ),
        ),
        ("Asked {courier} for a search on {order}, call back tomorrow morning.", "{order}: second delay this month, offer free shipping next time."),
        mood=-1,
    ),
    Scene(
        "parcel", "after", "zh", 22,
        (
            "我的订单 {order} 到哪了",
            "{order} 物流三天没更新了，帮忙看下",
            "快递怎么还没到？订单 {order}",
            "物流显示{day}到的，现在还没收到",
            "帮我催一下快递，{order}",
        ),
        (
            "您稍等，我查一下……现在在{city}分拨中心，明天安排派送。",
            "查到了，{courier}今天早上有扫描，预计{day}送到。",
            "非常抱歉让您久等，已经联系{courier}加急，今天给您回复。",
        ),
        (
            (
                ("那我{day}不在家怎么办", "可以改送到公司吗"),
                ("我让快递改约第二天，您放心。", "可以，把地址发我，马上帮您转寄。"),
            ),
            (
                ("为什么没人通知我", "每次都这么慢吗？"),
                ("是我们疏忽了，通知没发出去，已经反馈处理。", "这条线路最近爆仓，实在抱歉，给您补一张包邮券。"),
            ),
        ),
        ("{order} 已联系{courier}加急，明早回访。", "该客户本月第二次延误，可补包邮券。"),
        mood=-1,
    ),
    Scene(
        "not_received", "after", "en", 4,
        (
            "Parcel says delivered, nothing here. Order {order}",
            "The tracking of {order} says “delivered”, but I have no parcel.",
        ),
        (
            "I’m sorry. I’ve opened a search with {courier}; if it isn’t found in two days we send a new one.",
            "Let me check the proof of delivery… it was signed by a neighbour. Could you ask next door?",
        ),
        (
            (
                ("Found it, it was behind the bins!", "Nobody here knows anything."),
                (
                    "Glad it turned up! I’ve asked the courier not to hide parcels there.",
                    "Then a new one goes out today, free of charge.",
                ),
            ),
        ),
        ("Lost parcel {order}: resend approved by Wang Min.",),
        mood=-1,
    ),
    Scene(
        "not_received", "after", "zh", 6,
        (
            "显示已签收，但我没收到！{order}",
            "物流写着代收点签收，我问了没有啊",
        ),
        (
            "您别着急，我马上联系{courier}核实，两天内找不到就给您补发。",
            "查到签收照片了，放在门卫室，您方便去看一眼吗？",
        ),
        (
            (
                ("找到了，在物业那里", "门卫说没有"),
                ("找到就好，已经让快递员下次先打电话。", "那我直接给您安排补发，今天发出。"),
            ),
        ),
        ("{order} 丢件，已申请补发，王敏已批。",),
        mood=-1,
    ),
    Scene(
        "return", "after", "en", 10,
        (
            "I’d like to return the {product} from order {order}.",
            "How do I send something back? It doesn’t suit the room.",
            "Can I exchange the {product} for another colour?",
            "The {product} is larger than I thought. Can it go back?",
        ),
        (
            "Of course. I’ve sent the label to your e-mail; drop it at any {courier} shop.",
            "No problem, 30 days from delivery. Shall I send you a label or book a pick-up?",
            "An exchange is quickest as a return plus a new order; I’ll keep the price for you.",
        ),
        (
            (
                ("A pick-up would be great.", "Do I need the original box?"),
                (
                    "Booked for {day} between 9 and 12.",
                    "Any sturdy box will do.",
                ),
            ),
            (
                ("When will I get the money back?", "Is the refund in full?"),
                (
                    "Three working days after it’s here, to the card you paid with.",
                    "In full, with the postage.",
                ),
            ),
        ),
    ),
    Scene(
        "return", "after", "zh", 15,
        (
            "{product}想退货，怎么操作",
            "尺寸买错了可以换吗？订单 {order}",
            "收到了，颜色和想的不一样，能退吗",
            "七天无理由怎么退",
        ),
        (
            "可以的，30 天内都能退。给您发了上门取件，快递员会联系您。",
            "可以换，您在订单里点「申请换货」，我这边秒批。",
            "没关系，支持退的，运费我们出。需要帮您预约取件吗？",
        ),
        (
            (
                ("好，约{day}上午取", "包装盒扔了可以吗"),
                ("已约{day}上午 9–12 点，取件码稍后短信发您。", "没关系，用结实的纸箱装好就行。"),
            ),
            (
                ("退款多久到账？", "优惠券会退回来吗"),
                ("仓库签收后 3 个工作日原路退回。", "会的，没过期的券自动退回账户。"),
            ),
        ),
    ),
    Scene(
        "refund", "after", "en", 5,
        (
            "You received my return a week ago, where is the refund for {order}?",
            "Has my refund for {order} been sent?",
        ),
        (
            "I see it arrived on {day}. I’ve released the refund now; the bank needs up to 3 days.",
            "It went out this morning, {price} to your card.",
        ),
        (
            (
                ("Can I have a confirmation by e-mail?",),
                ("It’s on its way to your inbox.",),
            ),
        ),
        ("Refund {order} released by hand: warehouse had not booked the return.",),
        mood=-1,
    ),
    Scene(
        "refund", "after", "zh", 7,
        ("退货一周了，退款怎么还没到 {order}", "帮我查下 {order} 的退款进度"),
        (
            "查到仓库{day}已签收，我现在帮您加急退款，1–3 天到账。",
            "今天上午已经退出，{price} 原路返回，请留意银行通知。",
        ),
        ((("能给我个凭证吗",), ("退款凭证已发到您的邮箱。",)),),
        ("{order} 仓库漏登记，已手动放款。",),
        mood=-1,
    ),
    Scene(
        "invoice", "after", "en", 4,
        (
            "I need an invoice with my company’s name for {order}.",
            "Can the invoice for {order} be changed? The VAT number is missing.",
        ),
        (
            "Sure. Send me the name and tax number, and it’s in your inbox in ten minutes.",
            "Yes, I can reissue it. What should it say?",
        ),
        (
            (
                ("It’s Alder Studio Ltd, the number is on the order note.", "Please put “office furniture” on it."),
                ("Done, the new invoice has just been sent.", "Noted and reissued as you wrote it."),
            ),
        ),
    ),
    Scene(
        "invoice", "after", "zh", 11,
        (
            "发票抬头能改吗？已经付款了 {order}",
            "怎么开发票，公司抬头",
            "可以开专票吗",
            "{order} 的电子发票发我一下",
        ),
        (
            "可以改，把新抬头和税号发我就行。",
            "专票可以开，请提供公司名称、税号、开户行和账号。",
            "电子发票马上发到您的邮箱，请查收。",
        ),
        (
            (
                ("发您了，麻烦快一点", "明细能写办公用品吗"),
                ("收到，十分钟内开好。", "明细需要和商品一致，可以写「家居用品」。"),
            ),
        ),
    ),
    Scene(
        "price", "before", "en", 7,
        (
            "It was cheaper yesterday, could I still have that price?",
            "Is there a code for a first order?",
            "I bought the {product} on Monday and now it’s on sale. Can you refund the difference?",
            "Any discount if I take two?",
        ),
        (
            "Of course. Here is a code for ¥30 off, valid 48 hours: {coupon}",
            "We match our own price for 15 days; I’ve refunded the difference.",
            "For two I can give you 8 % off: {coupon}",
        ),
        (
            (
                ("Does it work with the sale price?", "Where do I enter it?"),
                (
                    "Yes, it goes on top.",
                    "In the cart, under the total.",
                ),
            ),
        ),
        mood=1,
    ),
    Scene(
        "price", "before", "zh", 16,
        (
            "昨天看还是便宜 30，能按昨天的价格吗",
            "有优惠券吗？第一次买",
            "刚买完就降价了，可以补差价吗 {order}",
            "买两件有没有优惠",
            "双十一会更便宜吗？",
        ),
        (
            "没问题，给您一张 30 元券，48 小时内有效：{coupon}",
            "15 天内支持价保，差价已经退给您了。",
            "两件给您打 92 折，券码 {coupon}，下单时填写。",
        ),
        (
            (
                ("和满减可以一起用吗", "券在哪里填？"),
                ("可以叠加的。", "购物车结算页，合计下面有个「优惠券」。"),
            ),
        ),
        mood=1,
    ),
    Scene(
        "damaged", "after", "en", 6,
        (
            "The {product} arrived with a crack. Order {order}",
            "I’m quite disappointed, the {product} came scratched.",
            "One part of the {product} was broken in the box.",
        ),
        (
            "I’m very sorry, that shouldn’t happen. Could you send a photo? I’ll get a new one out today.",
            "That’s on us. Would you like a replacement or your money back?",
            "I’m sorry! Keep it, a new one leaves the warehouse this afternoon.",
        ),
        (
            (
                ("A replacement please.", "I’d rather have the money back."),
                (
                    "Done, you’ll have it by {day}.",
                    "Refunded: {price}, in your account within three days.",
                ),
            ),
            (
                ("What shall I do with the broken one?", "Please pack it better this time."),
                (
                    "No need to send it back, please recycle it.",
                    "I’ve asked for a double box and told the packing team.",
                ),
            ),
        ),
        ("Third broken {product} this month, tell packing.", "Replacement for {order} without return, value under ¥500."),
        mood=-1,
    ),
    Scene(
        "damaged", "after", "zh", 9,
        (
            "收到的{product}有裂痕！订单 {order}",
            "{product}磕坏了一个角，很失望",
            "打开箱子里面就是碎的，怎么处理",
            "质量太差了，才用两天就松了",
        ),
        (
            "非常抱歉给您添麻烦了，方便拍张照片吗？今天就给您补发。",
            "实在不好意思，您看是补发一个新的，还是退款？",
            "是我们包装没做好，旧的不用寄回，新的今天下午发出。",
        ),
        (
            (
                ("补发吧，这次包好一点", "退款吧"),
                ("好的，已备注双层纸箱，{day}前送到。", "已为您退款 {price}，3 天内到账。"),
            ),
            (
                ("那坏的怎么办", "希望别再出问题了"),
                ("不用寄回，您自行处理就好。", "您放心，这件我亲自跟单。"),
            ),
        ),
        ("本月第三件{product}破损，反馈给打包组。", "{order} 免退补发，金额 500 以内。"),
        mood=-1,
    ),
    Scene(
        "care", "after", "en", 5,
        (
            "How should I clean the {product}?",
            "I spilled tea on the {product}. What can I do?",
            "Does the wood need oil? And which?",
        ),
        (
            "Lukewarm water, a drop of mild soap, and dry it at once. The care card has the details.",
            "Blot, don’t rub, then let it dry away from the heater. It nearly always comes out.",
            "Once a year a thin coat of hard-wax oil. Wait an hour, wipe off what’s left.",
        ),
        ((("Do you sell the oil?",), ("We do, and a small tin is free with your next order.",)),),
        mood=1,
    ),
    Scene(
        "care", "after", "zh", 8,
        (
            "{product}平时怎么清洁？",
            "不小心洒了茶在{product}上，怎么办",
            "木头需要上油吗？用什么油",
            "北方暖气房木头会裂吗",
        ),
        (
            "温水加一点中性清洁剂，擦完马上擦干就好。",
            "先吸干不要擦，阴凉处晾干，一般都能去掉。",
            "每年薄薄上一层木蜡油，一小时后擦掉余油。",
            "都是烘到 8% 含水率的料，避开暖气直吹就没事。",
        ),
        ((("你们卖木蜡油吗",), ("有的，下次下单送您一小罐。",)),),
        mood=1,
    ),
    Scene(
        "gift", "before", "en", 4,
        (
            "Do you wrap presents?",
            "Any gift wrap for the {product}? It’s for a wedding.",
        ),
        (
            "Yes, linen cloth and a card, ¥15. You can choose it in the cart.",
            "We do! And we leave the price out of the parcel.",
        ),
        (
            (
                ("Could the card say “To Mei and Jon”？",),
                ("It will, written by hand.",),
            ),
        ),
        mood=1,
    ),
    Scene(
        "gift", "before", "zh", 6,
        ("可以礼品包装吗", "{product}送长辈合适吗？能包装一下吗"),
        ("可以，棉麻布包加贺卡 15 元，购物车里勾选。", "很合适，包装好看又大方，不会放价格单。"),
        ((("贺卡写「祝乔迁之喜」",), ("好的，手写给您放进去。",)),),
        mood=1,
    ),
    Scene(
        "change", "after", "en", 5,
        (
            "Can I still change the address of {order}?",
            "I ordered the wrong size. Can you change {order}?",
            "Please cancel {order}, I ordered twice.",
        ),
        (
            "It hasn’t been packed yet, so yes. What should I change it to?",
            "Just in time: it’s changed, and you’ll get a new confirmation.",
            "Cancelled, and the money goes back today.",
        ),
        ((("It’s 12 Harbour Lane, {city}.", "The larger one please."), ("Saved. It leaves tomorrow.",)),),
    ),
    Scene(
        "change", "after", "zh", 8,
        (
            "地址写错了，能改吗？{order}",
            "拍错尺寸了，帮我改一下 {order}",
            "{order} 重复下单，帮我取消一个",
        ),
        (
            "还没打包，可以改，请把新地址发我。",
            "刚好还没出库，已经帮您改好了。",
            "已取消，款项今天原路退回。",
        ),
        ((("改到{city}，电话不变", "要大的那个"), ("改好了，明天发出。",)),),
    ),
    Scene(
        "assembly", "after", "en", 3,
        (
            "A screw is missing for the {product}.",
            "I can’t get the leg of the {product} to hold.",
        ),
        (
            "Sorry! I’m posting a full set of fittings today.",
            "Turn it a quarter back, push, then tighten. There’s a short film in the product page.",
        ),
        ((("That worked!", "How long does it take?"), ("Great!", "A letter, so two days.")),),
    ),
    Scene(
        "assembly", "after", "zh", 5,
        ("{product}少了一颗螺丝", "安装说明看不懂，{product}的腿怎么装"),
        ("抱歉，整套配件今天给您寄出。", "先松四分之一圈，往里推，再拧紧；商品页有安装视频。"),
        ((("装好了！", "多久能到？"), ("太好了。", "走信件，两天左右。")),),
    ),
    Scene(
        "bulk", "before", "en", 3,
        (
            "We’re furnishing a café and need 24 stools. Is there a trade price?",
            "Could I get a quote for 40 mugs with our logo?",
        ),
        (
            "Lovely! From 20 pieces it’s 15 % off. Where would they go?",
            "From 36 mugs we can stamp a logo, three weeks. I’ll send a quote today.",
        ),
        ((("{city}, by the end of next month.",), ("That works. The quote is on its way to you.",)),),
        ("Trade customer, pass to Wang Min for the quote.",),
        mood=1,
    ),
    Scene(
        "bulk", "before", "zh", 4,
        ("开咖啡店，要 24 把圆凳，有批发价吗", "马克杯定制 logo 40 个怎么报价"),
        ("20 件起 85 折，请问送到哪里？", "36 个起可以盖 logo，三周交货，今天给您报价单。"),
        ((("{city}，下个月底前要",), ("来得及，报价单稍后发您。",)),),
        ("批发客户，转王敏报价。",),
        mood=1,
    ),
    Scene(
        "payment", "before", "en", 3,
        (
            "My card was charged but there’s no order.",
            "The payment page keeps spinning. Is it down?",
        ),
        (
            "It’s a reservation by the bank and falls away within a day. Could you try once more?",
            "We had a hiccup and it’s fixed. Your cart is still there.",
        ),
        ((("It worked now.", "Can I pay on delivery?"), ("Wonderful, the confirmation is out.", "Not yet, I’m afraid.")),),
    ),
    Scene(
        "payment", "before", "zh", 5,
        ("付款扣了钱，但没有订单", "支付页面一直转圈"),
        ("是银行预扣，24 小时内自动退回，您可以再试一次。", "刚才有点波动，已经恢复了，购物车还在的。"),
        ((("可以了", "能用花呗吗"), ("好的，订单已确认。", "可以，付款页选花呗分期。")),),
    ),
    Scene(
        "stock", "before", "en", 4,
        ("When will the {product} be back?", "Will there be a smaller {product}?"),
        (
            "The next batch leaves the workshop on {day}. Shall I put you on the list?",
            "It’s planned for spring. I’ve noted your wish for the workshop.",
        ),
        ((("Yes please.",), ("Done, you’ll get one e-mail, nothing else.",)),),
    ),
    Scene(
        "stock", "before", "zh", 6,
        ("{product}什么时候补货", "{product}有小一号的吗"),
        ("下一批{day}到仓，需要到货提醒吗？", "小号计划开春上，您的需求我记下了。"),
        ((("要，谢谢",), ("已登记，到货第一时间通知您。",)),),
    ),
)  # fmt: skip

GREETINGS: dict[Locale, Texts] = {
    "en": ("Hello?", "Hi", "Anyone there?", "Hello", "Hi there 👋"),
    "zh": ("在吗", "你好", "有人吗？", "您好", "亲，在不在"),
}
NUDGES: dict[Locale, Texts] = {
    "en": ("Are you still there?", "Hello?", "Could somebody answer please?", "??"),
    "zh": ("还在吗", "人呢？", "麻烦回复一下", "？？"),
}
THANKS: dict[Locale, Texts] = {
    "en": (
        "Thank you!",
        "Great, thanks a lot.",
        "Perfect, that’s all I needed.",
        "Thanks, {name}!",
        "Thanks for the quick answer.",
        "Ok, thanks.",
        "Wonderful 🙏",
    ),
    "zh": (
        "谢谢",
        "好的谢谢",
        "明白了，谢谢你",
        "太好了，谢谢！",
        "嗯嗯，辛苦了",
        "好的👌",
        "谢谢{name}",
    ),
}
FAREWELLS: dict[Locale, Texts] = {
    "en": (
        "You’re welcome. Have a lovely evening!",
        "Gladly! Write to us any time.",
        "My pleasure. Enjoy!",
        "Anything else I can do? If not, have a good day.",
    ),
    "zh": (
        "不客气，祝您生活愉快！",
        "应该的，有问题随时找我。",
        "谢谢您的支持，再见～",
        "不客气，期待您的好评。",
    ),
}
HOLDS: dict[Locale, Texts] = {
    "en": (
        "One moment, I’ll look it up.",
        "Let me check with the warehouse.",
        "Just a second please.",
    ),
    "zh": ("您稍等，我查一下。", "我跟仓库确认一下，马上回复您。", "好的，请稍等。"),
}
SORRY_LATE: dict[Locale, Texts] = {
    "en": (
        "Sorry for the wait, it’s busy right now. ",
        "Thanks for your patience. ",
        "Sorry to keep you waiting. ",
    ),
    "zh": ("抱歉让您久等了。", "不好意思，刚才咨询比较多。", "久等了，"),
}
AWAY: dict[Locale, Texts] = {
    "en": (
        "We’re asleep right now and back at 9:00 (Shanghai time). Your message is safe with us.",
    ),
    "zh": ("客服已下班，早上 9:00 上线后第一时间回复您，留言不会丢。",),
}
TAKEOVERS: dict[Locale, Texts] = {
    "en": (
        "Could you take over? {order} needs somebody from after-sale.",
        "Handing over: wants details I can’t see.",
        "My shift ends, please continue.",
    ),
    "zh": (
        "麻烦接一下，涉及售后权限。",
        "我这边交班，请继续跟进 {order}。",
        "客户想了解细节，转给你更合适。",
    ),
}
WOKEN: dict[Locale, Texts] = {
    "en": (
        "Back with news from the warehouse: all is as I said, it goes out today.",
        "I’ve asked our workshop. They say yes, no problem.",
        "As promised, I’m back: it has been sorted out on our side.",
    ),
    "zh": (
        "仓库回复了，和我刚才说的一致，今天发出。",
        "问过工坊了，没有问题，您放心。",
        "让您久等了，这边已经处理好了。",
    ),
}
BACK_AGAIN: dict[Locale, Texts] = {
    "en": (
        "Me again. It still isn’t solved.",
        "One more thing about this: can I get it in writing?",
        "Hi, it happened again.",
        "Sorry, another question about the same order.",
    ),
    "zh": (
        "又来了，上次的问题还没解决",
        "再问一下，刚才那个还能改吗",
        "你好，还是那个订单的事",
        "漏发配件，麻烦看一下",
    ),
}
BACK_ANSWERS: dict[Locale, Texts] = {
    "en": (
        "Thanks for coming back. I’ve looked into it again and taken care of it.",
        "I’m sorry it wasn’t finished. It’s done now, and I’ve sent you a confirmation.",
        "Of course, I’ve just e-mailed it to you.",
    ),
    "zh": (
        "感谢您再次联系，我重新核实了，现在已经处理好。",
        "抱歉上次没弄彻底，这次已经办妥，短信也发您了。",
        "可以的，刚刚帮您处理了。",
    ),
}

RATING_COMMENTS: dict[Locale, dict[int, Texts]] = {
    "en": {
        5: ("Fast and kind.", "Best shop service I’ve had in years.", "Knew the product really well.", "Solved in two minutes.", "", ""),
        4: ("Helpful, a bit of a wait.", "Good answer.", "", ""),
        3: ("Took a while.", "Ok in the end.", ""),
        2: ("Had to ask twice.", "Too slow for a live chat.", ""),
        1: ("Nobody answered for ages.", "Still no solution.", "I felt like a nuisance."),
    },
    "zh": {
        5: ("回复很快，态度好！", "客服很专业，点赞", "问题一下子就解决了", "比别家耐心多了", "", ""),
        4: ("挺好的，就是等了一会儿", "不错", "", ""),
        3: ("一般，回复有点慢", "凑合", ""),
        2: ("问了两遍才明白", "等太久了", ""),
        1: ("半天没人理", "问题还是没解决", "态度敷衍"),
    },
}  # fmt: skip

CITIES: dict[Locale, Texts] = {
    "en": ("Shanghai", "Lyon", "Singapore", "Hong Kong", "Berlin", "Bristol", "Suzhou", "Melbourne"),
    "zh": ("杭州", "成都", "北京", "西安", "广州", "南京", "武汉", "哈尔滨", "昆明", "厦门"),
}  # fmt: skip
DAYS: dict[Locale, Texts] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六"),
}
COURIERS: dict[Locale, Texts] = {
    "en": ("SF Express", "YTO", "DHL", "ZTO"),
    "zh": ("顺丰", "圆通", "中通", "京东快递"),
}
