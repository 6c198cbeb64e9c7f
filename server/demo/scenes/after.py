"""What shoppers ask about what they have bought."""

# ruff: noqa: E501  (a sentence for people stays on one line)

from server.demo.scenes.scene import Scene

AFTER: tuple[Scene, ...] = (
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
)  # fmt: skip
