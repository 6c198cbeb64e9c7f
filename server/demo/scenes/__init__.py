"""What shoppers of the demo shop ask and what its agents answer, as texts with slots.

Slots: {product}, {price}, {order}, {city}, {day}, {coupon}, {courier}, {name} (the agent),
{fact_q} and {fact_a} (a question about the product and its answer).
"""

from server.demo.scenes.after import AFTER
from server.demo.scenes.before import BEFORE
from server.demo.scenes.scene import Scene, Texts

__all__ = ["SCENES", "Scene", "Texts"]

# The order counts: a made-up past is drawn from it, so that the same seed brings the same past.
_TOPICS = (
    "product",
    "delivery",
    "parcel",
    "not_received",
    "return",
    "refund",
    "invoice",
    "price",
    "damaged",
    "care",
    "gift",
    "change",
    "assembly",
    "bulk",
    "payment",
    "stock",
)
SCENES: tuple[Scene, ...] = tuple(
    sorted((*BEFORE, *AFTER), key=lambda scene: _TOPICS.index(scene.topic))
)
