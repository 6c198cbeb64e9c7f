"""The words on the demo shop's own pages."""

# ruff: noqa: E501  (a sentence for people stays on one line)

from server.demo.words import Words

SHOP_WORDS: dict[str, Words] = {
    "skip": Words("Skip to content", "跳到正文"),
    "shelves": Words("Shop by category", "商品分类"),
    "cart": Words("Cart", "购物车"),
    "added": Words("Added to your cart", "已加入购物车"),
    "removed": Words("Taken out of your cart", "已从购物车移除"),
    "sale": Words("Sale", "特惠"),
    "sale_line": Words("Good things, for a little less.", "好东西，少花一点。"),
    "demo_note": Words(
        "A demo shop that comes with Shopbell. Nothing here is for sale, and the people are made up.",
        "随 Shopbell 附带的演示商店。商品不出售，人物均为虚构。",
    ),
    "promise_delivery": Words("Free delivery from ¥199", "满 199 元包邮"),
    "promise_delivery_more": Words(
        "Ordered before 16:00 it leaves the same day.", "16 点前付款，当天发出。"
    ),
    "promise_return": Words("30 days to change your mind", "30 天无忧退换"),
    "promise_return_more": Words("We pay the way back.", "退货运费我们承担。"),
    "promise_people": Words("People who answer", "真人客服"),
    "promise_people_more": Words(
        "9:00 to 23:00, usually in under a minute.", "9:00–23:00，通常 1 分钟内回复。"
    ),
    "consent_ask": Words(
        "May our people in the chat see which pages you look at, to advise you better?",
        "可以让客服看到您浏览的页面，以便更好地为您推荐吗？",
    ),
    "consent_yes": Words("Yes", "同意"),
    "consent_no": Words("No", "不同意"),
    "consent_on": Words(
        "Our people in the chat see which pages you look at.", "客服可以看到您浏览的页面。"
    ),
    "consent_stop": Words("Stop that", "停止"),
    "consent_off": Words("Nobody sees which pages you look at.", "没有人会看到您浏览的页面。"),
    "consent_signal": Words(
        "Your browser asks not to be tracked: nobody sees which pages you look at.",
        "您的浏览器要求不被跟踪：没有人会看到您浏览的页面。",
    ),
    "sign_out": Words("Sign out", "退出登录"),
    "requests": Words("My requests", "我的请求"),
    "signed_out": Words("You are signed out.", "您已退出登录。"),
    "hero_over": Words("Homeware from wood, linen and clay", "木、麻、陶做的家居器物"),
    "hero_title": Words("Things for the quiet hours", "给安静的时光，添一件器物"),
    "hero_text": Words(
        "Lamps to read by, stools to lean on, linen to sleep in. Few things, made slowly, meant to stay.",
        "读书的灯，歇脚的凳，入睡的麻。东西不多，做得很慢，用得很久。",
    ),
    "hero_link": Words("See the desk lamp", "看看这盏台灯"),
    "chat_with_us": Words("Chat with us", "联系客服"),
    "all_products": Words("Everything we make", "全部商品"),
    "home_title": Words("Homeware", "家居器物"),
    "add_to_cart": Words("Add to cart", "加入购物车"),
    "ask_about": Words("Ask about this product", "咨询这件商品"),
    "made_of_label": Words("Material", "材质"),
    "size_label": Words("Size", "尺寸"),
    "care_label": Words("Care", "保养"),
    "delivery_label": Words("Delivery", "配送"),
    "delivery": Words("2 to 3 days, free from ¥199", "2–3 天送达，满 199 元包邮"),
    "often_asked": Words("Often asked. Choose one to ask us:", "大家常问，点一下就能咨询："),
    "goes_with": Words("Goes well with", "搭配推荐"),
    "cart_title": Words("Your cart", "购物车"),
    "cart_empty": Words("There is nothing in it yet.", "购物车还是空的。"),
    "keep_looking": Words("Look around the shop", "去逛逛"),
    "subtotal": Words("Subtotal", "商品小计"),
    "postage": Words("Delivery", "运费"),
    "free": Words("Free", "包邮"),
    "total": Words("Total", "合计"),
    "ask_before_buying": Words("Ask before buying", "下单前问问客服"),
    "to_checkout": Words("To the checkout", "去结算"),
    "needs_script": Words(
        "The cart of this demo needs JavaScript.", "演示购物车需要启用 JavaScript。"
    ),
    "checkout_title": Words("Checkout", "结算"),
    "demo_checkout": Words("This is a demo.", "这是演示商店。"),
    "demo_checkout_more": Words(
        "Nothing is charged and nothing is sent. The order is made out to a made-up shopper, so that you can see it arrive at the desk.",
        "不会扣款，也不会发货。订单记在一位虚构顾客名下，方便您看到它如何出现在客服工作台。",
    ),
    "articles": Words("Articles", "商品件数"),
    "back_to_cart": Words("Back to the cart", "返回购物车"),
    "place_demo_order": Words("Place the demo order", "提交演示订单"),
    "placed_title": Words("Thank you for trying it", "感谢体验"),
    "placed_text": Words(
        "Order {number} is with the desk. Nothing was paid and nothing will be sent.",
        "订单 {number} 已送达客服工作台。没有付款，也不会发货。",
    ),
    "not_placed": Words(
        "The desk is not there just now, so no order was placed. Nothing was paid.",
        "客服工作台暂时连不上，没有产生订单，也没有付款。",
    ),
    "ask_about_order": Words("Ask us something", "问问客服"),
    "missing_title": Words("This page isn’t here", "没有找到这个页面"),
    "missing_text": Words(
        "Perhaps it moved, or the address has a typo.", "也许它搬走了，或者地址有误。"
    ),
}

# With one value each; kept apart because they are filled in by name.
PICTURE_OF = Words("Drawing: {title}", "插画：{title}")
IN_STOCK = Words("In stock: {count}", "现货 {count} 件")
ONE_LESS = Words("One less: {title}", "减少一件：{title}")
ONE_MORE = Words("One more: {title}", "增加一件：{title}")
QUANTITY_OF = Words("Quantity: {title}", "数量：{title}")
REMOVE = Words("Remove {title}", "移除{title}")
WAS = Words("instead of", "原价")
