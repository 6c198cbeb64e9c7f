"""What shoppers ask before they buy."""

# ruff: noqa: E501  (a sentence for people stays on one line)

from server.demo.scenes.scene import Scene

BEFORE: tuple[Scene, ...] = (
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
