"""The canned replies of the demo shop, in both languages."""

from __future__ import annotations

from server.actions.articles import NewArticle, Said, create_article
from server.domain.actors import agent
from server.storage.unit import Tx

AUTHOR = agent("demo", name="Mori & Oak", role="admin")
# shortcut, then title and text in English and in Chinese
REPLIES = (
    (
        "hi",
        ("Greeting", "Hi {customer.name}, this is {agent.name} from {shop.name}. How can I help?"),
        ("问候", "{customer.name}您好，我是{shop.name}的{agent.name}，请问有什么可以帮您？"),
    ),
    (
        "track",
        (
            "Where the parcel is",
            (
                "Your order {order.number} is with {order.carrier}, tracking number "
                "{order.tracking}. You can follow it here: {order.tracking_url}"
            ),
        ),
        (
            "查物流",
            (
                "您的订单 {order.number} 由{order.carrier}承运，运单号 {order.tracking}，"
                "可在这里查看进度：{order.tracking_url}"
            ),
        ),
    ),
    (
        "late",
        (
            "Sorry, the parcel is late",
            (
                "I am sorry that order {order.number} is late. I have asked {order.carrier} about "
                "{order.tracking} and will write to you by tomorrow noon."
            ),
        ),
        (
            "包裹延误致歉",
            (
                "非常抱歉，订单 {order.number} 延误了。我已向{order.carrier}查询运单 "
                "{order.tracking}，明天中午前给您答复。"
            ),
        ),
    ),
    (
        "refund",
        (
            "Refund is on its way",
            (
                "We refunded {order.refund} for order {order.number} on {order.refund_date}. "
                "It reaches your account within five working days."
            ),
        ),
        (
            "退款已办理",
            "订单 {order.number} 的 {order.refund} 已于{order.refund_date}退款，五个工作日内到账。",
        ),
    ),
    (
        "label",
        (
            "Return label sent",
            (
                "I have sent the return label for order {order.number} to your e-mail address. "
                "Drop the parcel at any collection point within 14 days."
            ),
        ),
        (
            "退货单已发送",
            "订单 {order.number} 的退货单已发到您的邮箱，请在 14 天内寄出。",
        ),
    ),
    (
        "photo",
        (
            "Ask for photos of the damage",
            (
                "I am sorry about that. Could you send me two photos: one of the damage and one of "
                "the label on the box? I will arrange a replacement at once."
            ),
        ),
        (
            "请顾客拍照",
            "非常抱歉。请您拍两张照片：一张破损处，一张外箱面单，我马上为您安排补发。",
        ),
    ),
    (
        "wait",
        ("One moment", "One moment please, I am looking into it."),
        ("请稍等", "请稍等，我正在为您查询。"),
    ),
    (
        "bye",
        (
            "Good-bye",
            "You're welcome, {customer.name}! Write any time if there is anything else.",
        ),
        ("结束语", "不客气，{customer.name}！有问题随时联系我们。"),
    ),
)


def write_replies(tx: Tx) -> None:
    """Writes them all as new."""
    for shortcut, en, zh in REPLIES:
        texts = {
            locale: Said(title=title, body=body)
            for locale, (title, body) in (("en", en), ("zh", zh))
        }
        create_article(tx, AUTHOR, NewArticle(kind="reply", shortcut=shortcut, texts=texts))
