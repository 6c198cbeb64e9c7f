"""What is said in every kind of chat of the demo shop, and places, days and couriers for slots."""

# ruff: noqa: E501  (a sentence for people stays on one line)

from server.demo.scenes.scene import Texts
from server.demo.words import Locale

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
